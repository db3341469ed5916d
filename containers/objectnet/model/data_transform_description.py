"""What happens to a photo before the network sees it. Edit this file for a network of your own.

`getTransform()` returns something that is called with a photo (a PIL picture in RGB, its red border already cut off)
and gives an array or a torch tensor of 3 x height x width numbers, of the same size for every photo. It may be a
Pipeline, as below, or a torchvision Compose; import torchvision inside `getTransform()`, since not every image has it.
It must be safe to call from several threads at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from containers.objectnet.settings import Transform
from containers.objectnet.transforms import Pipeline


class data_transform:  # noqa: N801  the template's name
    def getTransform(self) -> Callable[[Any], Any]:  # noqa: N802  the template's name
        # A network that wants 299 x 299 and numbers from -1 to 1: Transform(size=299, mean=(0.5,) * 3, std=(0.5,) * 3)
        return Pipeline(Transform())
