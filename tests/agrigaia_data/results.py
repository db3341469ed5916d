"""What tests of conversions share: pictures to convert, and what came of them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from containers.agrigaia.common.cvat_xml import Picture, read


def picture(path: Path, width: int = 100, height: int = 80) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (width % 250, 90, 40)).save(path)
    return path


def result(folder: Path) -> dict[str, Picture]:
    found = read(folder / "out" / "annotations" / "annotations.xml")
    assert found.complaints == ()
    assert all((folder / "out" / one.name).is_file() for one in found.pictures)
    return {one.name: one for one in found.pictures}


def shapes(one: Picture) -> list[tuple[str, str, tuple[tuple[float, float], ...]]]:
    return [(shape.kind, shape.label, shape.points) for shape in one.shapes]
