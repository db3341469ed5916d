"""The table of sources: one row says where data or weights come from, and under which terms.

Rules ask this while Snakemake reads them, so nothing large is imported here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from containers.kit.errors import UserError, did_you_mean
from containers.kit.settings import build
from workflow.scripts.slipway.configuration import checked, load_schema, read_yaml

TABLE, SCHEMA = Path("config", "sources.yaml"), Path("workflow", "schemas", "sources.schema.yaml")

WAYS = ("http", "s3", "kaggle")
SECRETS = ("token", "secret", "password", "signature", "credential", "apikey", "api_key", "accesskey")  # in names


@dataclass(frozen=True)
class Licence:
    name: str  # what a user writes to accept it
    page: str = ""
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Http:
    """One file of a web server; the second address is asked where the first does not give it."""

    file: str
    urls: tuple[str, ...]
    size: int = 0  # 0 where it is not known to the byte; then `about` may tell nearly
    about: int = 0
    sha256: str = ""  # whole or its beginning
    md5: str = ""
    connections: int = 4


@dataclass(frozen=True)
class S3:
    bucket: str
    region: str = "us-east-1"
    endpoint: str = ""  # empty: Amazon's own
    prefix: str = ""
    anonymous: bool = False


@dataclass(frozen=True)
class Kaggle:
    competition: str
    page: str = ""
    about: int = 0
    md5: str = ""  # of the one zip of today's layout


@dataclass(frozen=True)
class Archive:
    """What unpacking may come to at most; `ratio` is of the bytes of all to those of the archive."""

    files: int
    bytes: int
    ratio: float = 100.0
    password: str = ""  # only one that its owner prints for everybody


@dataclass(frozen=True)
class Row:
    title: str
    licence: Licence | None = None
    http: Http | None = None
    s3: S3 | None = None
    kaggle: Kaggle | None = None
    archive: Archive | None = None


def load(root: Path, over: Mapping[str, Any]) -> dict[str, Any]:
    """The shipped table with a user's own rows and keys laid over it, checked."""
    shipped = read_yaml((root / TABLE).read_text(encoding="utf-8"))
    whole = _laid_over(shipped, over)
    for key, address in _addresses(whole, "sources"):
        _public(key, address)
    return checked(whole, load_schema(root / SCHEMA), "sources")


def row(values: Mapping[str, Any], where: str) -> Row:
    return build(Row, values, where)


def weights(table: Mapping[str, Any], name: str, key: str) -> Row:
    """The row of weights; `key` is the setting that names them."""
    if name not in table:
        hint = did_you_mean(name, table, f"the table has {', '.join(table) or 'none'}")
        raise UserError(f"{key} names the weights {name}, which are not in the table of sources; {hint}")
    return row(table[name], f"sources.weights.{name}")


def _laid_over(below: Any, above: Any) -> Any:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    merged = {**below, **{key: _laid_over(below.get(key), value) for key, value in above.items()}}
    ways = {"http", "s3", "kaggle"} & above.keys()
    return {
        key: value for key, value in merged.items() if not ways or key in ways or key not in ("http", "s3", "kaggle")
    }


def _addresses(values: Any, key: str) -> Iterator[tuple[str, str]]:
    """Every address in the table, by its key."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from _addresses(value, f"{key}.{name}")
    elif isinstance(values, list):
        for number, value in enumerate(values):
            yield from _addresses(value, f"{key}[{number}]")
    elif isinstance(values, str) and "://" in values:
        yield key, values


def _public(key: str, address: str) -> None:
    """An address is written to logs and records, and so there may be no secret in it; none is shown here either."""
    try:
        parts = urlsplit(address)
        words = [name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        return  # the schema has a sentence for it
    if "@" in parts.netloc or any(secret in word for word in words for secret in SECRETS):
        raise UserError(f"{key} has a password or token in its address; leave it out, and put it into ~/.netrc")
