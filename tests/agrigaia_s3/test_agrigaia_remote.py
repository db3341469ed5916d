"""`source: remote`: the command brings a data set of a real server here, again and again, and says what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.agrigaia_s3.remotes import WHERE, Remote, error, files, put
from tests.agrigaia_s3.weed import BUCKET, KEY, OPEN, SECRET, Server
from workflow.scripts.agrigaia.fetch import main


@pytest.mark.usefixtures("owner")
def test_a_data_set_comes_and_its_manifest_is_a_folders(
    remote: Remote, server: Server, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = put(server, "11", data)
    assert remote.fetch("11") == 0
    content = remote.manifest
    root = Path(content["root"])
    assert (content["source"], content["id"], root.parent.name) == ("remote", "11", "datasets")
    assert root.is_relative_to(tmp_path / "raw" / "remote")
    assert files(root) == wanted
    told = capsys.readouterr()
    assert f"datasets/11 of bucket {BUCKET}: 11 files, 11 of them fetched (" in told.out
    assert "data set 11: 100%" in told.err
    words = ["--source", str(data), "--scratch", str(tmp_path / "x"), "--manifest", str(tmp_path / "manifest.json")]
    assert main(words) == 0
    assert remote.manifest["fingerprint"] == content["fingerprint"]
    assert SECRET not in told.out + told.err


@pytest.mark.usefixtures("owner")
def test_again_only_what_changed_comes(
    remote: Remote, server: Server, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = put(server, "12", data)
    assert remote.fetch("12") == 0
    root = remote.root
    times = {path: path.stat().st_mtime_ns for path in root.rglob("*.jpg")}
    server.s3.put_object(Bucket=BUCKET, Key="datasets/12/field_0003.jpg", Body=wanted["field_0004.jpg"])
    server.s3.delete_object(Bucket=BUCKET, Key="datasets/12/field_0009.jpg")
    capsys.readouterr()
    assert remote.fetch("12") == 0
    assert "10 files, 1 of them fetched (0.0 MB), 9 already there; 1 removed here\n" in capsys.readouterr().out
    expected = {**wanted, "field_0003.jpg": wanted["field_0004.jpg"]}
    expected.pop("field_0009.jpg")
    assert files(root) == expected
    same = [path for path, when in times.items() if path.exists() and path.stat().st_mtime_ns == when]
    assert len(same) == 8
    assert remote.fetch("12") == 0
    assert "10 files, 0 of them fetched (0.0 MB), 10 already there; 0 removed here\n" in capsys.readouterr().out


def test_a_token_of_the_platform_buys_credentials(
    remote: Remote, alone: pytest.MonkeyPatch, server: Server, data: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    put(server, "13", data)
    token = server.issuer.token()
    alone.setenv("OID_ACCESS_TOKEN", token)
    assert remote.fetch("13") == 0
    assert len(remote.manifest["pictures"]) == 10
    assert not (tmp_path / "AWS_SHARED_CREDENTIALS_FILE").exists()
    alone.setenv("OID_ACCESS_TOKEN", server.issuer.token(seconds=-60))
    capsys.readouterr()
    assert remote.fetch("13") == 1
    told = error(capsys)
    assert told.startswith(f"{server.url} gave no credentials for OID_ACCESS_TOKEN (")
    assert told.endswith("; take a new token from the platform")
    assert os.environ["OID_ACCESS_TOKEN"] not in told


def test_a_profile_is_found_and_a_wrong_one_told(
    remote: Remote, alone: pytest.MonkeyPatch, server: Server, data: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    put(server, "14", data)
    (tmp_path / "AWS_SHARED_CREDENTIALS_FILE").write_text(
        f"[farm]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
    )
    alone.setenv("AWS_PROFILE", "farm")
    assert remote.fetch("14") == 0
    alone.setenv("AWS_PROFILE", "barn")
    capsys.readouterr()
    assert remote.fetch("14") == 1
    assert error(capsys) == (
        f"{server.url} cannot be asked (The config profile (barn) could not be found); check {WHERE}.host and "
        "AWS_PROFILE"
    )


def test_an_open_bucket_is_read_without_credentials(
    remote: Remote, server: Server, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(server, "15", data, OPEN)
    assert remote.fetch("15", bucket=OPEN, anonymous=True) == 0
    assert len(remote.manifest["pictures"]) == 10
    capsys.readouterr()
    assert remote.fetch("15", bucket=BUCKET, anonymous=True) == 1
    assert error(capsys) == (
        f"{server.url} does not let anybody read bucket '{BUCKET}'; check {WHERE}.bucket and the rights of the user"
    )


def test_without_credentials_it_says_which_there_could_be(
    remote: Remote, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert remote.fetch() == 1
    assert error(capsys) == (
        f"there are no credentials for {server.url}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "
        f"or OID_ACCESS_TOKEN, or {WHERE}.anonymous to true where it asks for none"
    )


@pytest.mark.usefixtures("owner")
def test_what_is_wrong_at_the_server_is_one_sentence(
    remote: Remote, alone: pytest.MonkeyPatch, server: Server, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert remote.fetch("absent") == 1
    nothing = f"bucket '{BUCKET}' of {server.url} has nothing under datasets/absent/; correct {WHERE}.dataset"
    assert error(capsys) == nothing
    assert remote.fetch(bucket="nowhere") == 1
    assert error(capsys) == f"{WHERE}.bucket 'nowhere' is not on {server.url}; correct it"
    assert remote.fetch(host="http://127.0.0.1:9") == 1
    told = error(capsys)
    assert told.startswith("http://127.0.0.1:9 does not answer (")
    assert told.endswith(f"); check {WHERE}.host and the network")
    alone.setenv("OID_ACCESS_TOKEN", "eyJ.a.token")
    assert remote.fetch(host="http://127.0.0.1:9") == 1
    told = error(capsys)
    assert told.startswith("http://127.0.0.1:9 does not answer (")
    assert "eyJ" not in told
    alone.delenv("OID_ACCESS_TOKEN")
    for name, value in (("AWS_SECRET_ACCESS_KEY", "wrong"), ("AWS_ACCESS_KEY_ID", "nobody")):
        alone.setenv(name, value)
        assert remote.fetch() == 1
        assert error(capsys) in [
            f"{server.url} does not know these credentials ({code}); correct AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or take a new OID_ACCESS_TOKEN"
            for code in ("SignatureDoesNotMatch", "InvalidAccessKeyId")
        ]
    assert not (tmp_path / "manifest.json").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"host": ""},
            f"{WHERE}.host is empty; set it to the address of the S3 server, such as https://s3.example.org",
        ),
        ({"bucket": " "}, f"{WHERE}.bucket is empty; set it to the name of the bucket"),
        ({"dataset": "../1"}, f"{WHERE}.dataset '../1' is no name of a folder; give the one below datasets/ in the"),
        ({"dataset": ".."}, f"{WHERE}.dataset '..' is no name of a folder; give the one below datasets/ in the bucket"),
        ({"bucket": "a/b"}, f"{WHERE}.bucket 'a/b' is no name of a bucket; give its name alone"),
        ({"host": "minio:9000"}, f"{WHERE}.host 'minio:9000' is no address of a server; give it as https://s3.example"),
        ({"host": "http://a:99999"}, f"{WHERE}.host is no address of a server; give it as https://s3.example.org or"),
        ({"host": "http://a/b"}, f"{WHERE}.host 'http://a/b' is no address of a server; give it as https://s3.exampl"),
        ({"host": "http://me:secret@a"}, f"{WHERE}.host has a user or a password in it; leave them out, and set"),
        ({"hots": "x"}, f"{WHERE}.hots is not a setting; did you mean 'host'?"),
    ],
)
def test_settings_that_cannot_be_are_told_before_anything_is_asked(
    remote: Remote, changes: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert remote.fetch(**changes) == 1
    sentence = error(capsys)
    assert sentence.startswith(told)
    assert "secret" not in sentence
