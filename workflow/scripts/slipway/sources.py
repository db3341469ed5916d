"""Which files of this repository a program is made of: what it imports, and what those import.

Rules list these files as input and images copy them, so that an edit reruns exactly what it should and an image
holds what it needs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from containers.kit.errors import UserError

PACKAGES = ("containers", "workflow")  # the top-level packages of this repository
TEXT = re.compile(rf"""(["'])((?:{"|".join(PACKAGES)})(?:\.\w+)+)(?::\w+)?\1""")  # modules by name
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # of statements that hold others


def closure(root: Path, *entries: str) -> list[str]:
    """The entries and all that they import from this repository, as sorted paths relative to `root`.

    An entry is a path relative to `root` or a dotted module. Imports inside functions count as well, and so do
    modules that a text names, such as what `python -m` is to run.
    """
    found: set[str] = set()
    waiting = [_as_path(root, entry) for entry in entries]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        waiting.extend(_imports(root, path))
    return sorted(found)


def _as_path(root: Path, entry: str) -> str:
    if entry.endswith(".py"):
        if not (root / entry).is_file():
            raise UserError(f"{entry} is not there; a rule or the configuration names it as code")
        return entry
    path = _module(root, entry)
    if path is None:
        raise UserError(f"no module {entry} in {root}; name one such as containers.stoic.mine")
    return path


@cache
def _imports(root: Path, path: str) -> tuple[str, ...]:
    source = (root / path).read_text(encoding="utf-8")
    try:
        tree = ast.parse(source, filename=path)
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}, is not Python: {error.msg}") from None
    names = {found[2] for found in TEXT.finditer(source)}
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    found = {module for name in names if name.split(".")[0] in PACKAGES and (module := _module(root, name))}
    return tuple(sorted(found | _parents(root, path)))


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """All of them, at any depth; expressions, which are most of a tree, hold no imports."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for block in BLOCKS:
            waiting.extend(getattr(node, block, ()))


def _module(root: Path, name: str) -> str | None:
    folder = Path(*name.split("."))
    for path in (folder.with_suffix(".py"), folder / "__init__.py"):
        if (root / path).is_file():
            return path.as_posix()
    return None


def _parents(root: Path, path: str) -> set[str]:
    """The `__init__.py` of every package on the way to `path`."""
    inits = (parent / "__init__.py" for parent in Path(path).parents if parent != Path())
    return {init.as_posix() for init in inits if (root / init).is_file() and init.as_posix() != path}
