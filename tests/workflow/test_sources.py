"""What a program is made of: its own file and all that it imports from this repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.kit.errors import UserError
from workflow.scripts.slipway.sources import closure

ROOT = Path(__file__).resolve().parents[2]


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / (name.replace("__", "/").replace("/init", "/__init__") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_it_follows_imports_at_any_depth_and_inside_functions(tmp_path: Path) -> None:
    write(
        tmp_path,
        containers__init="",
        containers__a="import os\nfrom containers import b\n",
        containers__b="def late():\n    import containers.kit.c\n",
        containers__kit__init="",
        containers__kit__c="from containers.kit import missing_on_purpose\nimport numpy\n",
        containers__unused="",
    )
    assert closure(tmp_path, "containers/a.py") == [
        "containers/__init__.py",
        "containers/a.py",
        "containers/b.py",
        "containers/kit/__init__.py",
        "containers/kit/c.py",
    ]


def test_it_follows_modules_that_a_text_names(tmp_path: Path) -> None:
    write(
        tmp_path,
        containers__a="launch('containers.b')\ncheck = 'containers.c:check'\nword = 'containers.nothing'\n",
        containers__b="",
        containers__c="",
    )
    assert closure(tmp_path, "containers.a") == ["containers/a.py", "containers/b.py", "containers/c.py"]


def test_a_cycle_ends(tmp_path: Path) -> None:
    write(tmp_path, containers__a="import containers.b", containers__b="import containers.a")
    assert closure(tmp_path, "containers.a") == ["containers/a.py", "containers/b.py"]


def test_an_entry_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"containers/x\.py is not there"):
        closure(tmp_path, "containers/x.py")
    with pytest.raises(UserError, match=r"no module containers\.mine"):
        closure(tmp_path, "containers.mine")


def test_a_file_that_is_not_python_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, containers__a="x = 1\ndef f(:\n")
    with pytest.raises(UserError, match=r"containers/a\.py, line 2, is not Python"):
        closure(tmp_path, "containers.a")


def test_what_ships_never_imports_the_workflow() -> None:
    files = [str(path.relative_to(ROOT)) for path in (ROOT / "containers").rglob("*.py")]
    assert not [path for path in closure(ROOT, *files) if path.startswith("workflow/")]
