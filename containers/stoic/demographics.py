"""Age and sex, which the organisers' images carry in their header: optional, and neutral where they are missing."""

from __future__ import annotations

from torch import Tensor, nn

MIDDLE, SPREAD = 65.0, 15.0  # years: the public cases are in groups from 35 to 85, half of them above 65
SIZE = 2


def encode(age: float | None, sex: str | None) -> list[float]:
    """Two numbers around zero; zero says nothing."""
    return [0.0 if age is None else (age - MIDDLE) / SPREAD, {"M": 1.0, "F": -1.0}.get(sex or "", 0.0)]


class WithDemographics(nn.Module):
    """The image's evidence plus that of age and sex, which is none where both are missing."""

    def __init__(self, backbone: nn.Module, features: int, outputs: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.image = nn.Sequential(nn.ReLU(), nn.Linear(features, outputs))
        self.person = nn.Linear(SIZE, outputs, bias=False)  # no bias: zeros in, zeros out
        nn.init.zeros_(self.person.weight)

    def forward(self, images: Tensor, people: Tensor) -> Tensor:
        logits: Tensor = self.image(self.backbone(images)) + self.person(people)
        return logits


class ImageOnly(nn.Module):
    """The same interface for a network that is not told age and sex."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, images: Tensor, people: Tensor) -> Tensor:  # noqa: ARG002
        logits: Tensor = self.backbone(images)
        return logits
