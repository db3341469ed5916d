"""Amazon's own server, and its refusals, in words; nothing is asked here."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from containers.kit.errors import UserError
from workflow.scripts.remote.s3 import client, told
from workflow.scripts.remote.s3_place import Place

AMAZON = Place("", "stoic2021-training", "us-west-2", True, "sources.data.stoic.s3")


@pytest.mark.usefixtures("alone")
def test_without_a_host_it_is_amazon_in_the_buckets_region() -> None:
    meta = client(AMAZON).meta
    assert (meta.endpoint_url, meta.region_name) == ("https://s3.us-west-2.amazonaws.com", "us-west-2")


@pytest.mark.parametrize(
    ("code", "status", "sentence"),
    [
        (
            "AccessDenied",
            403,
            "Amazon S3 does not let anybody read bucket 'stoic2021-training'; check "
            "sources.data.stoic.s3.bucket and the rights of the user",
        ),
        (
            "PermanentRedirect",
            301,
            "Amazon S3 has bucket 'stoic2021-training' in another region (so it is); correct "
            "sources.data.stoic.s3.region",
        ),
        (
            "SlowDown",
            503,
            "Amazon S3 is too busy or broken (SlowDown: so it is); run it again later, and it goes on from there",
        ),
    ],
)
def test_a_refusal_is_one_sentence(code: str, status: int, sentence: str) -> None:
    answer = {"Error": {"Code": code, "Message": "so\nit  is"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(UserError) as refused, told(AMAZON):
        raise ClientError(answer, "ListObjectsV2")
    assert str(refused.value) == sentence
