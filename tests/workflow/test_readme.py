"""The README is true: its graph is Snakemake's, its paths are there, its commands are known."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from tests.workflow.clone import ROOT, Clone
from workflow.scripts import rulegraph

README = (ROOT / "README.md").read_text()


def test_the_rule_graph_is_snakemakes(fresh: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = fresh.snakemake("--rulegraph", "mermaid-js", "export_stoic").stdout
    copy = fresh.root / "README.copy.md"
    copy.write_text(README)
    monkeypatch.setattr("sys.stdin", io.StringIO(printed))
    assert rulegraph.main(["--readme", str(copy)]) == 0
    assert copy.read_text() == README, "run `./slipway docs`"
    assert "    stoic_test_train --> stoic_artifact\n" in README


def test_a_text_that_is_no_graph_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text(README)
    monkeypatch.setattr("sys.stdin", io.StringIO("Building DAG of jobs..."))
    assert rulegraph.main(["--readme", str(tmp_path / "README.md")]) == 1
    assert "standard input is no rule graph" in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text() == README


COMMANDS = [
    line.split("#")[0].split()
    for line in re.findall(r"^(?:# .* as: |# .*: |)(snakemake .*)$", README, flags=re.MULTILINE)
]


def test_it_shows_commands() -> None:
    assert ["snakemake", "export_stoic", "--configfile", "config/full.yaml", "mine.yaml"] in COMMANDS
    assert ["snakemake", "--cores", "16", "export_stoic"] in COMMANDS
    assert ["snakemake", "amos_test"] in COMMANDS


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_that_it_shows_is_understood(fresh: Clone, words: list[str]) -> None:
    mine = README.split("# mine.yaml")[1].split("\n", 1)[1].split("```")[0]
    (fresh.root / "mine.yaml").write_text(mine)
    done = fresh.snakemake(*words[1:], "--dry-run")
    challenge = next((name for name in ("amos", "objectnet", "salt", "agrigaia") if name in " ".join(words)), "stoic")
    assert f"{challenge}_" in done.stdout


def test_the_tree_that_it_shows_is_there() -> None:
    tree = README.split("## The tree")[1].split("```")[1]
    paths = [line.split()[0] for line in tree.strip().splitlines()]
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_its_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []
