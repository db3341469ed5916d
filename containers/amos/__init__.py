"""The submission to AMOS22: abdominal organs in CT and MR."""
