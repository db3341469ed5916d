"""What Kaggle's program complains of, and the credentials that nobody may see."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.salt_core.conftest import KEY, USER, Kaggle
from workflow.scripts.slipway import kaggle as program

AGAIN = "run the same command again, which leaves out what was sent"
SLUG = "tgs-salt-identification-challenge"
RULES = (
    f"Kaggle takes no file of this user for {SLUG}; accept the rules on the competition's rules page on Kaggle, if it "
    f"still takes entries, and {AGAIN}"
)
KEYS = f"Kaggle does not know these credentials; make a new key in the settings of the account on Kaggle, and {AGAIN}"
LIMIT = "Kaggle takes no more files today (it says: {0}); tomorrow (UTC) " + AGAIN
AWAY = "Kaggle cannot be reached (the program says: {0}); see that this machine has a network, and " + AGAIN


@pytest.mark.parametrize(
    ("says", "status", "said"),
    [
        ("403 - You cannot submit until you accept the competition rules", 1, RULES),
        ("403 - Forbidden", 1, RULES),
        ("403 Client Error: Forbidden for url: it", 1, RULES),
        ("401 - Unauthorized", 1, KEYS),
        ("401 Client Error: Unauthorized for url: it", 1, KEYS),
        ("429 - Too Many Requests", 1, LIMIT),
        ("400 - Bad Request - Your team has used its daily Submission allowance (5) today", 1, LIMIT),
        ("HTTPSConnectionPool: Max retries exceeded with url", 1, AWAY),
        ("Failed to resolve 'it' ([Errno -3] Temporary failure in name resolution)", 1, AWAY),
        ("Could not submit to competition", 0, AWAY),
        (
            "Could not find competition - please verify that you entered the correct competition ID",
            0,
            f"Kaggle knows no competition {SLUG} that takes files; see that --competition is right",
        ),
        (
            "500 - Internal Server Error",
            1,
            f"kaggle ended with 1 and said: 500 - Internal Server Error; put that right and {AGAIN}",
        ),
        ("", 3, f"kaggle ended with 3 and said: nothing; put that right and {AGAIN}"),
    ],
)
def test_each_refusal_is_one_sentence_that_ends_the_run_and_counts_for_nothing(
    kaggle: Kaggle, says: str, status: int, said: str
) -> None:
    kaggle.says(says, status)
    files = kaggle.files(2)
    code, _, err = kaggle.run(*files, "--really")
    assert (code, err) == (1, f"error: {said.format(says)}\n")
    assert kaggle.sent() == ["s1.csv.gz"]
    assert [(entry["state"], entry["said"]) for entry in kaggle.entries()] == [("refused", said.format(says))]
    kaggle.says("Successfully submitted to it", 0)
    assert kaggle.run(*files, "--really")[0] == 0
    assert kaggle.sent() == ["s1.csv.gz", "s1.csv.gz", "s2.csv.gz"]


def test_what_was_sent_before_a_refusal_stays_sent(kaggle: Kaggle) -> None:
    good = {"says": "Successfully submitted to it", "status": 0}
    kaggle.answer({"otherwise": good, "s2.csv.gz": {"says": "401 - Unauthorized", "status": 1}})
    files = kaggle.files(3)
    assert kaggle.run(*files, "--really")[0] == 1
    kaggle.answer({"otherwise": good})
    assert kaggle.run(*files, "--really")[0] == 0
    assert kaggle.sent() == ["s1.csv.gz", "s2.csv.gz", "s2.csv.gz", "s3.csv.gz"]


def test_success_that_is_not_said_is_unclear_and_not_sent_again(kaggle: Kaggle) -> None:
    kaggle.says("well", 0)
    [file] = kaggle.files(1)
    look = "look at the list of submissions on Kaggle before s1.csv.gz is sent again"
    error = f"error: kaggle did not say that the file was submitted, but: well; {look}\n"
    assert kaggle.run(file, "--really")[::2] == (1, error)
    status, _, err = kaggle.run(file, "--really")
    assert (status, kaggle.sent()) == (0, ["s1.csv.gz"])
    assert err == (
        f"{file} is left out: whether it was sent on 2026-11-21 is unclear; see Kaggle's list, and delete its entry to "
        "send it\n"
    )


def test_an_end_by_force_leaves_an_entry(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(program, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            kaggle.run(*kaggle.files(1), "--really")
    assert [entry["state"] for entry in kaggle.entries()] == ["unclear"]
    assert sorted(kaggle.record.parent.iterdir()) == [kaggle.record]
    kaggle.run(*kaggle.files(1), "--really")
    assert kaggle.calls() == []


def test_a_program_that_hangs_is_unclear(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "SECONDS", 0.0)
    status, _, err = kaggle.run(*kaggle.files(1), "--really")
    assert status == 1
    assert err.startswith("error: kaggle did not end in 0 minutes; look at the list of submissions on Kaggle before")
    assert [entry["state"] for entry in kaggle.entries()] == ["unclear"]


@pytest.mark.parametrize("status", [0, 1])
@pytest.mark.parametrize("success", ["Successfully submitted", "it failed", "401 - Unauthorized", "timed out"])
def test_a_planted_secret_is_neither_printed_nor_recorded(kaggle: Kaggle, status: int, success: str) -> None:
    """`Kaggle.run` looks for the key and the name; the other forms are looked for here."""
    forms = [base64.b64encode(f"{USER}:{KEY}".encode()).decode(), quote(KEY, safe=""), quote(KEY)]
    leak = f"user {USER} key={KEY} Basic {forms[0]} u={forms[1]} {forms[2]} {{'key': '{KEY}'}} {USER}:{KEY}"
    kaggle.says(f"{success} {leak}", status)
    code, out, err = kaggle.run(*kaggle.files(1), "--really")
    assert code == (0 if success.startswith("Succ") and status == 0 else 1)
    told = out + err + kaggle.record.read_text()
    assert [form for form in forms if form in told] == []
    assert [part for part in (KEY[:10], KEY[-5:]) if part in told] == []
    assert len(kaggle.calls()) == 1


def test_a_key_across_the_cut_of_long_words_is_hidden_whole(kaggle: Kaggle) -> None:
    for length in range(270, 310):
        kaggle.record.unlink(missing_ok=True)
        kaggle.says(f"{KEY}{'x' * length}", 1)
        _, _, err = kaggle.run(*kaggle.files(1), "--really")
        assert "key89" not in err


def test_a_name_that_is_part_of_a_word_leaves_the_word(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", "salt")
    kaggle.says("Successfully submitted to Basalt of salt", 0)
    assert kaggle.run(*kaggle.files(1), "--really")[1].splitlines()[-1] == "Successfully submitted to Basalt of ***"


def test_a_key_in_the_message_is_refused(kaggle: Kaggle) -> None:
    flag = "--message (challenges.salt.submit.message)"
    for really in ((), ("--really",)):
        status, out, err = kaggle.run(*kaggle.files(1), *really, message=f"mine is {KEY}")
        assert (status, out) == (1, "")
        assert err == f"error: {flag} holds a credential of Kaggle's, which others would see; leave that out\n"
    assert kaggle.calls() == []


def test_no_program(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(kaggle.folder))
    status, _, err = kaggle.run(*kaggle.files(1), "--really")
    assert status == 1
    assert err == "error: kaggle is not on PATH; run ./slipway setup, which installs it, and then this again\n"
    assert not kaggle.record.exists()


def test_no_credentials(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_KEY")
    put = "set KAGGLE_USERNAME and KAGGLE_KEY, or put kaggle.json from the account's settings there"
    where = "no kaggle.json in KAGGLE_CONFIG_DIR or ~/.kaggle"
    status, _, err = kaggle.run(*kaggle.files(1), "--really")
    assert (status, err) == (1, f"error: Kaggle's key cannot be found ({where}); {put}\n")
    monkeypatch.delenv("KAGGLE_USERNAME")
    status, _, err = kaggle.run(*kaggle.files(1), "--really")
    assert (status, err) == (1, f"error: Kaggle's username and key cannot be found ({where}); {put}\n")
    assert kaggle.calls() == []


@pytest.mark.parametrize("where", ["home/.kaggle", "home/.config/kaggle", "told"])
def test_credentials_from_a_file(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.delenv("KAGGLE_USERNAME")
    folder = kaggle.folder / where
    folder.mkdir(parents=True)
    (folder / "kaggle.json").write_text(json.dumps({"username": USER, "key": KEY}))
    if where == "told":
        assert kaggle.run(*kaggle.files(1), "--really")[0] == 1
        monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(folder))
    kaggle.says(f"Successfully submitted by {USER} with {KEY}", 0)
    status, out, _ = kaggle.run(*kaggle.files(1), "--really")
    assert (status, out.splitlines()[-1]) == (0, "Successfully submitted by *** with ***")


@pytest.mark.parametrize("content", [f"{KEY}", f'["{KEY}"]', f'{{"username": "{USER}", "key": "{KEY}"'])
def test_nothing_of_a_broken_file_is_told(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(kaggle.folder))
    file = kaggle.folder / "kaggle.json"
    file.write_text(content)
    status, _, err = kaggle.run(*kaggle.files(1), "--really")
    said = f"{file} is no JSON with a username and a key; fetch it anew from the account's settings"
    assert (status, err) == (1, f"error: {said}\n")


def test_a_key_that_begins_another_leaves_nothing_of_it(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    longer = [KEY + "tail" * count for count in range(1, 9)]
    for count, word in enumerate(longer):
        folder = kaggle.folder / str(count)
        folder.mkdir()
        (folder / "kaggle.json").write_text(json.dumps({"username": USER, "key": word}))
        monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(folder))
        kaggle.says(f"it failed with [{word}]", 1)
        assert "said: it failed with [***]; put that right" in kaggle.run(*kaggle.files(1), "--really")[2]


def test_a_line_end_behind_the_key_hides_it_no_less(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KEY", f"{KEY}\n")
    kaggle.says(f"it failed with [{KEY}]", 1)
    assert "said: it failed with [***]; put that right" in kaggle.run(*kaggle.files(1), "--really")[2]


def test_a_token_of_the_new_kind_is_taken_and_hidden(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_planted")
    kaggle.says("Successfully submitted with KGAT_planted", 0)
    assert kaggle.run(*kaggle.files(1), "--really")[1].splitlines()[-1] == "Successfully submitted with ***"
    assert "KGAT" not in Path(kaggle.record).read_text()
