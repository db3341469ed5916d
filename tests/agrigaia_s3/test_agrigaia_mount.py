"""The real thing: s3fs mounts a bucket of a real server, and the entrypoint trains from it.

Each test has namespaces of its own for mounts and processes, so that neither is seen outside or outlives it.

They need /dev/fuse and root, as the container does; what they do without is in test_agrigaia_sync.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.agrigaia_s3.conftest import COMMON, Place
from tests.agrigaia_s3.weed import BUCKET, Server

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not Path("/dev/fuse").is_char_device() or os.geteuid() != 0, reason="needs /dev/fuse and root"),
]
PACKAGES = ("s3fs", "libfuse2", "fuse")
FILES = {"field 1.jpg": b"one", "field 2.jpg": b"two", "annotations/annotations.xml": b"<annotations/>"}
# s3fs takes its credentials from the home of /etc/passwd: that of the test, in the test's namespace.
HOME = """printf 'root:x:0:0::%s:/bin/bash\\n' "$HOME" >"$HOME/passwd" && mount --bind "$HOME/passwd" /etc/passwd"""
MOUNT = f'bash {COMMON}/mount-s3.sh -t - -s "$S3_HOST" -b "$S3_BUCKET_NAME" -m "$MOUNT" <"$HOME/token"'


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with s3fs and what it calls: this machine's, or Debian's packages unpacked and not installed."""
    folder = tmp_path_factory.mktemp("s3fs")
    if shutil.which("s3fs"):
        return folder
    download = ["apt-get", "download", *PACKAGES]
    if subprocess.run(download, cwd=folder, capture_output=True).returncode:  # Debian's lists are not there yet
        subprocess.run(["apt-get", "update"], check=True, capture_output=True)
        subprocess.run(download, cwd=folder, check=True, capture_output=True)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(folder / "root")], check=True)
    for name in ("usr/bin/s3fs", "bin/fusermount"):
        (folder / Path(name).name).write_text(
            f'#!/bin/sh\nLD_LIBRARY_PATH=$(echo {folder}/root/lib/*-linux-gnu) exec {folder}/root/{name} "$@"\n'
        )
        (folder / Path(name).name).chmod(0o755)
    return folder


@pytest.fixture(autouse=True, scope="module")
def data(server: Server) -> None:
    for name, body in FILES.items():
        server.s3.put_object(Bucket=BUCKET, Key=f"datasets/7/{name}", Body=body)


def inside(place: Place, programs: Path, server: Server, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    (place.folder / "token").write_text(server.issuer.token())
    path = os.pathsep.join([str(programs), place.environment()["PATH"]])
    known = {
        "S3_HOST": server.url,
        "S3_BUCKET_NAME": BUCKET,
        "DATASET_ID": "7",
        "MOUNT": str(place.mount),
        "S3_MODE": "",
        "PATH": path,
    }
    command = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "bash",
        "-c",
        f"{HOME}\n{script}",
    ]
    return place.run(command, **{**known, **more})


def mounted() -> bool:
    return "fuse.s3fs" in Path("/proc/mounts").read_text()


def test_a_bucket_is_mounted_and_stays_so(place: Place, programs: Path, server: Server) -> None:
    read = 'grep -c fuse.s3fs /proc/mounts; cd "$MOUNT/datasets/7" && find . -type f | sort && cat "field 1.jpg"; cd /'
    done = inside(place, programs, server, f"{MOUNT} && {read} && {MOUNT} && grep -c fuse.s3fs /proc/mounts")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1\n./annotations/annotations.xml\n./field 1.jpg\n./field 2.jpg\none1\n"
    said = done.stderr.splitlines()
    assert said[0].startswith(f"S3 credentials for {server.url} are good until ")
    assert said[1:] == [
        f"Bucket {BUCKET} of {server.url} is mounted at {place.mount}",
        f"Bucket is already mounted at {place.mount}",
    ]
    assert place.credentials.stat().st_mode & 0o777 == 0o600
    assert not mounted()


def test_what_an_ended_s3fs_left_is_mounted_anew(place: Place, programs: Path, server: Server) -> None:
    kill = 'kill -9 $(pgrep -x s3fs); while ls "$MOUNT" 2>/dev/null; do sleep 0.1; done'
    done = inside(place, programs, server, f'{MOUNT} && {kill}; {MOUNT} && cat "$MOUNT/datasets/7/field 2.jpg"')
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "two"), done.stderr


def test_a_bucket_that_is_not_there(place: Place, programs: Path, server: Server) -> None:
    for mode in ("mount", "auto"):
        done = inside(place, programs, server, MOUNT, S3_BUCKET_NAME="nowhere", S3_MODE=mode)
        assert done.returncode == 6
        said = done.stderr.splitlines()
        if mode == "mount":
            assert said[-1].startswith(
                f"Error: s3fs did not mount bucket 'nowhere' of {server.url} at {place.mount}; check "
            )
        else:
            assert (
                said[-2] == f"Note: s3fs did not mount bucket nowhere at {place.mount}; the data set is fetched instead"
            )
            assert said[-1].startswith(f"Error: {server.url} does not let these credentials read bucket 'nowhere'; ")


def test_where_mounting_is_refused_the_data_are_fetched(place: Place, programs: Path, server: Server) -> None:
    """As in a container without --privileged."""
    refused = f"setpriv --bounding-set -sys_admin --inh-caps -sys_admin {MOUNT}"
    done = inside(place, programs, server, f"{refused} && ! grep fuse.s3fs /proc/mounts")
    assert done.returncode == 0, done.stderr
    assert (
        f"Note: s3fs did not mount bucket {BUCKET} at {place.mount}; the data set is fetched instead\n" in done.stderr
    )
    assert done.stdout.startswith(f"S3: 3 files of data set 7 in {place.data('7')}: 3 fetched ")
    assert {str(path.relative_to(place.data("7"))): path.read_bytes() for path in place.data("7").rglob("*.*")} == FILES
    again = inside(place, programs, server, MOUNT)  # with all rights: what was fetched is gone on with
    assert "0 fetched (0.0 MB), 3 already there" in again.stdout


def test_without_fuse_the_data_are_fetched(place: Place, programs: Path, server: Server) -> None:
    done = inside(place, programs, server, f"mount -t tmpfs none /dev && {MOUNT}")
    assert done.returncode == 0, done.stderr
    assert "Note: no FUSE here (/dev/fuse, s3fs); the data set is fetched instead\n" in done.stderr
    assert (place.data("7") / "field 1.jpg").read_bytes() == b"one"


@pytest.mark.parametrize("mode", ["mount", "sync"])
def test_the_entrypoint_trains_from_the_bucket(place: Place, programs: Path, server: Server, mode: str) -> None:
    for name in ("config.py", "config_to_args.py"):
        shutil.copy(COMMON / name, place.folder)
    (place.folder / "train_config.json").write_text('{"epochs": 1}')
    (place.folder / "presets.json").write_text("{}")
    (place.folder / "setup.py").write_text("from config import *\nfinalize_config(load_config())\n")
    lines = ["import json, os, pathlib", "root = pathlib.Path(os.environ['AGRIGAIA_MINIO'], os.environ['DATASET_ID'])"]
    lines += ["print(json.dumps({path.name: path.read_text() for path in root.rglob('*.*')}, sort_keys=True))"]
    (place.folder / "train.py").write_text("\n".join(lines))
    start = f'export OID_ACCESS_TOKEN=$(cat "$HOME/token")\n/bin/bash {COMMON}/docker-entrypoint.sh'
    environment = {"AGRIGAIA_MINIO": str(place.mount / "datasets"), "S3_MODE": mode}
    done = inside(place, programs, server, f"{start} && {start}", **environment)
    assert done.returncode == 0, done.stderr
    seen = json.dumps({Path(name).name: body.decode() for name, body in FILES.items()}, sort_keys=True)
    assert done.stdout.splitlines().count(seen) == 2
    assert "warning" not in done.stderr
    assert (place.folder / "token").read_text() not in done.stdout + done.stderr
    assert not mounted()
