"""`source: remote` through the workflow, from real servers on loopback: an archive, and a bucket with keys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.agrigaia_s3.issuer import serving
from tests.agrigaia_s3.weed import BUCKET, KEY, SECRET, Server, running
from tests.webfolder import Web, served
from tests.workflow.clone import Clone
from tests.workflow.planted import found
from workflow.scripts.amos import phantom as amos
from workflow.scripts.stoic import phantom as stoic

KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone.make(tmp_path_factory.mktemp("fetching"))


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with served(tmp_path / "web") as one:
        yield one


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving() as issuer, running(tmp_path_factory.mktemp("store"), issuer) as server:
        yield server


def settings(clone: Clone, **values: Any) -> list[str]:
    path = clone.root / "remote.yaml"
    path.write_text(yaml.safe_dump(values))
    return ["--configfile", str(path), "--"]


def manifest(clone: Clone, challenge: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((clone.root / "scratch" / challenge / "raw" / "manifest.json").read_text())
    return content


def test_an_archive_is_fetched_once_after_its_licence_is_accepted(clone: Clone, web: Web, tmp_path: Path) -> None:
    release = amos.generate(amos.Demo(cases=6), tmp_path / "made", 0)
    shutil.copytree(release, tmp_path / "zipped" / "amos22")
    shutil.make_archive(str(web.folder / "release"), "zip", tmp_path / "zipped")
    http = {"urls": [f"{web.url}/release.zip"], "sha256": "", "about": 0}
    row = {"sources": {"data": {"amos": {"http": http}}}, "challenges": {"amos": {"source": "remote"}}}
    refused = clone.snakemake(*settings(clone, **row), "amos_fetch", check=False)
    assert refused.returncode == 1
    assert "error: add 'AMOS22' to the key accept if you agree to the licence of AMOS22" in refused.stdout
    assert web.asked == []
    words = settings(clone, accept=["AMOS22"], **row)
    clone.snakemake(*words, "amos_fetch")
    assert "/release.zip" in web.asked
    content = manifest(clone, "amos")
    assert content["source"] == "remote"
    assert [case["id"] for case in content["cases"]] == sorted(case["id"] for case in content["cases"])
    root = Path(content["root"])
    assert {path.relative_to(root): path.read_bytes() for path in root.rglob("*.gz")} == {
        path.relative_to(release): path.read_bytes() for path in release.rglob("*.gz")
    }
    web.asked.clear()
    clone.snakemake(*words[:-1], "--forcerun", "amos_fetch", "--", "amos_fetch")
    assert web.asked == []


def test_a_part_of_a_bucket_is_fetched_by_keys_that_nobody_sees(clone: Clone, store: Server, tmp_path: Path) -> None:
    root = stoic.generate(stoic.Demo(cases=12, size=(20, 24, 24)), tmp_path / "made", 0)
    for path in [one for one in root.rglob("*") if one.is_file()]:
        store.s3.put_object(Bucket=BUCKET, Key=f"stoic/{path.relative_to(root)}", Body=path.read_bytes())
    s3 = {"bucket": BUCKET, "endpoint": store.url, "prefix": "stoic/", "anonymous": False}
    words = settings(
        clone,
        accept=["CC-BY-NC-4.0"],
        sources={"data": {"stoic": {"s3": s3}}},
        challenges={"stoic": {"source": "remote", "remote": {"cases": 8}}},
    )
    said = clone.snakemake(*words, "stoic_inspect", environ=KEYS).stdout
    content = manifest(clone, "stoic")
    assert (content["source"], len(content["cases"])) == ("remote", 8)
    classes = {(case["covid"], case["severe"]) for case in content["cases"]}
    assert classes == {(0, 0), (1, 0), (1, 1)}
    for case in content["cases"]:
        assert Path(content["root"], case["file"]).read_bytes() == (root / case["file"]).read_bytes()
    fingerprint = json.loads((clone.root / "scratch/stoic/raw/fingerprint.json").read_text())
    assert fingerprint["read"] == {"noun": "images", "of": 8, "read": 8, "whole": True}
    assert SECRET not in said
    assert found(clone.root / "scratch", [SECRET]) + found(clone.root / "logs", [SECRET]) == []
    assert found(clone.root / ".snakemake", [SECRET]) == []
