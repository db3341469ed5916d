"""The report: its headline, its refusals, and that it stands alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.report import inputs
from tests.report.pages import Element, parsed
from workflow.scripts.report import main


def page(words: list[str], folder: Path) -> Element:
    assert main(words) == 0
    return parsed((folder / "report.html").read_text(encoding="utf-8"))


def banner(document: Element) -> str:
    return document.one("div", "banner").text


def without(words: list[str], flag: str) -> list[str]:
    first = words.index(flag)
    rest = [turn for turn in range(first + 1, len(words)) if words[turn].startswith("--")]
    return words[:first] + words[rest[0] :]


def test_ready(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = page(inputs.written(tmp_path), tmp_path)
    assert document.one("p", "headline").text == "Ready to submit"
    assert "4 warnings to read before you send it." in banner(document)
    assert document.one("h1").text == "STOIC2021: COVID-19 severity from chest CT"
    assert document.one("title").text == "STOIC2021: COVID-19 severity from chest CT: ready to submit"
    names = [section.attributes["id"] for section in document.all("section")]
    assert names == ["image-train", "image-predict", "archives", "model", "curves"]
    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}: ready to submit\n"


def test_an_archive_that_was_loaded_back(tmp_path: Path) -> None:
    """The same image a second time, under a name of its own; it is saved once."""
    words = inputs.written(tmp_path)
    turn = words.index("--manifest")
    words[turn:turn] = [f"predict, loaded from its archive={tmp_path / 'predict.json'}"]
    document = page(words, tmp_path)
    assert document.one("p", "headline").text == "Ready to submit"
    assert "Image predict, loaded from its archive PASS" in [heading.text for heading in document.all("h2")]


def test_the_page_stands_alone(tmp_path: Path) -> None:
    document = page(inputs.written(tmp_path), tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img", text)
    assert not [e for e in document.all() if {"href", "src", "xlink:href", "onclick"} & e.attributes.keys()]
    assert document.one("meta", name="viewport").attributes["content"] == "width=device-width, initial-scale=1"
    assert (
        document.one("meta", **{"http-equiv": "Content-Security-Policy"})
        .attributes["content"]
        .startswith("default-src 'none'")
    )


def test_the_page_follows_the_reader(tmp_path: Path) -> None:
    style = page(inputs.written(tmp_path), tmp_path).one("style").text
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
    assert "@media (max-width" in style


def test_equal_inputs_give_equal_pages(tmp_path: Path) -> None:
    words = inputs.written(tmp_path)
    pages = []
    for _ in range(2):
        assert main(words) == 0
        pages.append((tmp_path / "report.html").read_bytes())
    assert pages[0] == pages[1]


def test_a_failed_image_comes_first(tmp_path: Path) -> None:
    words = inputs.written(tmp_path)
    failed = inputs.verdict("predict", status="FAIL", reason="It ran out of memory.")
    inputs.write(tmp_path, "predict.json", failed)
    (tmp_path / "STOICTrain.tar.gz").unlink()
    document = page(words, tmp_path)
    assert [p.text for p in document.one("div", "banner").all("p")] == [
        "Not ready",
        "predict: It ran out of memory.",
        "STOICTrain.tar.gz does not lie there as it was saved; save train again.",
    ]
    assert document.one("div", "banner").attributes["class"] == "banner fail"
    assert document.one("title").text.endswith("not ready")


def test_an_image_that_is_not_saved(tmp_path: Path) -> None:
    document = page(without(inputs.written(tmp_path), "--manifest"), tmp_path)
    assert [p.text for p in document.one("div", "banner").all("p")] == [
        "Not ready",
        "train is not saved yet.",
        "predict is not saved yet.",
    ]
    assert not document.all("section", id="archives")


def test_an_archive_of_another_image(tmp_path: Path) -> None:
    words = inputs.written(tmp_path)
    inputs.write(tmp_path, "train.manifest.json", inputs.manifest(image_id="sha256:" + "0" * 64))
    assert "STOICTrain.tar.gz holds another image than the train that was tested" in banner(page(words, tmp_path))


def test_an_archive_of_another_size(tmp_path: Path) -> None:
    words = inputs.written(tmp_path)
    (tmp_path / "STOICTrain.tar.gz").write_bytes(b"cut")
    assert "STOICTrain.tar.gz does not lie there as it was saved" in banner(page(words, tmp_path))


@pytest.mark.parametrize(("flag", "section"), [("--card", "model"), ("--metrics", "curves")])
def test_what_is_not_given_is_left_out(tmp_path: Path, flag: str, section: str) -> None:
    document = page(without(inputs.written(tmp_path), flag), tmp_path)
    assert document.one("p", "headline").text == "Ready to submit"
    assert not document.all("section", id=section)


def test_a_flag_may_be_given_with_nothing(tmp_path: Path) -> None:
    """As the rule does where a challenge has no metrics."""
    document = page([*without(inputs.written(tmp_path), "--metrics"), "--metrics"], tmp_path)
    assert not document.all("section", id="curves")


def test_an_image_may_be_named(tmp_path: Path) -> None:
    words = without(inputs.written(tmp_path), "--verdict")
    words += ["--verdict", f"train={tmp_path / 'train.json'}", "--verdict", f"predict={tmp_path / 'predict.json'}"]
    assert [h2.text for h2 in page(words, tmp_path).all("h2")][:2] == ["Image train PASS", "Image predict PASS"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("train.json", "{broken", "train.json is not readable as JSON"),
        ("train.json", json.dumps({"schema": 1}), "train.json is not a verdict as Slipway writes it (no 'image')"),
        ("train.json", "[1]", "train.json is not a verdict as Slipway writes it"),
        ("train.manifest.json", "{}", "train.manifest.json is not the manifest of an archive as Slipway writes it"),
        ("card.json", '{"metrics": [1]}', "card.json is not a model card as Slipway writes it"),
        ("metrics.csv", "fold,val_loss\n0,1\n", "metrics.csv has no column 'epoch'"),
        (
            "metrics.csv",
            "epoch,val_loss\n0,1\n1,high\n",
            "metrics.csv has 'high' as val_loss in line 3, where a number",
        ),
    ],
)
def test_a_broken_file_gives_one_sentence(
    tmp_path: Path, name: str, content: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = inputs.written(tmp_path)
    inputs.write(tmp_path, name, content)
    assert main(words) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "report.html").exists()


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = inputs.written(tmp_path)
    (tmp_path / "card.json").unlink()
    assert main(words) == 1
    assert "card.json is not there; run the rule that makes it" in capsys.readouterr().err


def test_a_name_without_an_image(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--challenge", "x", "--title", "x", "--verdict", "=verdict.json", "--output", "x.html"]) == 1
    assert "--verdict =verdict.json has no image before the '='" in capsys.readouterr().err


def test_nothing_is_markup_but_ours(tmp_path: Path) -> None:
    words = inputs.written(tmp_path)
    evil = "</td><script>alert('x')</script>\"&amp;\x1b[31m\ud800"
    checks = [inputs.check(evil, "WARN", evil, evil, evil, evil)]
    run = inputs.run(evil, command=f"docker run {evil}", checks=checks, log=evil, status="FAIL", reason=evil)
    made = inputs.verdict(evil, reason=evil, tag=evil, runs=[run], engine={"name": evil, "version": evil})
    inputs.write(tmp_path, "train.json", made)
    inputs.write(tmp_path, "card.json", inputs.card(notes=[evil], revision=evil))
    words[words.index("--title") + 1] = evil
    document = page(words, tmp_path)
    assert not document.all("script")
    shown = "</td><script>alert('x')</script>\"&amp;\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}"
    assert document.one("h1").text == shown
    assert document.all("pre")[0].text == f"docker run {shown}"
    assert document.all("table", "checks")[0].one("th", scope="row").text == shown * 2
