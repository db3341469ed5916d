"""What is saved or pushed is the very image that passed its test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from containers.kit.errors import UserError
from workflow.scripts.slipway.contract import Image
from workflow.scripts.slipway.engine import Engine
from workflow.scripts.slipway.imagetar import familiar


def check(record: Mapping[str, Any], verdict: Mapping[str, Any], image: Image, engine: Engine) -> None:
    """Refuse an image that has not passed, or is no longer the one that did."""
    tag, image_id = image.tag, record["image_id"]
    again = f"snakemake {record['challenge']}_image --forcerun {record['challenge']}_image_{record['image']}"
    if verdict["status"] != "PASS":
        raise UserError(f"{tag} has not passed its test ({verdict['reason']}); fix that and test it again")
    if verdict["image_id"] != image_id:
        raise UserError(f"the verdict is about {verdict['image_id']}, but {tag} was built as {image_id}; test it again")
    if familiar(record["tag"]) != familiar(tag):
        raise UserError(f"the contract calls the image {tag}, but it was built as {record['tag']}; build it again")
    found = engine.image_id(tag)
    if found is None:
        raise UserError(f"{engine.name} has no image {tag} any more; build it again: {again}")
    if found != image_id:
        raise UserError(f"{tag} was rebuilt: it is {found} now and {image_id} passed; build and test it again: {again}")
