"""What Kaggle's program complains of when it should download, and what nobody may see of its words."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.remote_kaggle.conftest import COMPETITION, KEY, PAGE, USER, Kaggle

AGAIN = "run it again, and it goes on from there"
RULES = (
    f"Kaggle gives nothing of {COMPETITION} before its rules are accepted; open {PAGE}, accept them there, and run it "
    "again"
)
UNKNOWN = (
    "Kaggle does not know these credentials; make a new key in the settings of the account on Kaggle, and run it again"
)
NONE = f"Kaggle knows no competition {COMPETITION}; correct kaggle.competition of its row in the table of sources"
AWAY = "Kaggle cannot be reached (the program says: {0}); see that this machine has a network, and " + AGAIN


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ("You must accept this competition's rules before you'll be able to download files.", RULES),
        ("403 Client Error: Forbidden for url: https://it.example/x", RULES),
        ("403 - Forbidden - Permission 'competitions.participate' was denied", RULES),
        ("401 Client Error: Unauthorized for url: https://it.example/x", UNKNOWN),
        ("Authentication required to call the Kaggle API.\n\nFirst, you will need a Kaggle account.", UNKNOWN),
        ("404 Client Error: Not Found for url: https://it.example/x", NONE),
        ("404 - Not Found", NONE),
        ("429 Client Error: Too Many Requests", f"Kaggle was asked too often (it says: {{0}}); in an hour {AGAIN}"),
        ("HTTPSConnectionPool: Max retries exceeded with url: /x", AWAY),
        (
            "[Errno 28] No space left on device",
            f"{{folder}} has no room for what Kaggle gives; make room there, and {AGAIN}",
        ),
        ("500 Server Error", f"kaggle ended with 1 and said: {{0}}; put that right, and {AGAIN}"),
        ("", f"kaggle ended with 1 and said: nothing; put that right, and {AGAIN}"),
    ],
)
def test_each_complaint_is_one_sentence(kaggle: Kaggle, says: str, said: str) -> None:
    kaggle.answer(1, says=[f"{says}\n"])
    assert kaggle.error() == f"error: {said.format(says, folder=kaggle.place.parent)}"
    assert not kaggle.place.exists()


def test_secrets_are_hidden_also_where_they_come_in_pieces(kaggle: Kaggle) -> None:
    forms = [base64.b64encode(f"{USER}:{KEY}".encode()).decode(), quote(KEY, safe=""), quote(KEY)]
    leak = f"user {USER} key={KEY} Basic {forms[0]} u={forms[1]} {forms[2]} {USER}:{KEY}\n"
    for cut in range(len(leak)):
        kaggle.answer(1, says=["before\n", leak[:cut], leak[cut:], "after\n"])
        if cut % 8 == 0:
            status, err = kaggle.run()
            assert (status, [form for form in forms if form in err]) == (1, [])
            assert err.splitlines()[-4:-1] == ["before", "user *** key=*** Basic *** u=*** *** ***:***", "after"]


def test_what_lets_anybody_fetch_the_file_is_hidden(kaggle: Kaggle) -> None:
    url = "https://storage.example/competition.zip?X-Signature=planted&X-Expires=1"
    kaggle.answer(
        1, says=[f"500 Server Error: for url: {url}\n", "with url: /it.zip?X-Signature=planted (Caused by x)\n"]
    )
    err = kaggle.run()[1]
    assert "planted" not in err
    assert "for url: https://storage.example/competition.zip?***" in err
    assert "with url: /it.zip?*** (Caused by x)" in err


def test_without_the_program_it_is_said_how_to_get_it(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(kaggle.folder))
    said = "error: kaggle is not on PATH; run ./slipway setup, which installs it, and then this again"
    assert kaggle.error() == said


def test_without_credentials_nothing_is_run(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_KEY")
    assert kaggle.error().startswith("error: Kaggle's key cannot be found (no kaggle.json in KAGGLE_CONFIG_DIR or ")
    assert kaggle.calls() == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("home/.kaggle/access_token", f"{KEY}\n"),
        ("home/.kaggle/access_token.txt", KEY),
        ("home/.kaggle/credentials.json", json.dumps({"refresh_token": KEY, "access_token": "x", "username": USER})),
        ("home/.kaggle/kaggle.json", json.dumps({"key": KEY, "username": USER})),
        ("told", f"{KEY}\n"),
    ],
)
def test_every_kind_of_credentials_is_taken_and_hidden(
    kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, file: str, content: str
) -> None:
    monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.delenv("KAGGLE_USERNAME")
    path: Path = kaggle.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    if file == "told":
        monkeypatch.setenv("KAGGLE_API_TOKEN", str(path))
    kaggle.answer(1, says=[f"it failed with [{KEY}]\n"])
    assert "said: it failed with [***]; put that right" in kaggle.error()
    assert len(kaggle.calls()) == 1
