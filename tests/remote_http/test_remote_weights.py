"""Weights of the table of sources, by the programs that find weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from containers.kit.errors import UserError
from tests.remote_http.server import Server
from workflow.scripts.objectnet import weights as objectnet
from workflow.scripts.salt import weights as salt
from workflow.scripts.slipway.weights import find

Capture = pytest.CaptureFixture[str]
KEY = "challenges.salt.classifier.weights"
TERMS = {"name": "CC-BY-NC-4.0", "terms": ["no commercial use"]}


def table(server: Server, **more: Any) -> dict[str, Any]:
    http = {"file": "small-abc.pth", "urls": [f"{server.url}/small.pth"], "sha256": server.content.digest()[:8]}
    return {"small": {"title": "small weights", "http": http, **more}}


def test_remote_weights_are_fetched_once(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        found = find("remote:small", KEY, tmp_path, "put them there", table=table(server))
        assert found == tmp_path / "small-abc.pth"
    assert found.read_bytes() == server.content.read()
    assert {one.path for one in server.asked} == {"/small.pth"}
    assert len(server.asked) == 1


def test_errors_name_the_setting_or_the_row(server: Server, tmp_path: Path) -> None:
    def refused(name: str, **more: Any) -> str:
        with pytest.raises(UserError) as error:
            find(name, KEY, tmp_path, "put them there", table=table(server, **more))
        return str(error.value)

    unknown = f"{KEY} names the weights smal, which are not in the table of sources; did you mean 'small'?"
    assert refused("remote:smal") == unknown
    bucket = refused("remote:small", http=None, s3={"bucket": "weights"})
    assert bucket.startswith("sources.weights.small has no http, and weights come from web servers only; ")
    assert refused("remote:small", licence=TERMS).startswith("add 'CC-BY-NC-4.0' to the key accept if you agree")
    assert server.asked == []
    with pytest.raises(UserError, match="which are not in the table of sources; the table has none"):
        find("remote:small", KEY, tmp_path, "put them there")


@pytest.mark.parametrize("program", ["objectnet", "salt"])
def test_the_programs_take_the_table_and_what_is_accepted(
    server: Server, tmp_path: Path, capsys: Capture, program: str
) -> None:
    main, who = (objectnet.main, "--candidate=lite2") if program == "objectnet" else (salt.main, "--kind=classifier")
    words = [who, "--weights=remote:small", f"--cache={tmp_path}", f"--output={tmp_path / 'record.json'}"]
    told = tmp_path / "table.json"
    told.write_text(json.dumps(table(server, licence=TERMS)))
    assert main([*words, f"--table=@{told}"]) == 1
    assert "add 'CC-BY-NC-4.0' to the key accept" in capsys.readouterr().err
    assert main([*words, f"--table=@{told}", "--accept", "CC-BY-NC-4.0"]) == 0
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["file"], record["sha256"]) == (str(tmp_path / "small-abc.pth"), server.content.digest())
