"""S3_MODE=sync: a data set of a real server on disk, whole, again and again."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.agrigaia_s3.conftest import Place
from tests.agrigaia_s3.weed import BUCKET, Server

BIG = 12_000_000


def put(server: Server, dataset: str, **files: bytes) -> None:
    for name, body in files.items():
        server.s3.put_object(Bucket=BUCKET, Key=f"datasets/{dataset}/{name}", Body=body)


def summary(done: subprocess.CompletedProcess[str]) -> str:
    """What the program says that it did, without how long it took."""
    assert done.returncode == 0, done.stderr
    return re.sub(r"; [\d.]+ s\n$", "", done.stdout)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_of_a_data_set_comes_and_nothing_else(place: Place, server: Server) -> None:
    wanted = {
        "a 1.jpg": b"one",
        "Zuckerrübe+&%20.jpg": b"two",
        "annotations/annotations.xml": b"<annotations/>",
        "deep/er/empty": b"",
    }
    put(server, "all", **wanted)
    put(server, "all2", **{"other.jpg": b"other"})
    server.s3.put_object(Bucket=BUCKET, Key="datasets/all/marker/", Body=b"")
    done = place.bring(server.url, server.issuer.token(), DATASET_ID="all")
    where = f"of data set all in {place.data('all')}"
    assert summary(done) == f"S3: 4 files {where}: 4 fetched (0.0 MB), 0 already there, 0 removed"
    assert files(place.data("all")) == wanted
    assert not place.data("all2").exists()
    assert done.stderr.startswith(f"S3 credentials for {server.url} are good until 20")
    assert done.stderr.count("\n") == 1


def test_again_only_what_changed(place: Place, server: Server) -> None:
    token = server.issuer.token()
    put(server, "again", **{"a.jpg": b"a", "b.jpg": b"b", "gone.jpg": b"g", "edited.jpg": b"e"})
    place.bring(server.url, token, DATASET_ID="again")
    folder = place.data("again")
    times = (folder / "a.jpg").stat().st_mtime_ns
    put(server, "again", **{"b.jpg": b"B", "c.jpg": b"c"})
    for name in ("gone.jpg", "edited.jpg"):
        server.s3.delete_object(Bucket=BUCKET, Key=f"datasets/again/{name}")
    (folder / "edited.jpg").write_bytes(b"mine now")
    (folder / "mine.jpg").write_bytes(b"mine")
    done = place.bring(server.url, token, DATASET_ID="again")
    assert ": 2 fetched (0.0 MB), 1 already there, 1 removed" in summary(done)
    expected = {"a.jpg": b"a", "b.jpg": b"B", "c.jpg": b"c", "edited.jpg": b"mine now", "mine.jpg": b"mine"}
    assert files(folder) == expected
    assert (folder / "a.jpg").stat().st_mtime_ns == times
    # What was damaged here, even to the same size, comes again; without its notes the program looks into the files.
    (folder / "a.jpg").write_bytes(b"x")
    (folder.parent / ".again.sync" / "state.json").write_text("{")
    done = place.bring(server.url, token, DATASET_ID="again")
    assert ": 1 fetched (0.0 MB), 2 already there, 0 removed" in summary(done)
    assert files(folder) == expected


def test_a_file_that_was_sent_in_parts_stays(place: Place, server: Server) -> None:
    key = "datasets/parts/a.tif"
    upload = server.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    bodies = [os.urandom(5 << 20), b"end"]
    parts = []
    for number, body in enumerate(bodies, 1):
        sent = server.s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    whole = {"Parts": parts}
    etag = server.s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload=whole)["ETag"]
    assert "-2" in etag  # no digest of the content
    for counts in ("1 fetched (5.2 MB), 0 already there", "0 fetched (0.0 MB), 1 already there"):
        assert counts in summary(place.bring(server.url, server.issuer.token(), DATASET_ID="parts"))
        assert files(place.data("parts")) == {"a.tif": b"".join(bodies)}


def test_what_was_broken_off_goes_on(place: Place, server: Server) -> None:
    body = os.urandom(BIG)
    put(server, "big", **{"big.tif": body})
    name = hashlib.sha256(f"datasets/big/big.tif {hashlib.md5(body).hexdigest()}".encode()).hexdigest()[:32]
    own = place.data("big").parent / ".big.sync"
    own.mkdir(parents=True)
    part = own / f"{name}.object"
    # Its first byte tells whether the part is gone on with: the file is then found to be damaged, and comes anew.
    part.write_bytes(bytes([body[0] ^ 1]) + body[1 : BIG // 2])
    done = place.bring(server.url, server.issuer.token(), DATASET_ID="big")
    assert done.returncode == 6
    said = f"Error: datasets/big/big.tif of bucket '{BUCKET}' arrived damaged; fetch it again"
    assert done.stderr.splitlines()[-1] == said
    assert files(place.data("big")) == {}
    part.write_bytes(body[: BIG // 2])
    assert "1 fetched" in summary(place.bring(server.url, server.issuer.token(), DATASET_ID="big"))
    assert files(place.data("big")) == {"big.tif": body}
    assert sorted(path.name for path in own.iterdir()) == ["lock", "state.json"]


def test_data_that_did_not_come_from_s3_are_left_alone(place: Place, server: Server) -> None:
    put(server, "local", **{"a.jpg": b"theirs"})
    place.data("local").mkdir(parents=True)
    (place.data("local") / "a.jpg").write_bytes(b"mine")
    done = place.bring(server.url, server.issuer.token(), DATASET_ID="local")
    assert done.returncode == 6
    assert done.stderr.splitlines()[-1] == (
        f"Error: {place.data('local')} is there and was not fetched from S3; move it away to fetch it, "
        "or leave OID_ACCESS_TOKEN out to train with it"
    )
    assert files(place.data("local")) == {"a.jpg": b"mine"}


def test_a_link_leads_nothing_out_of_the_folder(place: Place, server: Server) -> None:
    put(server, "link", **{"sub/a.jpg": b"a"})
    assert place.bring(server.url, server.issuer.token(), DATASET_ID="link").returncode == 0
    outside = place.folder / "outside"
    outside.mkdir()
    (place.data("link") / "sub" / "a.jpg").unlink()
    (place.data("link") / "sub").rmdir()
    (place.data("link") / "sub").symlink_to(outside)
    done = place.bring(server.url, server.issuer.token(), DATASET_ID="link")
    assert done.returncode == 6
    folder = place.data("link")
    said = f"Error: {folder}/sub is a link out of {folder}; remove it and fetch again"
    assert done.stderr.splitlines()[-1] == said
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("bucket", "dataset", "said"),
    [
        (
            "nowhere",
            "1",
            "{host} does not let these credentials read bucket 'nowhere'; check S3_BUCKET_NAME and the rights",
        ),
        (BUCKET, "absent", "bucket 'agri' has nothing under datasets/absent/; check DATASET_ID and S3_BUCKET_NAME"),
        (BUCKET, "../1", "data set '../1' is no name of a folder; give DATASET_ID the one below datasets/"),
        (BUCKET, "", "data set '' is no name of a folder; give DATASET_ID the one below datasets/"),
    ],
)
def test_what_is_wrong_is_one_sentence(place: Place, server: Server, bucket: str, dataset: str, said: str) -> None:
    done = place.bring(server.url, server.issuer.token(), bucket=bucket, DATASET_ID=dataset)
    assert done.returncode == 6
    assert done.stderr.splitlines()[-1].startswith(f"Error: {said.format(host=server.url)}")
    assert done.stderr.count("\n") == 2  # the other tells of the credentials
    assert done.stdout == ""


def test_without_boto3_it_says_so(place: Place, server: Server) -> None:
    (place.folder / "boto3.py").write_text("raise ImportError")
    done = place.bring(server.url, server.issuer.token(), DATASET_ID="1", PYTHONPATH=str(place.folder))
    assert done.returncode == 6
    said = "Error: boto3 is not installed; pip install boto3, or mount the bucket with FUSE"
    assert done.stderr.splitlines()[-1] == said
