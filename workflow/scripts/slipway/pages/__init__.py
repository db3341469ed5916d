"""The parts of the report: each module makes the HTML of one kind of input."""
