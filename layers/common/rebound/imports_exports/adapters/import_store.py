"""The files of imports in S3, and the parts that they are divided into."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import batched
from typing import IO, Any, Final
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from rebound.imports_exports.domain import ImportFile, UploadForm
from rebound.kernel.errors import NotFoundError

PREFIX: Final = "imports/"
"""An object that arrives under this prefix starts its import."""
DRAFTS_PREFIX: Final = "import-drafts/"
"""What arrives here starts nothing."""
PARTS_PREFIX: Final = "import-parts/"
UPLOAD_SECONDS: Final = 3600
MOST_BYTES: Final = 512 * 1024 * 1024
"""Of a file that a browser brings: some million rows, and no more than S3 copies while somebody waits."""
_MOST_REMOVED: Final = 1000


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

    def open(self, business_id: str, import_id: str, offset: int = 0) -> ImportFile:
        # S3 refuses a range that begins after the last byte, so the range begins one byte early.
        part = {"Range": f"bytes={offset - 1}-"} if offset else {}
        try:
            answer = self._get(_key(business_id, import_id), **part)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidRange":
                raise
            return self.open(business_id, import_id)
        body = answer["Body"]
        if offset:
            body.read(1)
        size = int(answer["ContentRange"].rpartition("/")[2]) if offset else int(answer["ContentLength"])
        return ImportFile(body, size, answer["ETag"])

    def upload_form(self, business_id: str, draft_id: str, then: str) -> UploadForm:
        form = self._client.generate_presigned_post(
            Bucket=self._bucket,
            Key=_draft_key(business_id, draft_id),
            Fields={"success_action_redirect": then},
            Conditions=[{"success_action_redirect": then}, ["content-length-range", 0, MOST_BYTES]],
            ExpiresIn=UPLOAD_SECONDS,
        )
        return UploadForm(form["url"], form["fields"], MOST_BYTES)

    def open_draft(self, business_id: str, draft_id: str) -> ImportFile:
        with _absent_is_not_found():
            answer = self._client.get_object(Bucket=self._bucket, Key=_draft_key(business_id, draft_id))
        return ImportFile(answer["Body"], int(answer["ContentLength"]), answer["ETag"])

    def take_draft(self, business_id: str, draft_id: str) -> None:
        source = {"Bucket": self._bucket, "Key": _draft_key(business_id, draft_id)}
        with _absent_is_not_found():
            self._client.copy_object(Bucket=self._bucket, Key=_key(business_id, draft_id), CopySource=source)

    def put_piece(self, business_id: str, import_id: str, part: int, piece: int, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=_piece_key(business_id, import_id, part, piece), Body=content)

    def open_piece(self, business_id: str, import_id: str, part: int, piece: int) -> IO[bytes]:
        body: IO[bytes] = self._get(_piece_key(business_id, import_id, part, piece))["Body"]
        return body

    def remove_pieces(self, business_id: str, import_id: str, parts: int, pieces: int) -> None:
        def keys() -> Iterator[str]:
            for part in range(parts):
                for piece in range(pieces):
                    yield _piece_key(business_id, import_id, part, piece)

        for some in batched(keys(), _MOST_REMOVED, strict=False):
            objects = {"Objects": [{"Key": key} for key in some], "Quiet": True}
            failed = self._client.delete_objects(Bucket=self._bucket, Delete=objects).get("Errors")
            if failed:
                raise NotRemovedError(failed[0]["Code"])

    def _get(self, key: str, **more: str) -> Any:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key, **more)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise NotFoundError("import file") from None
            raise


class NotRemovedError(Exception):
    """S3 did not remove an object; the error's text is S3's error code."""


@contextmanager
def _absent_is_not_found() -> Iterator[None]:
    """Raise ``NotFoundError`` for a draft that is not there.

    To whoever may not list the bucket, and the console may not, S3 says only that it refuses. Source: Amazon S3,
    GetObject, "Permissions".
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404", "AccessDenied"):
            raise NotFoundError("import file") from None
        raise


def _key(business_id: str, import_id: str) -> str:
    return f"{PREFIX}{business_id}/{import_id}"


def _draft_key(business_id: str, draft_id: str) -> str:
    return f"{DRAFTS_PREFIX}{business_id}/{draft_id}"


def _piece_key(business_id: str, import_id: str, part: int, piece: int) -> str:
    return f"{PARTS_PREFIX}{business_id}/{import_id}/{part:03d}/{piece:06d}"


def import_of_key(key: str) -> tuple[str, str]:
    """The business id and import id in an object's key."""
    business_id, import_id = key.removeprefix(PREFIX).split("/", 1)
    return business_id, import_id


def imports_of_notice(body: str) -> Sequence[tuple[str, str]]:
    """The business id and import id of each object in an S3 notification; S3's initial test event has none."""
    records = json.loads(body).get("Records", ())
    return [import_of_key(unquote_plus(record["s3"]["object"]["key"])) for record in records]
