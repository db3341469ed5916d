"""The user's copy of a notebook: made once, with its pictures, and never written over."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.files import replacing, sha256
from workflow.scripts.salt.jupyter import Jupyter
from workflow.scripts.salt.serve import last_words, running

MARK = "slipway"  # among the notebook's metadata: which original it was copied from
SECONDS = 600  # for one cell


def copied(original: Path, folder: Path, jupyter: Jupyter, log: Path) -> Path:
    """The copy to open. A newer original is put beside a copy of an older one, under a name of its own."""
    digest = sha256(original)
    copy = folder / original.name
    if not copy.exists():
        _make(original, copy, digest, jupyter, log)
    elif _origin(copy) != digest:
        newer = folder / f"{original.stem}-{digest[:8]}{original.suffix}"
        if not newer.exists():
            _make(original, newer, digest, jupyter, log)
        print(f"{copy} stays as it is; the repository's notebook has changed since, and is {newer.name} beside it")
    return copy


def _make(original: Path, copy: Path, digest: str, jupyter: Jupyter, log: Path) -> None:
    """Run once, so that it opens with its pictures; without them where it does not run."""
    print(f"running {original.name} once, so that {copy} opens with its pictures", flush=True)
    try:
        content = json.loads(original.read_text(encoding="utf-8"))
        content["metadata"][MARK] = {"original": digest}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"--notebook {original} is no notebook ({error}); name another file") from None
    try:
        with replacing(copy) as partial:
            partial.write_text(json.dumps(_run(content, copy, jupyter, log), indent=1), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{copy} cannot be written ({error.strerror}); make room there, or name another --folder"
        ) from None


def _run(content: Any, copy: Path, jupyter: Jupyter, log: Path) -> Any:
    work = Path(tempfile.mkdtemp(dir=jupyter.folder))
    try:
        (work / copy.name).write_text(json.dumps(content), encoding="utf-8")
        words = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb"]
        words += [f"--ExecutePreprocessor.timeout={SECONDS}", str(work / copy.name)]
        with running(words, jupyter.environment, log) as process:
            status = process.wait()
        if status == 0:
            return json.loads((work / "done.ipynb").read_text(encoding="utf-8"))
        print(f"warning: it does not run to its end; {last_words(log)}", file=sys.stderr, flush=True)
        return content
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _origin(copy: Path) -> str | None:
    """Which original it was; unknown where its user has changed so much that nothing tells."""
    try:
        found = json.loads(copy.read_text(encoding="utf-8"))["metadata"][MARK]["original"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
