"""Fetch a data set of the platform's bucket: whole files, and of those only what is new or has changed.

Credentials are OID_ACCESS_TOKEN, which buys temporary ones as it does on the platform, or those that boto3 finds
(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ~/.aws). They are neither kept nor shown.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import boto3

from containers.agrigaia.common.s3_fetch import Copies, room
from containers.kit.errors import UserError
from containers.kit.files import hash_of
from workflow.scripts.agrigaia.remote import KEY, Remote, complete
from workflow.scripts.agrigaia.remote_token import VARIABLE, assume
from workflow.scripts.remote.bring import FOLDER
from workflow.scripts.remote.s3 import bring, client, listing, told
from workflow.scripts.remote.s3_place import Place
from workflow.scripts.slipway.signals import raised


def fetch(settings: Remote, scratch: Path) -> Path:
    """The data set's folder, as it is in the bucket now; each data set of each server has a folder of its own."""
    wanted = complete(settings)
    place = Place(wanted.host, wanted.bucket, "", wanted.anonymous, KEY, called="host", token=VARIABLE)
    named = f"{wanted.bucket}-{hash_of([wanted.host, wanted.bucket, wanted.dataset])}"
    root, prefix = scratch / FOLDER / named / "datasets", f"datasets/{wanted.dataset}/"
    with told(place), raised():
        s3 = client(place, _session(wanted))
        items = listing(s3, place, prefix)
        if not items:
            raise UserError(
                f"bucket '{wanted.bucket}' of {wanted.host} has nothing under {prefix}; correct {KEY}.dataset"
            )
        root.mkdir(parents=True, exist_ok=True)
        with Copies(root, wanted.dataset) as copies:
            due = [item for item in items if not copies.has(item)]
            room(due, root)
            bring(s3, place, due, copies, f"data set {wanted.dataset}")
            gone = copies.drop_all_but(items)
    size = sum(item.size for item in due) / 1e6
    print(
        f"datasets/{wanted.dataset} of bucket {wanted.bucket}: {len(items):,} files, {len(due):,} of them fetched "
        f"({size:.1f} MB), {len(items) - len(due):,} already there; {gone:,} removed here"
    )
    return root / wanted.dataset


def _session(wanted: Remote) -> Any:
    token = "" if wanted.anonymous else os.environ.get(VARIABLE, "").strip()
    return boto3.Session(**assume(wanted.host, token)) if token else None
