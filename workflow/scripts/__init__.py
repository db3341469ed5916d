"""One command a rule: `python -m workflow.scripts.<rule> --help` tells what it takes."""
