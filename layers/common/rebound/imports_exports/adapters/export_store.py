"""The files of exports in S3, each written as the parts of one upload."""

from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from rebound.imports_exports.ports import HOUR
from rebound.kernel.errors import NotFoundError

PREFIX: Final = "exports/"
CONTENT_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


class S3ExportStore:
    """Implements ``ExportStore``."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def begin(self, business_id: str, export_id: str, format_: str) -> str:
        answer = self._client.create_multipart_upload(
            Bucket=self._bucket,
            Key=_key(business_id, export_id),
            ContentType=CONTENT_TYPES[format_],
            ContentDisposition=f'attachment; filename="customers-{export_id}.{format_}"',
        )
        upload_id: str = answer["UploadId"]
        return upload_id

    def put_part(self, business_id: str, export_id: str, upload_id: str, number: int, content: bytes) -> str:
        answer = self._client.upload_part(
            Bucket=self._bucket,
            Key=_key(business_id, export_id),
            UploadId=upload_id,
            PartNumber=number,
            Body=content,
        )
        tag: str = answer["ETag"]
        return tag

    def complete(self, business_id: str, export_id: str, upload_id: str, tags: Sequence[str]) -> None:
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, start=1)]
        where = {"Bucket": self._bucket, "Key": _key(business_id, export_id)}
        try:
            self._client.complete_multipart_upload(**where, UploadId=upload_id, MultipartUpload={"Parts": parts})
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            # The upload was completed before; if the file is missing too, this raises.
            self._client.head_object(**where)

    def put_rest(self, business_id: str, export_id: str, name: int, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=_rest_key(business_id, export_id, name), Body=content)

    def read_rest(self, business_id: str, export_id: str, name: int) -> bytes:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=_rest_key(business_id, export_id, name))
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise NotFoundError("export file") from None
            raise
        content: bytes = answer["Body"].read()
        return content

    def download_url(self, business_id: str, export_id: str, seconds: int = HOUR) -> str:
        where = {"Bucket": self._bucket, "Key": _key(business_id, export_id)}
        url: str = self._client.generate_presigned_url("get_object", Params=where, ExpiresIn=seconds)
        return url


def _key(business_id: str, export_id: str) -> str:
    return f"{PREFIX}{business_id}/{export_id}"


def _rest_key(business_id: str, export_id: str, name: int) -> str:
    return f"{_key(business_id, export_id)}/rest-{name}"
