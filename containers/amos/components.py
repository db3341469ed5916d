"""Connected components of each organ in a label map; small ones are mistakes more often than not.

    sizes(labels)                                   # {6: [184223, 12]}: voxels of the liver's parts, largest first
    remove_small(labels, 3.75, {6: 1000.0})         # in place; {6: 12}: voxels that became background

Voxels that share a corner are connected. Each organ is looked at in its own bounding box and there slab by slab, and
what touches across two slabs is joined afterwards: the memory is that of a slab, however long the scan is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy import ndimage, sparse

Array = np.ndarray[Any, Any]
CORNERS = np.ones((3, 3, 3), bool)
SLAB = 1 << 22  # voxels: sixteen slices of 512 x 512, of three to six bytes a voxel while they are numbered


@dataclass(frozen=True)
class Components:
    """`owner` says of each piece, numbered through all slabs in their order, to which component it belongs."""

    voxels: Array  # by component
    owner: Array
    slabs: tuple[slice, ...]


def present(labels: Array) -> tuple[int, ...]:
    """The organs that have a voxel."""
    return tuple(organ for organ, box in enumerate(ndimage.find_objects(labels), start=1) if box is not None)


def sizes(labels: Array) -> dict[int, list[int]]:
    """The number of voxels of each organ's components, the largest first."""
    return {organ: sorted(_joined(box, organ).voxels.tolist(), reverse=True) for organ, box in _organs(labels)}


def remove_small(labels: Array, voxel_mm3: float, min_volume_mm3: Mapping[int, float]) -> dict[int, int]:
    """Make background of the components below their organ's least volume; how many voxels of each organ that were."""
    removed = {}
    for organ, box in _organs(labels):
        least = min_volume_mm3.get(organ, 0)
        if least <= 0:
            continue
        found = _joined(box, organ)
        small = found.voxels * voxel_mm3 < least
        if small.any():
            _blank(box, organ, found, small)
            removed[organ] = int(found.voxels[small].sum())
    return removed


def _organs(labels: Array) -> Iterator[tuple[int, Array]]:
    """Each organ that is there, and the view of its bounding box."""
    for organ, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            yield organ, labels[box]


def _joined(box: Array, organ: int) -> Components:
    depth = max(1, SLAB // box[0].size)
    slabs = tuple(slice(start, start + depth) for start in range(0, len(box), depth))
    counts: list[Array] = [np.zeros(0, np.int64)]
    contacts: list[Array] = [np.zeros((2, 0), np.int64)]
    total, above = 0, np.zeros(box.shape[1:], np.int64)
    for slab in slabs:
        numbers, count = _numbered(box[slab] == organ)
        counts.append(_counted(numbers, count))
        contacts.append(_contacts(above, _through(numbers[0], total)))
        above = _through(numbers[-1], total)
        total += count
    pieces, (ends, others) = np.concatenate(counts), np.concatenate(contacts, axis=1) - 1
    graph = sparse.coo_array((np.ones(len(ends), bool), (ends, others)), shape=(total, total))
    count, owner = sparse.csgraph.connected_components(graph, directed=False)
    voxels = np.zeros(count, np.int64)
    np.add.at(voxels, owner, pieces)
    return Components(voxels, owner, slabs)


def _blank(box: Array, organ: int, found: Components, small: Array) -> None:
    """Number each slab again, which gives the same numbers, rather than keep those of all."""
    first = 0
    for slab in found.slabs:
        numbers, count = _numbered(box[slab] == organ)
        gone = np.concatenate([[False], small[found.owner[first : first + count]]])
        for target, plane in zip(box[slab], numbers, strict=True):
            target[gone[plane]] = 0
        first += count


def _numbered(mask: Array) -> tuple[Array, int]:
    """Two bytes a voxel do for up to 65,535 pieces; noise may have more."""
    numbers = np.empty(mask.shape, np.uint16)
    try:
        return numbers, int(ndimage.label(mask, CORNERS, output=numbers))
    except RuntimeError:
        del numbers
        wide = np.empty(mask.shape, np.int32)
        return wide, int(ndimage.label(mask, CORNERS, output=wide))


def _counted(numbers: Array, count: int) -> Array:
    """Plane by plane, as bincount makes 64-bit copies."""
    counts = np.zeros(count + 1, np.int64)
    for plane in numbers:
        counts += np.bincount(plane.ravel(), minlength=count + 1)
    return counts[1:]


def _through(plane: Array, before: int) -> Array:
    """The numbers of a slab's pieces as they are counted through all slabs; 0 stays background."""
    wide = plane.astype(np.int64)
    wide[wide > 0] += before
    return wide


def _contacts(above: Array, below: Array) -> Array:
    """The pairs of pieces, one in each of two neighbouring planes, that share at least a corner."""
    pairs = [np.zeros((2, 0), np.int64)]
    rows, columns = above.shape
    for down, right in product((-1, 0, 1), repeat=2):
        one = above[max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)]
        other = below[max(0, -down) : rows + min(0, -down), max(0, -right) : columns + min(0, -right)]
        both = (one > 0) & (other > 0)
        touching = np.stack([one[both], other[both]])
        new = (touching[:, 1:] != touching[:, :-1]).any(axis=0)  # along a row it is mostly the same two
        pairs += [touching[:, :1], touching[:, 1:][:, new]]
    return np.unique(np.concatenate(pairs, axis=1), axis=1)
