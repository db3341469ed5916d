"""I3D: Inception-v1 with its kernels inflated to three dimensions (Carreira and Zisserman, 2017).

Written from the paper. Modules are named like the public Kinetics weights, so that these load; with 400 outputs and
three channels the state dict is theirs, name by name and shape by shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Size = tuple[int, int, int]

# Channels of each inception module's four branches: 1; 3 after a reduction; 3 after a reduction; pooled.
MIXED: dict[str, tuple[int, int, int, int, int, int]] = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
POOLS: dict[str, tuple[Size, Size]] = {  # kernel and stride of the pooling before a module
    "Conv3d_2b_1x1": ((1, 3, 3), (1, 2, 2)),
    "Mixed_3b": ((1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ((3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ((2, 2, 2), (2, 2, 2)),
}
FEATURES = 1024
WINDOW = (2, 7, 7)


class I3D(nn.Module):
    """Maps (B, 1, Z, Y, X) or (B, 3, Z, Y, X) to (B, outputs)."""

    def __init__(self, outputs: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Unit(3, 64, (7, 7, 7), stride=2)
        self.Conv3d_2b_1x1 = Unit(64, 64)
        self.Conv3d_2c_3x3 = Unit(64, 192, (3, 3, 3))
        channels = 192
        for name, branches in MIXED.items():
            module = Inception(channels, branches)
            self.add_module(name, module)
            channels = module.channels
        self.dropout = nn.Dropout(dropout)
        self.logits = Unit(FEATURES, outputs, plain=True)

    def forward(self, images: Tensor) -> Tensor:
        values = images.expand(-1, 3, -1, -1, -1)
        for name, module in self.named_children():
            if name == "dropout":
                break
            if name in POOLS:
                values = same_pool(values, *POOLS[name])
            values = module(values)
        window = [min(full, there) for full, there in zip(WINDOW, values.shape[2:], strict=True)]
        pooled = F.avg_pool3d(values, window, stride=1)
        # The head is linear, so the mean of its outputs is its output for the mean.
        logits: Tensor = self.logits(self.dropout(pooled)).mean(dim=(2, 3, 4))
        return logits


class Unit(nn.Module):
    """A convolution, then batch norm and ReLU unless it is `plain`."""

    def __init__(self, before: int, after: int, kernel: Size = (1, 1, 1), stride: int = 1, plain: bool = False) -> None:
        super().__init__()
        self.kernel, self.stride, self.plain = kernel, (stride, stride, stride), plain
        self.conv3d = nn.Conv3d(before, after, kernel, self.stride, bias=plain)
        if plain:
            nn.init.normal_(self.conv3d.weight, std=0.01)
        else:
            nn.init.kaiming_normal_(self.conv3d.weight, mode="fan_out", nonlinearity="relu")
            self.bn = nn.BatchNorm3d(after, eps=1e-3, momentum=0.01)

    def forward(self, values: Tensor) -> Tensor:
        values = self.conv3d(same_padded(values, self.kernel, self.stride))
        return values if self.plain else F.relu(self.bn(values), inplace=True)


class Inception(nn.Module):
    def __init__(self, before: int, branches: Sequence[int]) -> None:
        super().__init__()
        one, reduce_a, three_a, reduce_b, three_b, pooled = branches
        self.b0 = Unit(before, one)
        self.b1a = Unit(before, reduce_a)
        self.b1b = Unit(reduce_a, three_a, (3, 3, 3))
        self.b2a = Unit(before, reduce_b)
        self.b2b = Unit(reduce_b, three_b, (3, 3, 3))
        self.b3b = Unit(before, pooled)
        self.channels = one + three_a + three_b + pooled

    def forward(self, values: Tensor) -> Tensor:
        pooled = same_pool(values, (3, 3, 3), (1, 1, 1))
        branches = [self.b0(values), self.b1b(self.b1a(values)), self.b2b(self.b2a(values)), self.b3b(pooled)]
        return torch.cat(branches, dim=1)


def same_pool(values: Tensor, kernel: Size, stride: Size) -> Tensor:
    """Max pooling; what it pads with never wins, since it follows a ReLU."""
    return F.max_pool3d(same_padded(values, kernel, stride), kernel, stride)


def same_padded(values: Tensor, kernel: Size, stride: Size) -> Tensor:
    """Zeros around, as TensorFlow's "same" has them: the output is ceil(size / stride), and an odd zero goes behind."""
    padding: list[int] = []
    for size, k, s in zip(reversed(values.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        total = max(0, (-(-size // s) - 1) * s + k - size)
        padding += [total // 2, total - total // 2]
    return F.pad(values, padding) if any(padding) else values
