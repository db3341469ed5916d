"""Whatever the names in an archive are: no file lies outside the folder, and none is lost in it."""

from __future__ import annotations

import tarfile
import tempfile
import warnings
import zipfile
from io import BytesIO
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from containers.kit.errors import UserError
from tests.remote_unpack.conftest import LIMITS, contents
from workflow.scripts.remote.unpack import unpack

PARTS = st.sampled_from(["..", ".", "", "a", "A", "b", "C:", "~", "\\", "..\\a", "a\0b", " ", "\n", "é", "x" * 200])
NAMES = st.one_of(st.lists(PARTS, min_size=1, max_size=5).map("/".join), st.text(max_size=12))


def zipped(path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, name in enumerate(names):
            entry = zipfile.ZipInfo("x")
            entry.filename = name
            archive.writestr(entry, str(number))


def tarred(path: Path, names: list[str]) -> None:
    with tarfile.open(path, "w") as archive:
        for number, name in enumerate(names):
            entry = tarfile.TarInfo(name)
            entry.size = len(str(number))
            archive.addfile(entry, BytesIO(str(number).encode()))


@settings(max_examples=150, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4), st.booleans())
def test_no_name_leaves_the_folder_and_no_file_is_lost(names: list[str], packed: bool) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "deep", "er")
        folder.mkdir(parents=True)
        archive = folder / "it"
        try:
            (zipped if packed else tarred)(archive, names)
        except (UnicodeEncodeError, ValueError):
            return  # no archive has such a name
        before = set(Path(scratch).rglob("*"))
        try:
            unpack(archive, folder / "made", LIMITS)
        except UserError:
            assert set(Path(scratch).rglob("*")) == before
            return
        made = contents(folder / "made")
        assert len(made) == len(names)
        assert sorted(made.values()) == sorted(str(number).encode() for number in range(len(names)))
        outside = set(Path(scratch).rglob("*")) - before - {folder / "made", folder / ".made.unpacked.json"}
        assert all(path.is_relative_to(folder / "made") for path in outside)
