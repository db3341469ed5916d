"""The platform's rules, on packages that break one of them, and on ZIPs that nobody should unpack."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.agrigaia_package.conftest import error
from workflow.scripts.agrigaia import platform, zips

TOP = "train-container-publish"
PLACE = f"{TOP}/My Lab/Object Detection/Tiny v1.0"
Check = Callable[..., str]


@pytest.fixture
def entries(zipped: Path) -> dict[str, bytes]:
    """A sound package, by its files."""
    with zipfile.ZipFile(zipped) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """What is said of a ZIP of these files, without the ZIP's name."""

    def said(files: dict[str, bytes], *folders: str) -> str:
        path = tmp_path / "other.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in folders:
                archive.writestr(f"{name}/", b"")
            for name, data in files.items():
                archive.writestr(name, data)
        return error(capsys, platform.main([str(path)])).removeprefix(str(path))

    return said


def without(files: dict[str, bytes], *names: str) -> dict[str, bytes]:
    assert set(names) <= files.keys()
    return {name: data for name, data in files.items() if name not in names}


def moved(files: dict[str, bytes], old: str, new: str) -> dict[str, bytes]:
    return {name.replace(old, new, 1): data for name, data in files.items()}


def test_a_sound_package_is_taken(
    zipped: Path, entries: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert platform.main([str(zipped)]) == 0
    said = f"My Lab/Object Detection/Tiny v1.0, {len(entries)} files; the platform takes it\n"
    assert capsys.readouterr().out == f"{zipped}: {said}"
    path = tmp_path / "other.zip"  # made elsewhere: no entries for folders, another top, what the platform has anyway
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in without(entries, f"{TOP}/dataset.py", f"{TOP}/cvat_dataset.py").items():
            archive.writestr(name.replace(TOP, "mine"), data)
    assert platform.main([str(path)]) == 0
    assert capsys.readouterr().out.endswith(f"{len(entries) - 2} files; the platform takes it\n")


@pytest.mark.parametrize(
    "name",
    [
        *(f"{TOP}/{name}" for name in ("config.py", "config_to_args.py", "docker-entrypoint.sh", "mount-s3.sh")),
        *(f"{PLACE}/config/{name}" for name in ("config.jsonschema", "custom.json", "presets.json")),
        *(f"{PLACE}/docker/{name}" for name in ("Dockerfile", "setup.py", "train.py")),
    ],
)
def test_a_file_that_the_platform_demands_is_missed(name: str, check: Check, entries: dict[str, bytes]) -> None:
    assert check(without(entries, name)) == f" has no file {name}; the platform demands it"


def test_the_folders_must_be_the_platforms(check: Check, entries: dict[str, bytes]) -> None:
    assert check({}) == " must hold exactly one folder, and has nothing at its top; pack the folder itself"
    said = " must hold exactly one folder, and has a.txt at its top; pack the folder itself"
    assert check({**entries, "a.txt": b""}) == said
    said = " must hold exactly one folder, and has other, train-container-publish at its top; pack the folder itself"
    assert check({**entries, "other/a.txt": b""}) == said
    assert " and has config.py, config_to_args.py, cvat_dataset.py" in check(moved(entries, f"{TOP}/", ""))
    one = f"{PLACE}/config"
    exactly = " must have exactly one folder `config`, with no folder in it, and has "
    assert check({**entries, f"{one}/more/a.json": b""}) == f"{exactly}{one}, {one}/more"
    assert check({**entries, f"{TOP}/Lab/Other/Net/config/a": b""}) == f"{exactly}{TOP}/Lab/Other/Net/config, {one}"
    assert check(moved(entries, "/config/", "/form/")) == f"{exactly}none"
    assert check(entries, f"{one}/empty") == f"{exactly}{one}, {one}/empty"
    wanted = f"; the platform looks for {TOP}/<provider>/<category>/<architecture>/config"
    assert check(moved(entries, "/My Lab", "")) == f" has {TOP}/Object Detection/Tiny v1.0/config{wanted}"
    assert check(moved(entries, "/My Lab", "/a/b")) == f" has {TOP}/a/b/Object Detection/Tiny v1.0/config{wanted}"
    assert check(moved(entries, "/My Lab", "/Ärzte")).startswith(": the folder of the provider is 'Ärzte'; write up to")
    assert check(moved(entries, "/docker/", "/image/")) == f" has no folder {PLACE}/docker; the platform demands it"
    said = f" has the folder {PLACE}/docker/more; what is in docker is built side by side, without any"
    assert check({**entries, f"{PLACE}/docker/more/a.py": b""}) == said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("presets.json", b"{", "is not readable as JSON ("),
        ("presets.json", b"\xff", "is not readable as JSON ("),
        ("presets.json", b"[" * 100_000, "is not readable as JSON ("),
        ("presets.json", b"[]", "holds no object; write its keys and values between braces"),
        ("custom.json", b"{}", "must have exactly the keys model_filepath, score_name, score_regexp;"),
        ("config.jsonschema", b'{"type": "object"}', "lacks epochs, batch-size, img-size, optimizer, learning-rate"),
        ("config.jsonschema", b" " * (zips.TEXT + 1), "with 4 MB; settings are smaller than that"),
    ],
)
def test_settings_that_nobody_can_read(
    name: str, content: bytes, said: str, check: Check, entries: dict[str, bytes]
) -> None:
    found = check({**entries, f"{PLACE}/config/{name}": content})
    assert f"{PLACE}/config/{name}" in found
    assert said in found


@pytest.mark.parametrize(
    "name", ["/etc/passwd", f"{TOP}/../../x", "../x", f"{TOP}/./x", f"{TOP}//x", f"{TOP}\\x", "C:/x"]
)
def test_a_name_that_leaves_the_folder_is_refused(name: str, check: Check, entries: dict[str, bytes]) -> None:
    found = check({**entries, name: b"x"})
    assert found.startswith(f" has an entry {name!r}")
    assert "names must be relative" in found


def test_a_name_with_a_zero_byte_is_refused(zipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What reads it in C sees another name than what reads it in Python."""
    path = tmp_path / "p.zip"
    path.write_bytes(zipped.read_bytes().replace(b"docker/boxes.py", b"docker/bo\0es.py"))
    said = error(capsys, platform.main([str(path)]))
    assert said.startswith(f"{path} has an entry '{PLACE}/docker/bo\\x00es.py'; names must be relative")


def test_links_doubles_and_names_of_both_kinds_are_refused(
    zipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], check: Check, entries: dict[str, bytes]
) -> None:
    said = f" has {TOP}/config.py as a file and as a folder; keep one of them"
    assert check({**entries, f"{TOP}/config.py/x": b""}) == said
    link = zipfile.ZipInfo(f"{TOP}/link")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "p.zip"
    path.write_bytes(zipped.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, b"/etc")
    said = f"{path} has {TOP}/link as a link or a device; put the file itself there"
    assert error(capsys, platform.main([str(path)])) == said
    path.write_bytes(zipped.read_bytes().replace(b"docker/boxes.py", b"docker/train.py"))
    said = f"{path} has {PLACE}/docker/train.py twice; keep one of them"
    assert error(capsys, platform.main([str(path)])) == said


def test_a_zip_that_would_fill_the_disk_is_refused(
    check: Check, entries: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zips, "UNPACKED", 1_000_000)
    assert check({**entries, f"{TOP}/bomb": bytes(1_000_000)}).startswith(" would be 0.0 GB unpacked; a package stays")
    monkeypatch.setattr(zips, "ENTRIES", 20)
    assert check(entries) == f" has {len(entries)} entries; a package has no more than 20"


def test_a_size_that_lies_is_no_way_around(zipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The central directory says one byte; what is there is more, and its checksum another."""
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with zipfile.ZipFile(zipped) as other:
            for entry in other.infolist():
                archive.writestr(entry.filename, other.read(entry))
        archive.writestr(f"{TOP}/bomb", bytes(5_000_000))
        archive.infolist()[-1].file_size = 1
    assert error(capsys, platform.main([str(path)])) == f"{path} is broken at {TOP}/bomb; make it again"


def test_what_is_no_zip_or_a_broken_one(zipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.zip"
    assert error(capsys, platform.main([str(path)])) == (
        f"{path} cannot be read (No such file or directory); name the package"
    )
    for data in (b"", b"PK", zipped.read_bytes()[:-300], zipped.read_bytes()[300:]):
        path.write_bytes(data)
        assert error(capsys, platform.main([str(path)])).startswith(f"{path} is no ZIP, or a broken one (")
    flipped = bytearray(zipped.read_bytes())
    with zipfile.ZipFile(zipped) as archive:
        entry = archive.getinfo(f"{PLACE}/docker/train.py")
    flipped[entry.header_offset + 30 + len(entry.filename) + 200] ^= 0xFF
    path.write_bytes(flipped)
    assert error(capsys, platform.main([str(path)])).startswith((f"{path} is broken at {PLACE}", f"{path} is no ZIP"))


def test_the_rules_are_in_the_form_that_the_platform_has_them() -> None:
    def names(nodes: list[dict[str, Any]], above: str = "") -> list[str]:
        found = []
        for node in nodes:
            assert node["type"] in ("file", "directory")
            path = f"{above}{node['name']}"
            found += names(node["contents"], f"{path}/") if node["type"] == "directory" else [path]
        return found

    assert names(json.loads(platform.COMMON.read_text())) == [
        f"./{name}" for name in ("config.py", "config_to_args.py", "docker-entrypoint.sh", "mount-s3.sh")
    ]
    wanted = ["config/config.jsonschema", "config/custom.json", "config/presets.json"]
    wanted += ["docker/Dockerfile", "docker/setup.py", "docker/train.py"]
    assert names(json.loads(platform.TEMPLATE.read_text())) == [f"./{name}" for name in wanted]
