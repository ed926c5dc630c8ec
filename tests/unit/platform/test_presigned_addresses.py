"""The addresses of uploads and downloads, as a real account takes them."""

from urllib.parse import parse_qs, urlsplit

import pytest

from rebound.imports_exports.wiring import AwsImportsExportsPorts
from rebound.platform.adapters.aws import session
from rebound.platform.wiring import AwsPorts


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-south-2"])
def test_a_presigned_address_is_of_the_buckets_region_and_signed_by_version_4(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    given = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "t"}
    for name, value in {
        **given,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "IMPORTS_BUCKET": "imports",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(AwsPorts, "made", {})
    session.cache_clear()
    ports = AwsImportsExportsPorts()
    try:
        urls = [ports.import_store.upload_url("b", "i"), ports.export_store.download_url("b", "e")]
    finally:
        session.cache_clear()
    for url, path in zip(urls, ("/imports/b/i", "/exports/b/e"), strict=True):
        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        assert (parts.scheme, parts.netloc, parts.path) == ("https", f"imports.s3.{region}.amazonaws.com", path)
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        # What else the client sends, such as a Content-Type, is its own affair.
        assert query["X-Amz-SignedHeaders"] == ["host"]
        assert query["X-Amz-Expires"] == ["3600"]
        assert f"/{region}/s3/" in query["X-Amz-Credential"][0]
