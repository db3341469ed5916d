"""Is there any salt? A two-dimensional ResNet with one output."""

from __future__ import annotations

from torch import Tensor, nn

from containers.salt.encoders import resnet


class Classifier(nn.Module):
    """(n, channels, h, w) to one logit an image (n,): above zero, it has salt."""

    def __init__(
        self, channels: int = 1, network: str = "resnet18", width: float = 1.0, stride: int = 2, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.encoder = resnet(network, channels, outputs=1, width=width, stride=stride)
        if dropout:
            self.encoder.fc = nn.Sequential(nn.Dropout(dropout), self.encoder.get_submodule("fc"))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.encoder(images)
        return logits.squeeze(1)
