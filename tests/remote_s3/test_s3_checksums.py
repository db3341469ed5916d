"""What arrives is compared with its ETag, however it was sent; what cannot be compared is told."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest
from boto3.s3.transfer import TransferConfig

from containers.agrigaia.common.s3_fetch import Copies, Item
from containers.kit.errors import UserError
from tests.agrigaia_s3.test_agrigaia_odd_servers import BODY, Odd
from tests.agrigaia_s3.weed import OPEN, Server
from workflow.scripts.remote.s3 import bring, client, listing, told
from workflow.scripts.remote.s3_place import Place

Said = pytest.CaptureFixture[str]
MIB = 1 << 20
KEY = "big.mha"
NOTE = "note: checked 1 of 1 files by their size alone, since {url} tells no checksum of them: big.mha\n"


def fetch(place: Place, folder: Path, prefix: str = "") -> list[Item]:
    """What was fetched of all that begins so."""
    folder.mkdir(exist_ok=True)
    with told(place):
        s3 = client(place)
        items = listing(s3, place, prefix)
        with Copies(folder, "files") as copies:
            due = [item for item in items if not copies.has(item)]
            bring(s3, place, due, copies, "files")
    return due


def etag(body: bytes, part: int) -> str:
    """As S3 makes it of parts of this size."""
    digests = [hashlib.md5(body[start : start + part]).digest() for start in range(0, len(body), part)]
    return f"{hashlib.md5(b''.join(digests)).hexdigest()}-{len(digests)}"


@pytest.fixture
def place(odd: Odd) -> Place:
    odd.files[KEY] = BODY
    return Place(odd.url, "agri", "us-east-1", True, "x.s3")


@pytest.mark.usefixtures("alone")
def test_files_that_were_sent_in_parts_to_a_real_server_are_verified(
    server: Server, tmp_path: Path, capsys: Said
) -> None:
    bodies = {}
    for part, size in {5: 12_345_678, 6: 12 * MIB, 7: 9_000_000, 8: 8 * MIB, 16: 17 * MIB}.items():
        bodies[f"{part}.bin"] = body = os.urandom(size)
        sent = TransferConfig(multipart_threshold=1, multipart_chunksize=part * MIB)
        server.s3.upload_fileobj(io.BytesIO(body), OPEN, f"parts/{part}.bin", Config=sent)
        head = server.s3.head_object(Bucket=OPEN, Key=f"parts/{part}.bin")
        assert head["ETag"] == f'"{etag(body, part * MIB)}"'
    place = Place(server.url, OPEN, "us-east-1", True, "x.s3")
    assert len(fetch(place, tmp_path, "parts/")) == 5
    assert {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()} == bodies
    assert "note" not in capsys.readouterr().err
    # Without its notes the program looks into the files; for 7 MiB it would have to ask, and fetches.
    (tmp_path / ".files.sync" / "state.json").unlink()
    (tmp_path / "files" / "16.bin").write_bytes(bytes(17 * MIB))
    assert [item.name for item in fetch(place, tmp_path, "parts/")] == ["16.bin", "7.bin"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()} == bodies


@pytest.mark.parametrize("part", [0, MIB, 5_000_001])
def test_another_content_of_the_same_size_is_refused(odd: Odd, place: Place, part: int, tmp_path: Path) -> None:
    if part:
        odd.etags[KEY], odd.part = etag(BODY, part), part
    odd.gives[KEY] = BODY[:-1] + b"x"
    with pytest.raises(UserError, match=r"^big.mha of bucket 'agri' arrived damaged; fetch it again$"):
        fetch(place, tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.name.startswith("big") or path.suffix == ".object"] == []
    odd.gives, odd.asked = {}, []
    assert [item.name for item in fetch(place, tmp_path)] == [KEY]
    assert (odd.asked, (tmp_path / "files" / KEY).read_bytes()) == ([None], BODY)


@pytest.mark.parametrize("part", [0, 2 * MIB])
def test_a_file_that_is_gone_on_with_is_compared_as_a_whole(odd: Odd, place: Place, part: int, tmp_path: Path) -> None:
    if part:
        odd.etags[KEY], odd.part = etag(BODY, part), part
    odd.breaks = 2
    half = len(BODY) // 2
    with Copies(tmp_path, "files") as copies:
        begun = copies.part(Item(KEY, KEY, len(BODY), odd.etag_of(KEY)))
    begun.write_bytes(BODY[:100])
    assert len(fetch(place, tmp_path)) == 1
    assert [str(one)[:6] for one in odd.asked] == ["bytes="] * 3
    assert (tmp_path / "files" / KEY).read_bytes() == BODY
    (tmp_path / "files" / KEY).unlink()
    begun.write_bytes(b"x" + BODY[1:half])
    with pytest.raises(UserError, match="arrived damaged"):
        fetch(place, tmp_path)


@pytest.mark.parametrize(("first", "asked"), [(BODY[:1], []), (b"x", [None])])
def test_a_part_that_is_whole_needs_a_name_alone(
    odd: Odd, place: Place, first: bytes, asked: list[None], tmp_path: Path
) -> None:
    with Copies(tmp_path, "files") as copies:
        part = copies.part(Item(KEY, KEY, len(BODY), odd.etag_of(KEY)))
    part.write_bytes(first + BODY[1:])
    assert len(fetch(place, tmp_path)) == 1
    assert (odd.asked, (tmp_path / "files" / KEY).read_bytes()) == (asked, BODY)


@pytest.mark.parametrize(
    ("tag", "more"),
    [
        ("", {"x-amz-server-side-encryption": "aws:kms"}),
        (f"{'0' * 32}-2", {}),
        (f"{'0' * 32}-3", {"x-amz-server-side-encryption": "AES256"}),
        ("opaque", {}),
    ],
)
def test_what_has_no_checksum_is_told_once(
    odd: Odd, place: Place, tag: str, more: dict[str, str], tmp_path: Path, capsys: Said
) -> None:
    odd.etags[KEY], odd.more = tag or "0" * 32, more
    assert len(fetch(place, tmp_path)) == 1
    assert NOTE.format(url=odd.url) in capsys.readouterr().err
    assert fetch(place, tmp_path) == []
    assert "note" not in capsys.readouterr().err
    assert len(odd.asked) == 1


@pytest.mark.parametrize("size", [len(BODY) - 1, len(BODY) + 1])
def test_another_size_is_refused_even_where_there_is_no_checksum(
    odd: Odd, place: Place, size: int, tmp_path: Path
) -> None:
    odd.etags[KEY], odd.gives[KEY] = "opaque", (BODY + b"x")[:size]
    with pytest.raises(UserError, match="arrived damaged"):
        fetch(place, tmp_path)
    assert not (tmp_path / "files" / KEY).exists()
