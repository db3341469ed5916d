"""`source: remote`: the release as the organisers give it, a zip whose members are locked in the classic way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.objectnet.labels import FOLDERS
from tests.objectnet_data.pictures import name, picture
from tests.remote_unpack.rawzip import Raw, write
from tests.webfolder import Web, served
from workflow.scripts.objectnet.fetch import main
from workflow.scripts.remote import table
from workflow.scripts.slipway.fetching import ROOT

PASSWORD = "objectnetisatestset"
OBJECTS = (52, 264, 258)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    members = [Raw("objectnet-1.0/README", b"read me", PASSWORD), Raw("objectnet-1.0/LICENSE", b"licence", PASSWORD)]
    members.append(Raw("objectnet-1.0/mappings/objectnet_to_imagenet_1k.json", b"{}", PASSWORD))
    for index, number in enumerate(OBJECTS):
        drawn = picture(tmp_path / "drawn" / name(index), 2)
        members.append(Raw(f"objectnet-1.0/images/{FOLDERS[number]}/{name(index)}", drawn.read_bytes(), PASSWORD))
    with served(tmp_path / "web") as one:
        write(one.folder / "objectnet-1.0.zip", members)
        yield one


def words(folder: Path, web: Web, **archive: Any) -> list[str]:
    row = table.load(ROOT, {})["data"]["objectnet"]
    row["http"] |= {"urls": [f"{web.url}/objectnet-1.0.zip"], "size": 0, "md5": ""}
    row["archive"] |= archive
    given = ["--source", "remote", "--row", json.dumps(row), "--accept", "ObjectNet-1.0", "--workers", "1"]
    return [*given, "--scratch", str(folder / "raw"), "--manifest", str(folder / "manifest.json")]


def test_the_release_is_opened_with_the_password_of_the_table(web: Web, tmp_path: Path) -> None:
    assert main(words(tmp_path, web)) == 0
    content = json.loads((tmp_path / "manifest.json").read_text())
    assert content["source"] == "remote"
    assert content["answers"] == {name(index): number for index, number in enumerate(OBJECTS)}
    for index, number in enumerate(OBJECTS):
        came = Path(content["root"], FOLDERS[number], name(index))
        assert came.read_bytes() == (tmp_path / "drawn" / name(index)).read_bytes()


def test_a_wrong_password_names_the_key_of_the_table(
    web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(tmp_path, web, password="objectnet1234")) == 1
    assert "sources.data.objectnet.archive.password" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "manifest.json").exists()
    assert not list((tmp_path / "raw").rglob("*.png"))
