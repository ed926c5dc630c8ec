"""What the gateway's authorizer answers: which part of the API a key opens, and what functions are told of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from rebound.kernel.api_scopes import Realm


def let_in(method_arn: str, realm: Realm, key_id: str, scopes: Iterable[str], **known: str) -> Mapping[str, Any]:
    """The answer for the holder of a key.

    Its policy says what the key opens, and not what this one request (``method_arn``) is for: a gateway may keep it
    and judge other requests by it. Neither kind of key opens the other's part, in whatever order they are asked for.
    """
    stage = "/".join(method_arn.split("/", 2)[:2])
    operators = [f"{stage}/*/v1/operator", f"{stage}/*/v1/operator/*"]
    if realm is Realm.OPERATOR:
        opened = [_statement("Allow", operators)]
    else:
        opened = [_statement("Allow", [f"{stage}/*/v1/*"]), _statement("Deny", operators)]
    return {
        "principalId": key_id,
        "policyDocument": {"Version": "2012-10-17", "Statement": opened},
        "context": {"realm": str(realm), "key_id": key_id, "scopes": " ".join(scopes), **known},
    }


def _statement(effect: str, resources: list[str]) -> Mapping[str, Any]:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}
