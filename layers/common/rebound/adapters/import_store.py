"""The files of imports in S3."""

import json
from collections.abc import Sequence
from typing import IO, Any, Final
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from rebound.domain.errors import NotFoundError

PREFIX: Final = "imports/"
UPLOAD_SECONDS: Final = 3600


class S3ImportStore:
    """Implements ``ImportStore``. The arrival of an object starts its import."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, business_id: str, import_id: str, content: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=_key(business_id, import_id), Body=content.encode())

    def upload_url(self, business_id: str, import_id: str) -> str:
        url: str = self._client.generate_presigned_url(
            "put_object", Params={"Bucket": self._bucket, "Key": _key(business_id, import_id)}, ExpiresIn=UPLOAD_SECONDS
        )
        return url

    def open(self, business_id: str, import_id: str) -> IO[bytes]:
        try:
            body: IO[bytes] = self._client.get_object(Bucket=self._bucket, Key=_key(business_id, import_id))["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise NotFoundError("import file") from None
            raise
        return body


def _key(business_id: str, import_id: str) -> str:
    return f"{PREFIX}{business_id}/{import_id}"


def import_of_key(key: str) -> tuple[str, str]:
    """Business and import of an object's key."""
    business_id, import_id = key.removeprefix(PREFIX).split("/", 1)
    return business_id, import_id


def imports_of_notice(body: str) -> Sequence[tuple[str, str]]:
    """Business and import of each object in one of S3's notices; the test event that it sends at first has none."""
    records = json.loads(body).get("Records", ())
    return [import_of_key(unquote_plus(record["s3"]["object"]["key"])) for record in records]
