"""Fetch one data set from its bucket to where a mounted bucket would have it; for containers that have no FUSE.

    python sync_s3.py --host http://minio:9000 --bucket agri --dataset 1 --mount /minio

What lies under datasets/1/ in the bucket comes to /minio/datasets/1/, each file whole or not at all. Run again, it
fetches what is new or has changed, goes on with what was broken off, and removes what it fetched and the bucket has no
more. Credentials: the profile `dataset` of ~/.aws/credentials.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from s3_client import client, told
from s3_fetch import Copies, SyncError, fetch_all, listed, room

NAMED = 5  # how many names a sentence names


def sync(s3: Any, bucket: str, dataset: str, root: Path, workers: int) -> str:
    """What was done, in words."""
    began = time.monotonic()
    prefix = f"datasets/{dataset}/"
    items, unsafe = listed(s3, bucket, prefix)
    if unsafe:
        more = f" and {len(unsafe) - NAMED} more" if len(unsafe) > NAMED else ""
        names = ", ".join(map(repr, unsafe[:NAMED]))
        print(f"note: left out, since a file cannot have such a name: {names}{more}", file=sys.stderr)
    if not items:
        raise SyncError(f"bucket '{bucket}' has nothing under {prefix}; check DATASET_ID and S3_BUCKET_NAME")
    with Copies(root, dataset) as copies:
        due = [item for item in items if not copies.has(item)]
        room(due, root)
        unsure = fetch_all(s3, bucket, due, copies, workers, came=lambda _: None)
        if unsure:
            print(f"note: {len(unsure)} of {len(due)} files were checked by their size alone", file=sys.stderr)
        gone = copies.drop_all_but(items)
    size, seconds = sum(item.size for item in due) / 1e6, time.monotonic() - began
    return (
        f"S3: {len(items)} files of data set {dataset} in {root / dataset}: {len(due)} fetched ({size:.1f} MB), "
        f"{len(items) - len(due)} already there, {gone} removed; {seconds:.1f} s"
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", required=True, help="the S3 server, such as http://minio:9000")
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--dataset", required=True, help="the data set's number, which DATASET_ID tells")
    parser.add_argument("--mount", required=True, type=Path, help="where the bucket would be mounted")
    parser.add_argument("--workers", type=int, default=16, help="how many files are fetched at once")
    options = parser.parse_args(argv)
    name = options.dataset
    root = options.mount / "datasets"
    try:
        if name in ("", ".", "..") or Path(name).name != name:
            raise SyncError(f"data set '{name}' is no name of a folder; give DATASET_ID the one below datasets/")
        with told(options.host, options.bucket):
            root.mkdir(parents=True, exist_ok=True)
            print(sync(client(options.host), options.bucket, name, root, options.workers))
    except SyncError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
