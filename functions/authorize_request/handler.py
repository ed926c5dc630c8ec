"""Who is calling: API Gateway asks before each request that needs a key."""

from collections.abc import Mapping
from typing import Any

from rebound.access import wiring
from rebound.platform.http.policies import let_in
from rebound.platform.invocations import at_start

at_start(lambda: wiring.use_cases().authorize_request)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Let the holder of a key into the part of the API that it is for; anybody else gets 401."""
    # The case of header names differs between gateways.
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    key = wiring.use_cases().authorize_request(headers.get("authorization"))
    if key is None:
        # The exact text by which API Gateway knows a 401.
        raise Exception("Unauthorized")  # noqa: TRY002
    return let_in(event["methodArn"], key.realm, key.key_id, key.scopes, **key.known)
