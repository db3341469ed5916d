"""Whether a stream holds the whole image that was asked for, in each layout that engines write."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from containers.kit.errors import UserError
from tests.save import images
from tests.save.images import TAG, Made
from workflow.scripts.slipway.archive import compress
from workflow.scripts.slipway.imagetar import Contents, Image, familiar

ONE, TWO = images.layer("one"), images.layer("two", 3_000_000)
LAYERS = (ONE, TWO, ONE)


def contents(tar: bytes, tmp_path: Path) -> Contents:
    return compress(io.BytesIO(tar), tmp_path / "image.tar.gz", 1, 2, lambda _: None)[1]


def verified(made: Made, tmp_path: Path, tag: str = TAG) -> Image:
    return contents(made.tar, tmp_path).verified(made.image_id, tag)


def entries(*changes: tuple[str, bytes | str | None], layers: Sequence[bytes] = (ONE,)) -> bytes:
    """An archive in the oldest layout, with members replaced or, by None, left out."""
    text = images.config(layers)
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    members: dict[str, bytes | str | None] = dict(zip(names, layers, strict=True))
    members |= {"config.json": text, "manifest.json": images.manifest("config.json", names)} | dict(changes)
    return images.packed([(name, content) for name, content in members.items() if content is not None])


def image_id(layers: Sequence[bytes] = (ONE,)) -> str:
    return f"sha256:{images.hex_of(images.config(layers))}"


@pytest.mark.parametrize(
    "made",
    [
        images.legacy(LAYERS),
        images.podman(LAYERS),
        images.oci(LAYERS),
        images.oci(LAYERS, containerd=True),
        images.oci(LAYERS, containerd=True, members=3),
    ],
    ids=["docker 24", "podman", "docker 25", "containerd", "containerd, layers of several gzip members"],
)
def test_each_layout_is_read(made: Made, tmp_path: Path) -> None:
    image = verified(made, tmp_path)
    assert [(layer.digest, layer.size) for layer in image.layers] == [
        (f"sha256:{images.hex_of(data)}", len(data)) for data in LAYERS
    ]
    assert image.tags == (TAG,)
    assert image.config == image_id(LAYERS)


def test_another_image_under_the_tag(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"streamed the image {image_id()} where sha256:0+ passed; test {TAG} again"):
        contents(entries(), tmp_path).verified("sha256:" + "0" * 64, TAG)


@pytest.mark.parametrize("wrong", [images.layer("evil"), b"not even a tar"])
def test_a_layer_that_is_not_the_promised_one(wrong: bytes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"layer of {TAG} is sha256:{images.hex_of(wrong)} .* promises sha256"):
        contents(entries(("0/layer.tar", wrong)), tmp_path).verified(image_id(), TAG)


def test_a_packed_layer_that_unpacks_to_another(tmp_path: Path) -> None:
    made = images.oci((ONE,), containerd=True)
    stored = images.hex_of(images.gzipped(ONE, 1))
    spoilt = images.oci((ONE,), containerd=True, spoil={stored: images.gzipped(TWO, 1)})
    with pytest.raises(UserError, match=rf"layer of {TAG} is sha256:{images.hex_of(TWO)}"):
        contents(spoilt.tar, tmp_path).verified(made.image_id, TAG)


def test_a_blob_that_is_not_its_name(tmp_path: Path) -> None:
    """The same layer packed otherwise unpacks to the right digest, but its blob is not the one of the manifest."""
    stored = images.hex_of(images.gzipped(ONE, 1))
    spoilt = images.oci((ONE,), containerd=True, spoil={stored: images.gzipped(ONE, 2)})
    with pytest.raises(UserError, match=rf"blobs/sha256/{stored} of {TAG} has the digest sha256"):
        contents(spoilt.tar, tmp_path).verified(spoilt.image_id, TAG)


@pytest.mark.parametrize("cut", [20, -4])
def test_a_packed_layer_that_ends_early(cut: int, tmp_path: Path) -> None:
    data = images.gzipped(TWO, 1)
    with pytest.raises(UserError, match="a layer in the engine's archive is gzip that ends early"):
        contents(entries(("0/layer.tar", data[:cut])), tmp_path).verified(image_id(), TAG)


def test_a_packed_layer_that_is_damaged(tmp_path: Path) -> None:
    data = bytearray(images.gzipped(TWO, 1))
    data[-6] ^= 1  # its checksum
    with pytest.raises(UserError, match="a layer in the engine's archive is damaged gzip"):
        contents(entries(("0/layer.tar", bytes(data))), tmp_path)


def test_zstd_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="as zstd, which Slipway cannot verify; build it with gzip layers"):
        contents(entries(("0/layer.tar", b"\x28\xb5\x2f\xfd rest")), tmp_path).verified(image_id(), TAG)


@pytest.mark.parametrize("name", ["0/layer.tar", "config.json", "manifest.json"])
def test_a_stream_that_ends_between_members(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"archive ends before its {name}; run the save again"):
        contents(entries((name, None)), tmp_path).verified(image_id(), TAG)


def test_links_that_go_in_a_circle(tmp_path: Path) -> None:
    tar = entries(("0/layer.tar", "../a"), ("a", "b"), ("b", "a"))
    with pytest.raises(UserError, match=r"ends before its [ab];"):
        contents(tar, tmp_path).verified(image_id(), TAG)


def test_a_layer_too_few(tmp_path: Path) -> None:
    tar = entries(("manifest.json", images.manifest("config.json", ["0/layer.tar"])), layers=(ONE, TWO))
    with pytest.raises(UserError, match=f"{TAG} has 2 layers and the engine's archive 1"):
        contents(tar, tmp_path).verified(image_id((ONE, TWO)), TAG)


def test_a_tag_that_docker_load_would_not_give(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"would give \['stoictrain:latest'\] and not stoicalgorithm; tag the image so"):
        verified(images.legacy((ONE,)), tmp_path, tag="stoicalgorithm")


def test_two_images_in_one_archive(tmp_path: Path) -> None:
    tar = entries(("manifest.json", images.manifest("config.json", [])[:-1] + b', {"Config": "x"}]'))
    with pytest.raises(UserError, match=f"archive holds 2 images where {TAG} names one"):
        contents(tar, tmp_path).verified(image_id(), TAG)


@pytest.mark.parametrize("text", [b'[{"RepoTags": ["stoictrain:latest"]}]', b'[{"Config": 3, "RepoTags": []}]'])
def test_an_unknown_layout(text: bytes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"archive of {TAG} has an unknown layout"):
        contents(entries(("manifest.json", text)), tmp_path).verified(image_id(), TAG)


def test_a_config_that_is_not_json(tmp_path: Path) -> None:
    text = b"{broken"
    with pytest.raises(UserError, match=r"config\.json in the engine's archive is not JSON"):
        contents(entries(("config.json", text)), tmp_path).verified(f"sha256:{images.hex_of(text)}", TAG)


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("stoictrain", "stoictrain:latest"),
        ("localhost/stoictrain:latest", "stoictrain:latest"),
        ("localhost/stoictrain:2", "stoictrain:2"),
        ("registry.example/syn12/team", "registry.example/syn12/team:latest"),
        ("localhost:5000/team", "localhost:5000/team:latest"),
    ],
)
def test_familiar(tag: str, shown: str) -> None:
    assert familiar(tag) == shown
