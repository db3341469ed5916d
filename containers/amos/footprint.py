"""How much memory a network takes for one window, found without running it: on PyTorch's "meta" device, where tensors
have shapes and lifetimes but no contents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
BLOCK = 16  # channels, with the widest vectors that CPUs have


class _Living(TorchDispatchMode):
    """Adds up the tensors that operations made and that somebody still holds."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak: int = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Without this PyTorch imports its compiler, and SymPy with it, for nothing but to keep it away from here."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        found = _made(func, args, kwargs or {})
        self.made = {key: entry for key, entry in self.made.items() if not entry[0].expired()}
        inputs = {value.untyped_storage()._cdata for value in _tensors((args, kwargs))}
        for tensor in _tensors(found):
            storage = tensor.untyped_storage()
            if storage._cdata not in inputs:
                self.made[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        # A convolution turns its input and output into an order of its own, and so holds both twice for a while.
        twice = sum(map(_blocked, _tensors((args, found)))) if "conv" in str(func) else 0
        self.peak = max(self.peak, sum(size for _, size in self.made.values()) + twice)
        return found


def activations(network: nn.Module, patch: Sequence[int]) -> int:
    """Bytes besides the weights and the window, the answer among them; `network` is on the meta device."""
    with torch.inference_mode(), torch.device("meta"):
        window = torch.empty((1, 1, *patch))
        living = _Living()
        with living:
            network(window)
    return living.peak


def weights(network: nn.Module) -> int:
    """Bytes; what has several names counts once."""
    own = {id(tensor): tensor.nbytes for tensor in network.state_dict(keep_vars=True).values()}
    return sum(own.values())


def _blocked(value: Tensor) -> int:
    """Bytes in that order, which has channels in blocks; a single one stays by itself."""
    channels = value.shape[1] if value.ndim > 1 else 1
    return value.nbytes if channels == 1 else value.nbytes // channels * -(-channels // BLOCK) * BLOCK


def _tensors(values: Any) -> list[Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, Tensor)]


# What PyTorch itself does on the meta device imports its compiler and SymPy, which takes 70 MB and a second. So the
# layers of nnU-Net's networks are done here; a network with others pays that.


def _made(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    if not kwargs and func in SHAPES:
        first = args[0][0] if func is aten.cat.default else args[0]
        return first.new_empty(SHAPES[func](*args))
    if str(func.overloadpacket).endswith("_"):  # changes its first argument and gives it back
        return args[0]
    return func(*args, **kwargs)


def _convolved(
    given: Tensor,
    weight: Tensor,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> list[int]:
    del bias, groups
    sizes = zip(given.shape[2:], weight.shape[2:], *map(_three, (stride, padding, dilation)), strict=True)
    return [len(given), len(weight), *((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in sizes)]


def _transposed(
    given: Tensor,
    weight: Tensor,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    more: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> list[int]:
    del bias
    sizes = zip(given.shape[2:], weight.shape[2:], *map(_three, (stride, padding, more, dilation)), strict=True)
    edges = ((n - 1) * s - 2 * p + d * (k - 1) + m + 1 for n, k, s, p, m, d in sizes)
    return [len(given), weight.shape[1] * groups, *edges]


def _pooled(given: Tensor, kernel: Any, stride: Any = (), padding: Any = 0, ceil: bool = False) -> list[int]:
    sizes = zip(given.shape[2:], *map(_three, (kernel, stride or kernel, padding)), strict=True)
    return [*given.shape[:2], *((n + 2 * p - k + (s - 1) * ceil) // s + 1 for n, k, s, p in sizes)]


def _joined(given: Sequence[Tensor], axis: int = 0) -> list[int]:
    shape = list(given[0].shape)
    shape[axis] = sum(tensor.shape[axis] for tensor in given)
    return shape


def _kept(given: Tensor, *others: Any) -> list[int]:
    del others
    return list(given.shape)


def _three(value: Any) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * 3 if len(values) == 1 else values


SHAPES: dict[Any, Any] = {
    aten.conv3d.default: _convolved,
    aten.conv_transpose3d.input: _transposed,
    aten.avg_pool3d.default: _pooled,
    aten.cat.default: _joined,
    aten.instance_norm.default: _kept,
}
