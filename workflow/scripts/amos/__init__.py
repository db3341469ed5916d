"""AMOS22 on the host: data, planning, training, scores."""
