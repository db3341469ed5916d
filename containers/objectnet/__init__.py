"""The submission to ObjectNet: five guesses at the object in each photo."""
