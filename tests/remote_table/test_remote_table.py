"""The shipped table of sources holds what the organisers say, and a user's rows lie over it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from containers.kit.errors import UserError
from workflow.scripts.remote import table
from workflow.scripts.slipway.start import block, start

ROOT = Path(__file__).resolve().parents[2]


def data(**over: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = table.load(ROOT, {"data": over})["data"]
    return loaded


def row(name: str, **over: Any) -> table.Row:
    return table.row(data(**over)[name], f"sources.data.{name}")


def test_every_challenge_has_a_row() -> None:
    assert set(data()) == {"stoic", "amos", "objectnet", "salt", "agrigaia"}


def test_stoics_bucket_asks_for_no_credentials() -> None:
    found = row("stoic")
    assert found.s3 == table.S3("stoic2021-training", "us-west-2", anonymous=True)
    assert found.licence is not None
    assert found.licence.name == "CC-BY-NC-4.0"


def test_objectnets_archive_is_known_to_the_byte() -> None:
    found = row("objectnet")
    assert found.http is not None
    assert found.archive is not None
    assert found.licence is not None
    assert (found.http.size, found.http.md5) == (197_047_590_895, "522aa986a604c41ea641411c1d0a292e")
    assert found.archive.password == "objectnetisatestset"
    assert found.archive.files >= 50_595
    assert "tune the parameters" in found.licence.terms[1]


def test_amos_archive_has_a_whole_checksum_and_its_licences_contradict_each_other() -> None:
    found = row("amos")
    assert found.http is not None
    assert found.licence is not None
    assert found.http.sha256 == "d2fbf2c31abba9824d183f05741ce187b17905b8cca64d1078eabf1ba96775c2"
    assert "contradict" in found.licence.terms[0]


def test_salts_rules_are_accepted_on_kaggles_page() -> None:
    found = row("salt")
    assert found.kaggle is not None
    assert found.licence is None
    assert found.kaggle.page.endswith(f"/{found.kaggle.competition}/rules")


def test_weights_are_checked_by_the_beginning_of_their_checksum_which_their_names_have() -> None:
    weights = table.load(ROOT, {})["weights"]
    for name in weights:
        found = table.weights(weights, name, "key").http
        assert found is not None
        assert found.sha256 == found.file.removesuffix(".pth").rpartition("-")[2]


def test_a_mirror_replaces_the_address_alone() -> None:
    mine, shipped = row("amos", amos={"http": {"urls": ["http://mirror.example.org/a.zip"]}}).http, row("amos").http
    assert mine is not None
    assert shipped is not None
    assert mine.urls == ("http://mirror.example.org/a.zip",)
    assert (mine.sha256, mine.file) == (shipped.sha256, shipped.file)


def test_another_way_replaces_the_shipped_one() -> None:
    found = row("salt", salt={"http": {"file": "salt.zip", "urls": ["http://mirror.example.org/salt.zip"]}})
    assert found.kaggle is None
    assert found.http is not None
    assert found.http.connections == 4
    assert found.archive == row("salt").archive


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"amos": {"http": {"url": "http://a/b"}}}, "sources: data.amos.http.url is not a key; did you mean 'urls'?"),
        ({"amos": {"http": {"urls": []}}}, "sources: data.amos.http.urls must have at least 1 entries, not 0"),
        ({"amos": {"http": {"file": "../a.zip"}}}, "sources: data.amos.http.file must match "),
        ({"amos": {"http": {"urls": ["ftp://a/b.zip"]}}}, "sources: data.amos.http.urls[0] must match "),
        ({"amos": {"http": {"sha256": "XYZ"}}}, "sources: data.amos.http.sha256 must match "),
        ({"new": {"title": "it", "archive": {"files": 1, "bytes": 1}}}, "sources: data.new"),
    ],
)
def test_a_mistake_is_one_sentence(over: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match="^" + re.escape(said)):
        data(**over)


@pytest.mark.parametrize(
    "address",
    [
        "https://me:planted@host.example.org/a.zip",
        "https://host.example.org/a.zip?download=1&access_token=planted",
        "https://host.example.org/a.zip?X-Amz-Signature=planted",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(UserError) as caught:
        data(amos={"http": {"urls": [address]}})
    said = (
        "sources.data.amos.http.urls[0] has a password or token in its address; leave it out, and put it into ~/.netrc"
    )
    assert str(caught.value) == said


def test_another_query_is_no_secret() -> None:
    found = row("amos", amos={"http": {"urls": ["https://host.example.org/a.zip?download=1"]}}).http
    assert found is not None
    assert found.urls == ("https://host.example.org/a.zip?download=1",)


def test_unknown_weights_are_told_with_the_key_that_names_them() -> None:
    weights = table.load(ROOT, {})["weights"]
    with pytest.raises(UserError, match=r"^challenges\.x names the weights resnet81, .*; did you mean 'resnet18'"):
        table.weights(weights, "resnet81", "challenges.x")


def test_a_challenge_gets_its_row_and_the_licences_that_are_agreed_to() -> None:
    mirror = {"data": {"stoic": {"s3": {"bucket": "mirror"}}}}
    config = start({"challenges": {"stoic": {}}, "sources": mirror, "accept": ["CC-BY-NC-4.0"]}, ROOT)
    given = block(config, "stoic")
    assert given["row"]["s3"]["bucket"] == "mirror"
    assert given["accept"] == ["CC-BY-NC-4.0"]


@pytest.mark.parametrize("below", ["", "/deeper"])
def test_a_file_in_the_place_of_scratch_is_one_sentence(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as caught:
        start({"challenges": {"stoic": {}}, "scratch": f"{tmp_path}/file{below}"}, ROOT)
    said = f"scratch: {tmp_path}/file{below} cannot be a folder, since {tmp_path}/file is a file; name another place"
    assert str(caught.value) == f"error: {said}"
