"""What the fetch programs of all challenges share: their flags, the choice of the source, the manifest."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from containers.kit.errors import UserError
from containers.kit.files import write_json
from containers.kit.settings import section
from workflow.scripts.remote import table
from workflow.scripts.remote.table import Row

T = TypeVar("T")
ROOT = Path(__file__).parents[3]


def flags(description: str | None, challenge: str, folder: str) -> argparse.ArgumentParser:
    """The flags that every fetch program has; `folder` says what a folder as source holds."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(challenge=challenge)
    parser.add_argument("--source", required=True, help=f"demo, remote, or {folder}")
    parser.add_argument("--demo", default="{}", help=f"the section {challenge}.demo as JSON, or @file")
    parser.add_argument(
        "--row", default="", help="the row of the table of sources as JSON, or @file; else Slipway's own"
    )
    parser.add_argument("--accept", nargs="*", action="extend", default=[], help="licences that are agreed to")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what is made, fetched or unpacked")
    parser.add_argument("--manifest", type=Path, required=True, help="what is there, as JSON")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    return parser


def row(args: argparse.Namespace) -> Row:
    """Where `remote` is."""
    key = f"sources.data.{args.challenge}"
    if args.row:
        return table.row(section(args.row, key), key)
    return table.row(table.load(ROOT, {})["data"][args.challenge], key)


def located(
    args: argparse.Namespace, demo: Callable[[], T], remote: Callable[[], T], folder: Callable[[Path], T]
) -> tuple[str, T]:
    """The kind of the source, and where its data are."""
    if args.source == "demo":
        return "demo", demo()
    if args.source == "remote":
        return "remote", remote()
    return "folder", folder(there(args.source, args.challenge))


def there(source: str, challenge: str) -> Path:
    path = Path(source)
    if not path.is_dir():
        key = f"challenges.{challenge}.source"
        raise UserError(f"source {source} is neither 'demo' nor 'remote' nor a folder; set {key} to one of them")
    return path


def record(path: Path, manifest: Mapping[str, Any]) -> None:
    try:
        write_json(path, dict(manifest))
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}); make room there") from None
