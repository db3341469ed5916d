"""mount-s3.sh: its options, its exit codes, and how a token becomes credentials on a real server."""

from __future__ import annotations

import configparser
import re
import stat
from datetime import UTC, datetime, timedelta

import pytest

from tests.agrigaia_s3.conftest import COMMON, Place
from tests.agrigaia_s3.weed import BUCKET, ROLE, Server, s3_client

SCRIPT = str(COMMON / "mount-s3.sh")
DATASET = {"DATASET_ID": "creds"}


@pytest.fixture(autouse=True, scope="module")
def data(server: Server) -> None:
    server.s3.put_object(Bucket=BUCKET, Key="datasets/creds/a.jpg", Body=b"picture")


def profiles(place: Place) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser()  # strict: a profile that is there twice is an error
    found.read_string(place.credentials.read_text())
    return found


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 1, "Usage: mount-s3.sh -t TOKEN|- -s S3_HOST -b BUCKET -m MOUNTPOINT"),
        (["-x"], 2, "Error: there is no option -x; the options are -t, -s, -b and -m."),
        (["-t", "a", "-b"], 3, "Error: option -b has no value; give it one."),
        (
            ["-t", "", "-s", "", "-b", "", "-m", "/minio"],
            4,
            "Error: S3 server '' did not return S3 credentials for given OIDC access token.",
        ),
        (
            ["-t", "", "-s", "http://minio:9000", "-b", "b", "-m", "m"],
            4,
            "Error: S3 server 'http://minio:9000' did not return S3 credentials for given OIDC access token. "
            "It said: nothing, for OID_ACCESS_TOKEN is empty; the platform gives it.",
        ),
        (
            ["-t", "a", "-s", "http://minio:9000", "-m", "m"],
            5,
            "Error: incomplete options: -b (S3_BUCKET_NAME) and -m must name the bucket and the folder for it.",
        ),
    ],
)
def test_options_that_do_not_do(place: Place, words: list[str], status: int, said: str) -> None:
    done = place.run(["bash", SCRIPT, *words])
    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"{said}\n")
    assert not place.credentials.exists()


def test_an_unknown_mode(place: Place, server: Server) -> None:
    done = place.bring(server.url, "token", S3_MODE="fast")
    assert done.returncode == 5
    assert done.stderr == "Error: S3_MODE is 'fast'; set it to mount or sync, or leave it out.\n"


def test_a_token_becomes_a_profile_for_its_owner_alone(place: Place, server: Server) -> None:
    done = place.bring(server.url, server.issuer.token(), **DATASET)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(place.credentials.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.credentials.parent.stat().st_mode) == 0o700
    profile = profiles(place)["dataset"]
    keys = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    s3 = s3_client(server.url, **{key: profile[key] for key in keys})
    assert s3.get_object(Bucket=BUCKET, Key="datasets/creds/a.jpg")["Body"].read() == b"picture"
    with pytest.raises(Exception, match="AccessDenied"):
        s3.put_object(Bucket=BUCKET, Key="datasets/creds/b.jpg", Body=b"")
    # The server does not give a week, and was asked for the half day that it gives.
    good = datetime.fromisoformat(profile["x_security_token_expires"]) - datetime.now(UTC)
    assert timedelta(hours=11, minutes=58) < good <= timedelta(hours=12)
    assert f"S3 credentials for {server.url} are good until {profile['x_security_token_expires']}\n" in done.stderr


def test_a_life_may_be_asked_for(place: Place, server: Server) -> None:
    place.bring(server.url, server.issuer.token(), **DATASET, S3_DURATION_SECONDS="1800")
    good = datetime.fromisoformat(profiles(place)["dataset"]["x_security_token_expires"]) - datetime.now(UTC)
    assert timedelta(minutes=28) < good <= timedelta(minutes=30)


def test_the_profile_is_replaced_and_others_stay(place: Place, server: Server) -> None:
    place.credentials.parent.mkdir()
    mine = "# mine\n[default]\naws_access_key_id = me\n"
    rest = "\n[work]\naws_access_key_id = other\n"
    place.credentials.write_text(f"{mine}[dataset]\naws_access_key_id = old\naws_secret_access_key = old\n{rest}")
    keys = set()
    for _ in range(2):
        assert place.bring(server.url, server.issuer.token(), **DATASET).returncode == 0
        found = profiles(place)
        assert found.sections() == ["default", "work", "dataset"]
        keys.add(found["dataset"]["aws_access_key_id"])
    assert len(keys) == 2
    assert "old" not in place.credentials.read_text()
    assert place.credentials.read_text().startswith(mine)
    assert stat.S_IMODE(place.credentials.stat().st_mode) == 0o600


def test_a_host_without_a_scheme_and_with_a_slash(place: Place, server: Server) -> None:
    done = place.bring(server.url.removeprefix("http://") + "/", server.issuer.token(), **DATASET)
    assert done.returncode == 0, done.stderr
    assert profiles(place)["dataset"]["x_s3_host"] == server.url


def test_a_role_for_servers_that_want_one(place: Place, server: Server) -> None:
    token = server.issuer.token(policy="")
    refused = place.bring(server.url, token, **DATASET)
    assert refused.returncode == 4
    assert refused.stderr == (
        f"Error: S3 server '{server.url}' did not return S3 credentials for given OIDC access token. "
        "It said: AccessDenied: RoleArn is required when claim-based policy mode is not configured\n"
    )
    assert place.bring(server.url, token, **DATASET, S3_ROLE_ARN=ROLE).returncode == 0


@pytest.mark.parametrize("wrong", ["expired", "tampered"])
def test_a_token_that_is_refused(place: Place, server: Server, wrong: str) -> None:
    token = server.issuer.token(seconds=-10) if wrong == "expired" else server.issuer.token()[:-8] + "AAAAAAAA"
    done = place.bring(server.url, token, **DATASET)
    assert done.returncode == 4
    what = {"expired": "ExpiredTokenException: .*token is expired", "tampered": "InvalidParameterValue: .*signature .*"}
    start = f"Error: S3 server '{server.url}' did not return S3 credentials for given OIDC access token. It said: "
    assert re.fullmatch(rf"{re.escape(start)}{what[wrong]}\n", done.stderr)
    assert token not in done.stderr
    assert not place.credentials.exists()
    assert not place.mount.exists()


def test_a_later_start_uses_the_credentials_of_the_first(place: Place, server: Server) -> None:
    """`docker start` gives the container the token of its first start, which is too old by then."""
    assert place.bring(server.url, server.issuer.token(), **DATASET).returncode == 0
    before = place.credentials.read_text()
    expires = profiles(place)["dataset"]["x_security_token_expires"]
    old = server.issuer.token(seconds=-10)
    done = place.bring(server.url, old, **DATASET)
    assert done.returncode == 0
    assert "refused the token (ExpiredTokenException: " in done.stderr
    assert f"; the credentials of an earlier start are good until {expires}\n" in done.stderr
    assert place.credentials.read_text() == before
    soon = (datetime.now(UTC) + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    place.credentials.write_text(before.replace(expires, soon))
    assert place.bring(server.url, old, **DATASET).returncode == 4
    place.credentials.write_text(before.replace(server.url, "http://another:9000"))
    assert place.bring(server.url, old, **DATASET).returncode == 4


def test_a_server_that_is_not_there(place: Place, server: Server) -> None:
    done = place.bring("http://127.0.0.1:9", server.issuer.token(), **DATASET)
    assert done.returncode == 4
    assert re.search(r"It said: nothing \(curl: .*127\.0\.0\.1 port 9 .*\); check S3_HOST\n$", done.stderr)
    assert done.stderr.count("\n") == 1


def test_a_credentials_file_that_cannot_be_written(place: Place, server: Server) -> None:
    place.credentials.mkdir(parents=True)
    done = place.bring(server.url, server.issuer.token(), **DATASET)
    assert done.returncode == 6
    assert done.stderr.startswith(f"Error: {place.credentials} is not usable for credentials (")
    assert done.stderr.count("\n") == 1
