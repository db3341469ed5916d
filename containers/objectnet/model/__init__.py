"""The two files that a participant edits, as in the organisers' template; checkpoints may lie beside them."""
