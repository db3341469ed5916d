"""Sending submissions: what is shown, what is sent, and what never is again."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from containers.salt import submission
from tests.processes import ROOT
from tests.salt_core import slow
from tests.salt_core.conftest import KEY, USER, Kaggle
from workflow.scripts.salt import submit

SLUG = "tgs-salt-identification-challenge"
HOW = "set challenges.salt.submit.really (--really) to send"
KEYS = "set challenges.salt.source to the folder with what Kaggle gives"


def test_without_really_the_very_commands_are_shown_and_nothing_happens(
    kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = kaggle.files(2)
    with monkeypatch.context() as bare:  # neither the program nor credentials are needed
        bare.setenv("PATH", "")
        bare.delenv("KAGGLE_USERNAME")
        bare.delenv("KAGGLE_KEY")
        status, out, err = kaggle.run(*files, message="it's a try")
    assert (status, err) == (0, f"nothing was packed or sent; {HOW}\n")
    assert not kaggle.record.parent.exists()
    commands = [shlex.split(line) for line in out.splitlines()]
    assert [command[:5] for command in commands] == [["kaggle", "competitions", "submit", "-c", SLUG]] * 2
    assert [command[7:] for command in commands] == [["-m", "it's a try"]] * 2
    assert kaggle.run(*files, "--really", message="it's a try")[0] == 0
    assert [["kaggle", *call["words"]] for call in kaggle.calls()] == commands


def test_files_are_sent_packed_in_the_given_order_and_recorded(kaggle: Kaggle) -> None:
    one, two = kaggle.files(2)
    status, out, _ = kaggle.run(two, one, "--really", "--competition", "another")
    assert status == 0
    assert kaggle.sent() == ["s2.csv.gz", "s1.csv.gz"]
    assert [call["text"] for call in kaggle.calls()] == [two.read_text(), one.read_text()]
    assert out.splitlines()[1::2] == ["Successfully submitted to TGS Salt Identification Challenge"] * 2
    assert kaggle.entries()[0] == {
        "competition": "another",
        "date": "2026-11-21",
        "file": str(two),
        "message": "a try",
        "said": "Successfully submitted to TGS Salt Identification Challenge",
        "sha256": hashlib.sha256(two.read_bytes()).hexdigest(),
        "state": "sent",
        "time": "2026-11-21T23:59:59+00:00",
    }
    assert sorted(kaggle.record.parent.iterdir()) == [kaggle.record]


def test_packing_gives_the_same_bytes_each_time(kaggle: Kaggle) -> None:
    [file] = kaggle.files(1)
    kaggle.run(file, "--really")
    kaggle.record.unlink()
    file.touch()
    kaggle.run(file, "--really")
    first, second = kaggle.calls()
    assert first["sha256"] == second["sha256"]
    assert first["flags_and_time"] == "00" * 5


def test_five_a_day_over_several_runs_and_the_rest_tomorrow(kaggle: Kaggle) -> None:
    files = kaggle.files(7)
    assert kaggle.run(*files[:3], "--really")[0] == 0
    status, _, err = kaggle.run(*files, "--really")
    assert status == 0
    assert kaggle.sent() == [f"s{number}.csv.gz" for number in range(1, 6)]
    assert err.splitlines() == [
        *(f"{file} is left out: it was sent on 2026-11-21" for file in files[:3]),
        f"left for tomorrow, as 5 files a day are the limit: {files[5]}, {files[6]}",
    ]
    for really in ((), ("--really",)):
        status, out, err = kaggle.run(*files[5:], *really)
        assert (status, out) == (1, "")
        assert err == (
            f"error: 5 files were sent to {SLUG} today (UTC) by {kaggle.record}, which is the limit; run the same "
            "command again tomorrow\n"
        )
    kaggle.day(22)
    assert kaggle.run(*files, "--really")[0] == 0
    assert kaggle.sent()[5:] == ["s6.csv.gz", "s7.csv.gz"]
    assert len(kaggle.entries()) == 7


def test_another_competition_has_its_own_limit_and_files(kaggle: Kaggle) -> None:
    files = kaggle.files(5)
    kaggle.run(*files, "--really")
    assert kaggle.run(*files, "--really", "--competition", "another")[0] == 0
    assert len(kaggle.calls()) == 10


def test_the_same_file_is_sent_once_whatever_its_name(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    [file] = kaggle.files(1)
    copy = kaggle.folder / "copy.csv"
    copy.write_bytes(file.read_bytes())
    status, _, err = kaggle.run(file, copy, "--really")
    assert (status, err) == (0, f"{copy} is left out: it is the same as {file}\n")
    monkeypatch.setenv("PATH", "")  # where there is nothing to send, nothing is asked for
    status, out, err = kaggle.run(copy, "--really")
    assert (status, out, err) == (0, "", f"{copy} is left out: it was sent on 2026-11-21\n")
    assert kaggle.sent() == ["s1.csv.gz"]


def test_no_file_is_sent_where_one_is_wrong(kaggle: Kaggle) -> None:
    [good] = kaggle.files(1)
    bad = slow.table(kaggle.folder / "bad.csv", {"0123456789": "0 1", "abcdef0123": ""})
    short = slow.table(kaggle.folder / "short.csv", {"0123456789": ""})
    odd = slow.table(kaggle.folder / "odd.csv", {"0123456789": "", "abcdef0123": "", "image2": ""})
    for file, said in (
        (bad, "is no valid submission: line 2 of bad.csv (0123456789) has a wrong mask, which starts a run at 0; the "
         "first pixel is 1"),
        (short, "is no valid submission: short.csv lacks 1 of 2 images (abcdef0123); write a line for each; short.csv "
         "has 1 lines below its header, not 2"),
        (odd, "is no valid submission: line 4 of odd.csv (image2) names none of the images; take the line out; odd.csv "
         "has 3 lines below its header, not 2"),
    ):  # fmt: skip
        assert kaggle.run(good, file, "--really") == (1, "", f"error: {file} {said}\n")
    assert kaggle.calls() == []
    assert not kaggle.record.exists()


def test_demo_data_are_checked_and_shown_but_never_sent(kaggle: Kaggle) -> None:
    [file] = kaggle.files(1)
    kaggle.data("demo", ["0123456789", "abcdef0123"])
    status, out, err = kaggle.run(file)
    assert (status, err) == (0, f"nothing was packed or sent; demo data are no submission: {KEYS}\n")
    assert shlex.split(out)[:3] == ["kaggle", "competitions", "submit"]
    said = f"error: demo data are no submission, and so nothing is sent; {KEYS}\n"
    assert kaggle.run(file, "--really") == (1, "", said)
    assert kaggle.calls() == []
    kaggle.data("demo", ["0123456789", "fedcba9876"])
    status, _, err = kaggle.run(file)
    assert status == 1
    assert "s1.csv lacks 1 of 2 images (fedcba9876); write a line for each" in err


def test_all_images_of_the_test_are_sent_or_none(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "TEST_IMAGES", 18_000)
    [file] = kaggle.files(1)
    said = f"error: {kaggle.manifest} has 2 images of the test, not the 18,000 that Kaggle wants; {KEYS}\n"
    assert kaggle.run(file, "--really") == (1, "", said)
    assert kaggle.run(file)[0] == 0
    assert kaggle.calls() == []


@pytest.mark.parametrize("content", ["[]", "{}", '{"source": "folder"}', '{"source": "folder", "test": [{}]}'])
def test_a_manifest_that_is_none(kaggle: Kaggle, content: str) -> None:
    kaggle.manifest.write_text(content)
    said = f"--manifest {kaggle.manifest} is no manifest of salt's images; run the rule salt_fetch again"
    assert kaggle.run(*kaggle.files(1)) == (1, "", f"error: {said}\n")


@pytest.mark.parametrize("really", [[], ["--really"]])
def test_a_planted_credential_is_in_nothing_that_a_run_of_the_rule_leaves(kaggle: Kaggle, really: list[str]) -> None:
    """As the rule runs it: a process of its own, whose words go to the terminal and to a log."""
    kaggle.says(f"401 - Unauthorized: {USER}, {KEY}, {quote(KEY, safe='')}")
    results = kaggle.record.parent
    results.mkdir()
    ids = [f"{number:010x}" for number in range(18_000)]
    kaggle.data("folder", ids)
    file = slow.table(results / "both.csv", dict.fromkeys(ids, "1 1"))
    words = ["--manifest", kaggle.manifest, "--submission", file, "--message=it", "--record", kaggle.record, *really]
    command = shlex.join(map(str, [sys.executable, "-m", "workflow.scripts.salt.submit", *words]))
    shell = ["bash", "-o", "pipefail", "-c", f"{command} 2>&1 | tee {results / 'submit.log'}"]
    done = subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, len(kaggle.calls())) == ((1, 1) if really else (0, 0))
    assert done.stdout == (results / "submit.log").read_text()
    assert ("Kaggle does not know these credentials" in done.stdout) == bool(really)
    left = "".join(path.read_text() for path in results.rglob("*") if path.is_file()) + done.stdout + done.stderr
    assert [secret for secret in (KEY, USER, quote(KEY, safe=""), KEY[:10], KEY[-5:]) if secret in left] == []


@pytest.mark.parametrize("message", ["", "  ", "-m", "two\nlines"])
def test_messages_that_the_program_would_take_for_something_else(kaggle: Kaggle, message: str) -> None:
    flag = "--message (challenges.salt.submit.message)"
    said = f"{flag} must be one line that does not begin with '-'; say in it what was sent"
    assert kaggle.run(*kaggle.files(1), "--really", message=message) == (1, "", f"error: {said}\n")
    assert kaggle.calls() == []


def test_a_record_that_is_none_stops_all(kaggle: Kaggle) -> None:
    kaggle.record.parent.mkdir()
    for text in ("[]", '{"submissions": [{"file": "x"}]}', '{"submissions": [3]}', "{}"):
        kaggle.record.write_text(text)
        status, _, err = kaggle.run(*kaggle.files(1), "--really")
        assert status == 1
        assert err.startswith(f"error: --record {kaggle.record} is no record of submissions; name the right file")
    kaggle.record.write_text("{")
    assert "is not readable as JSON" in kaggle.run(*kaggle.files(1), "--really")[2]
    assert kaggle.calls() == []


def test_a_file_that_changes_under_way_is_not_sent(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    [file] = kaggle.files(1)
    pack = submit._pack

    def slowly(path: Path, packed: Path) -> None:
        pack(path, packed)
        path.write_text("something else")

    monkeypatch.setattr(submit, "_pack", slowly)
    status, _, err = kaggle.run(file, "--really")
    assert (status, kaggle.calls()) == (1, [])
    assert err == f"error: {file} changed while it was packed; wait until it is written, and run this again\n"
    assert list(kaggle.record.parent.iterdir()) == []
