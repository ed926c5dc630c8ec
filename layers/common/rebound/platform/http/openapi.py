"""The OpenAPI document. Printed by ``python -m rebound.api``, kept at docs/openapi.json."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

VERSION: Final = "1.0.0"
DESCRIPTION: Final = (
    "Campaigns out over email and text, receipts back, contact details kept honest. Times are RFC 3339 in UTC, phone "
    "numbers E.164. Errors are problem details (RFC 9457). POST takes an Idempotency-Key: the same key and body gives "
    "the first answer again for a day, the same key with another body 409. Lists take limit and cursor."
)
_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body gives the first answer again.",
    "schema": {"type": "string", "maxLength": 128},
}


def write_document(app: APIGatewayRestResolver, elsewhere: Mapping[str, Any]) -> str:
    """The document as JSON, with sorted keys so that it can be compared; ``elsewhere`` are paths that others answer."""
    # Half a second's worth of models, which only the document needs.
    from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer  # noqa: PLC0415

    written = app.get_openapi_json_schema(
        title="Rebound",
        version=VERSION,
        description=DESCRIPTION,
        security_schemes={"key": HTTPBearer(scheme="bearer", description="An API key of the business.")},
        security=[{"key": []}],
    )
    document: dict[str, Any] = json.loads(written)
    document.pop("servers", None)
    for path in document["paths"].values():
        if "post" in path:
            path["post"].setdefault("parameters", []).append(_IDEMPOTENCY)
    document["paths"].update(elsewhere)
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
