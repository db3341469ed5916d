"""What is used of jsonschema, imported fast.

Its checks of formats, which nothing here asks for, compile grammars at import where the package rfc3987_syntax is there
(JupyterLab brings it): more than a second of every Snakemake that starts. So it is hidden while jsonschema is imported.
"""

from __future__ import annotations

import sys
from typing import Any

SLOW = "rfc3987_syntax"
_hidden: dict[str, Any] = sys.modules  # None in it makes an import fail, which jsonschema takes as "not installed"
_was = SLOW in sys.modules
_hidden.setdefault(SLOW, None)
try:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, ValidationError, best_match
finally:
    if not _was:
        del _hidden[SLOW]

__all__ = ["Draft202012Validator", "SchemaError", "ValidationError", "best_match"]
