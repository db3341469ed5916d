"""Where the limits of this process's cgroup are written: v1 or v2, its own group and those above it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def folders(controller: str, root: Path = Path("/")) -> Iterator[tuple[int, Path]]:
    """The version (1 or 2) and the folder of each group that limits this process; some may not be there."""
    for controllers, group in _groups(root / "proc/self/cgroup"):
        mounts = [""] if not controllers else []
        if controller in controllers:
            mounts = [controller, ",".join(controllers)] if len(controllers) > 1 else [controller]
        for mount in mounts:
            version = 1 if mount else 2
            for folder in _upwards(root / "sys/fs/cgroup" / mount, group):
                yield version, folder


def read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _groups(table: Path) -> list[tuple[list[str], PurePosixPath]]:
    """The lines `id:controllers:path`; v2 has no controllers."""
    lines = [line.split(":", 2) for line in (read(table) or "").splitlines()]
    return [
        (fields[1].split(",") if fields[1] else [], PurePosixPath(fields[2])) for fields in lines if len(fields) == 3
    ]


def _upwards(mount: Path, group: PurePosixPath) -> list[Path]:
    """The group's folder and those above it: in a container only the topmost is visible, and it is its own."""
    relative = PurePosixPath(*group.parts[1:])
    return [mount / relative, *(mount / parent for parent in relative.parents)]
