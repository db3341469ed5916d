"""STOIC's `source: remote` from a real server: all of it, a part, again, and what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from containers.stoic.data import read_reference
from tests.agrigaia_s3.remotes import error, files
from tests.agrigaia_s3.weed import BUCKET, OPEN, SECRET, Server
from tests.remote_s3.stoic import KEY, Stoic, put
from workflow.scripts.stoic.fetch import main

Said = pytest.CaptureFixture[str]


def times(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def test_all_of_an_open_bucket_comes_and_its_manifest_is_a_folders(
    stoic: Stoic, server: Server, data: Path, capsys: Said
) -> None:
    wanted = put(server, "all", data)
    assert stoic.fetch("all") == 0
    told = capsys.readouterr()
    assert f"bucket {OPEN}: 15 of 15 cases, 15 of them fetched (" in told.out
    assert "STOIC: 100%" in told.err
    assert "licence of STOIC: MEADOW-1.0\n  cows first\n" in told.err
    content = stoic.manifest
    assert (content["source"], len(content["cases"]), "subset" in content) == ("remote", 15, False)
    assert files(stoic.root) == wanted
    words = ["--source", str(data), "--scratch", str(stoic.raw), "--manifest", str(stoic.folder / "folder.json")]
    assert main(words) == 0
    assert json.loads((stoic.folder / "folder.json").read_text())["fingerprint"] == content["fingerprint"]
    assert stoic.fetch("all") == 0
    told = capsys.readouterr()
    assert "15 of 15 cases, 0 of them fetched (0.0 MB), 15 already there; 0 removed here\n" in told.out
    assert told.err.count("licence") == 0
    assert stoic.manifest == content


@pytest.mark.usefixtures("owner")
def test_a_bucket_with_keys_and_the_secret_is_nowhere(stoic: Stoic, server: Server, data: Path, capsys: Said) -> None:
    put(server, "keys", data, BUCKET)
    assert stoic.fetch("keys", 6, bucket=BUCKET, anonymous=False) == 0
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err
    made = [path for path in stoic.folder.rglob("*") if path.is_file()]
    assert len(made) > 12
    assert not [path for path in made if SECRET.encode() in path.read_bytes()]


def test_a_part_is_a_data_set_of_its_own_and_a_larger_one_fetches_what_is_missing(
    stoic: Stoic, server: Server, data: Path, capsys: Said
) -> None:
    wanted = put(server, "part", data)
    assert stoic.fetch("part/", 6) == 0
    six, content = stoic.root, stoic.manifest
    assert (six.name, content["subset"]) == ("subset-6", 6)
    assert (
        sorted((case["covid"], case["severe"]) for case in content["cases"])
        == [(0, 0)] * 2 + [(1, 0)] * 2 + [(1, 1)] * 2
    )
    assert [row.id for row in read_reference(six / "metadata/reference.csv")] == [
        case["id"] for case in content["cases"]
    ]
    images = [f"data/mha/{case['id']}.mha" for case in content["cases"]]
    assert {name: body for name, body in files(six).items() if name != "metadata/reference.csv"} == {
        name: wanted[name] for name in images
    }
    assert not [path for path in six.rglob("*") if path.is_symlink()]
    assert {(six / name).stat().st_nlink for name in images} == {2}
    assert files(stoic.home / "files").keys() == {"metadata/reference.csv", *images}
    before = times(six)
    assert stoic.fetch("part/", 6) == 0
    assert (times(six), stoic.manifest) == (before, content)
    capsys.readouterr()
    assert stoic.fetch("part/", 10) == 0
    assert "10 of 15 cases, 4 of them fetched (" in capsys.readouterr().out
    assert {case["id"] for case in content["cases"]} < {case["id"] for case in stoic.manifest["cases"]}
    assert times(six) == before
    assert stoic.fetch("part/", 100) == 0
    assert "15 of 15 cases, 5 of them fetched (" in capsys.readouterr().out
    assert (stoic.root.name, "subset" in stoic.manifest) == ("files", False)


def test_a_part_is_made_anew_when_the_bucket_has_another_image(
    stoic: Stoic, server: Server, data: Path, capsys: Said
) -> None:
    put(server, "anew", data)
    assert stoic.fetch("anew", 6) == 0
    root, before = stoic.root, times(stoic.root)
    image = root / stoic.manifest["cases"][3]["file"]
    server.s3.put_object(Bucket=OPEN, Key=f"anew/{image.relative_to(root)}", Body=b"another")
    (root.parent / ".subset-6.killed" / "new").mkdir(parents=True)
    assert stoic.fetch("anew", 6) == 0
    assert "6 of 15 cases, 1 of them fetched (0.0 MB), 5 already there" in capsys.readouterr().out
    assert image.read_bytes() == b"another"
    changed = {path for path, time in times(root).items() if time != before[path]}
    assert changed == {image, root / "metadata/reference.csv"}
    assert sorted(path.name for path in root.parent.iterdir()) == [".files.sync", "files", "subset-6"]


def test_an_image_that_was_taken_out_comes_anew_where_its_copy_is_damaged(
    stoic: Stoic, server: Server, data: Path, capsys: Said
) -> None:
    wanted = put(server, "taken", data)
    assert stoic.fetch("taken", 6) == 0
    bad, good = (stoic.root / case["file"] for case in stoic.manifest["cases"][:2])
    status = bad.stat()
    bad.write_bytes(bytes(status.st_size))
    os.utime(bad, ns=(status.st_atime_ns, status.st_mtime_ns))  # as a disk does it
    bad.unlink()
    good.unlink()
    assert stoic.fetch("taken", 6) == 0
    assert "6 of 15 cases, 1 of them fetched (0.0 MB), 5 already there" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in (bad, good)} == {
        path: wanted[str(path.relative_to(stoic.root))] for path in (bad, good)
    }


def test_a_case_that_the_bucket_lacks_is_named_if_it_is_wanted(
    stoic: Stoic, server: Server, data: Path, capsys: Said
) -> None:
    put(server, "lack", data)
    assert stoic.fetch("lack", 6) == 0
    some = {case["id"] for case in stoic.manifest["cases"]}
    lost = max({row.id for row in read_reference(data / "metadata/reference.csv")} - some)
    server.s3.delete_object(Bucket=OPEN, Key=f"lack/data/mha/{lost}.mha")
    assert stoic.fetch("lack", 6) == 0
    assert stoic.fetch("lack") == 1
    assert error(capsys) == (
        f"bucket '{OPEN}' of {stoic.url} has no lack/data/mha/{lost}.mha; tell its owner, or correct {KEY}.bucket or "
        f"{KEY}.prefix"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"bucket": BUCKET},
            f"{{url}} does not let anybody read bucket '{BUCKET}'; check {KEY}.bucket and the rights of the user",
        ),
        (
            {"prefix": "nowhere"},
            f"bucket '{OPEN}' of {{url}} has no nowhere/metadata/reference.csv; tell its owner, or correct {KEY}.",
        ),
        (
            {"anonymous": False},
            "there are no credentials for {url}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "
            f"or {KEY}.anonymous to true where it asks for none",
        ),
        ({"bucket": "a/b"}, f"{KEY}.bucket 'a/b' is no name of a bucket; give its name alone"),
        ({"endpoint": "minio:9000"}, f"{KEY}.endpoint 'minio:9000' is no address of a server; give it as https://"),
        ({"endpoint": "http://me:hush@a"}, f"{KEY}.endpoint has a user or a password in it; leave them out, and set"),
        ({"cases": 5}, "challenges.stoic.remote.cases is 5; give at least 6, two of each class, or 0 for all"),
        ({"cases": -1}, "challenges.stoic.remote.cases is -1; give at least 6, two of each class, or 0 for all"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    stoic: Stoic, changes: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stoic.fetch(**{"prefix": "wrong", **changes}) == 1  # type: ignore[arg-type]
    sentence = error(capsys)
    assert sentence.startswith(told.format(url=stoic.url))
    assert "hush" not in sentence
    assert not (stoic.folder / "manifest.json").exists()


@pytest.mark.usefixtures("owner")
def test_a_bucket_that_is_not_there_and_keys_that_nobody_knows(
    stoic: Stoic, alone: pytest.MonkeyPatch, capsys: Said
) -> None:
    assert stoic.fetch("x", bucket="nowhere", anonymous=False) == 1
    assert error(capsys) == f"{KEY}.bucket 'nowhere' is not on {stoic.url}; correct it"
    alone.setenv("AWS_ACCESS_KEY_ID", "nobody")
    assert stoic.fetch("x", anonymous=False) == 1
    assert error(capsys) == (
        f"{stoic.url} does not know these credentials (InvalidAccessKeyId); correct AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY"
    )
    assert Stoic(stoic.folder, "http://127.0.0.1:9").fetch("x") == 1
    told = error(capsys)
    assert told.startswith("http://127.0.0.1:9 does not answer (")
    assert told.endswith(f"); check {KEY}.endpoint and the network")


def test_a_row_that_is_no_bucket_is_refused(stoic: Stoic, capsys: Said) -> None:
    words = stoic.words("x")
    row = {"title": "STOIC", "http": {"file": "a.zip", "urls": ["https://example.org/a.zip"]}}
    words[words.index("--row") + 1] = json.dumps(row)
    assert main(words) == 1
    assert error(capsys) == ("sources.data.stoic must have s3, as config/sources.yaml has it; correct it under sources")
