"""What model/model_description.py describes, read and not run: the workflow is planned where torch may not be."""

from __future__ import annotations

import ast
from pathlib import Path

from containers.kit.errors import UserError

FILE = Path(__file__).parents[3] / "containers" / "objectnet" / "model" / "model_description.py"


def names(file: Path = FILE) -> set[str]:
    """Classes and functions that a candidate may be made by, and what the file takes over from others."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}); it is where networks of your own belong") from None
    except SyntaxError as error:
        raise UserError(f"{file}, line {error.lineno}, is not Python: {error.msg}") from None
    found = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def of_zoo(model: str, file: Path = FILE) -> bool:
    """Whether it is timm's or torchvision's, so that its image needs those packages."""
    return model not in names(file)
