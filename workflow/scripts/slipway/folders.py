"""The folders that are mounted into a run: prepared as the organisers do, and nothing of a user's is lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from containers.kit.errors import UserError
from containers.kit.files import read_json, write_json
from workflow.scripts.slipway.contract import Mount
from workflow.scripts.slipway.engine import Engine

# An extended attribute goes and stays with the folder itself, and neither the container nor an output check sees it.
MARK = "user.slipway.run"
RUNNING, ENDED = "running", "ended"


def prepare(mount: Mount, folder: Path, *, keep: bool = False, opened: bool = True) -> bool:
    """Make the folder as the organisers do: there, open to all users where they open it, and empty where they empty it.

    With `keep`, what a run that did not come to its end left there stays; say whether that was so.
    """
    if ":" in str(folder):
        raise UserError(f"--mount {mount.name}: the engine cannot mount a path with a colon in it, {folder}")
    if mount.mode == "ro":
        if not folder.is_dir():
            raise UserError(f"--mount {mount.name}: there is no folder {folder}")
        return False
    _refuse_precious(mount.name, folder)
    folder.mkdir(parents=True, exist_ok=True)
    used = any(folder.iterdir())
    kept = keep and used and state(folder) == RUNNING
    if mount.emptied and not kept:
        if used and not state(folder):
            raise UserError(
                f"--mount {mount.name}: {folder} is not empty and was not made by Slipway; "
                "empty it yourself or name another"
            )
        empty(folder)
    if mount.emptied:
        set_state(folder, RUNNING)
    try:
        folder.chmod(0o777 if opened else 0o755)  # the container's user is not ours
    except PermissionError:
        if opened and folder.stat().st_mode & 0o007 != 0o007:
            raise UserError(
                f"--mount {mount.name}: {folder} is not yours; run `chmod 777` on it as its owner"
            ) from None
    return kept


def empty(folder: Path) -> None:
    """Delete what is in the folder; links are deleted, not followed."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def temporary(beside: Path, profile: str) -> Iterator[Path]:
    """An empty folder on the same disk, for a further run whose results nobody needs; gone afterwards."""
    beside.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{beside.name}.{profile}-", dir=beside.parent))
    try:
        yield folder
    finally:
        with suppress(OSError):  # a leftover of a run that was killed is no reason to hide why
            shutil.rmtree(folder)
        _marker(folder).unlink(missing_ok=True)


def hand_over(engine: Engine, image_id: str, folder: Path) -> str:
    """Let us read and delete what the container's user wrote; a sentence where that cannot be done."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink() and path.stat().st_uid == os.getuid():
            path.chmod(path.stat().st_mode | (0o700 if path.is_dir() else 0o600))
    return "" if _ours(folder) else open_as_root(engine, image_id, folder)


def open_as_root(engine: Engine, image_id: str, folder: Path) -> str:
    """Open the folder to all from a small container of the same image, which is root where we are not."""
    words = ["run", "--rm", "--network", "none", "--user", "0:0", "--entrypoint", "chmod"]
    words += ["--volume", f"{folder}:/slipway", image_id, "-R", "a+rwX", "/slipway"]
    done = subprocess.run(engine.command(*words), capture_output=True, text=True, check=False)
    if done.returncode == 0 and _ours(folder):
        return ""
    said = (done.stderr.strip().splitlines() or ["it did not help"])[-1]
    return f"what the container wrote to {folder} belongs to another user, and opening it failed ({said})"


def _ours(folder: Path) -> bool:
    try:
        return all(
            os.access(path, os.R_OK | os.W_OK | os.X_OK if path.is_dir() else os.R_OK)
            for path in [folder, *folder.rglob("*")]
            if not path.is_symlink()
        )
    except PermissionError:
        return False


def _refuse_precious(name: str, folder: Path) -> None:
    """Nobody means to open to all, let alone to empty, a folder that holds their home or their work."""
    real = folder.resolve()
    for precious in (Path("/"), Path.home().resolve(), Path.cwd().resolve()):
        if precious.is_relative_to(real):
            raise UserError(f"--mount {name}: {folder} holds {precious}; name a folder made for this")


def set_state(folder: Path, word: str) -> None:
    """Note that the folder is ours, and whether a run in it came to its end."""
    try:
        os.setxattr(folder, MARK, word.encode())
    except OSError:  # a file system without attributes, as many that a network shares
        write_json(_marker(folder), {"folder": folder.stat().st_ino, "state": word})


def state(folder: Path) -> str:
    """What was noted, or nothing for a folder that is not ours, also one that took the place of ours."""
    try:
        return os.getxattr(folder, MARK).decode()
    except OSError as error:
        if error.errno != errno.ENOTSUP or not _marker(folder).is_file():
            return ""
    noted = read_json(_marker(folder))
    return str(noted["state"]) if noted["folder"] == folder.stat().st_ino else ""


def _marker(folder: Path) -> Path:
    """Beside the folder, since neither the container nor an output check may see it."""
    return folder.with_name(f".{folder.name}.slipway.json")
