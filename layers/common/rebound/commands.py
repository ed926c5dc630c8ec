"""The operator's commands as data: what the ``rebound`` command sends and what comes back."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from rebound.application.manage_tenants import DEFAULT_GRACE, ManageTenants, NewKey
from rebound.application.settings_of_business import UNSET, BusinessChange
from rebound.domain.business import Business, TextProvider
from rebound.domain.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.domain.keys import ALL_SCOPES, ApiKey, ApiScope

COMMANDS: Final = ("create-business", "create-key", "rotate-key", "revoke-key", "list-keys")
MAX_GRACE_HOURS: Final = 24 * 30


def run(tenants: ManageTenants, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run ``event["command"]`` with the other fields as its arguments; what is wrong comes back as ``errors``."""
    try:
        return _run(tenants, event)
    except InvalidInputError as error:
        return {"errors": [{"field": wrong.field, "message": wrong.message} for wrong in error.errors]}
    except (NotFoundError, ConflictError) as error:
        return {"errors": [{"field": "command", "message": str(error)}]}


def _run(tenants: ManageTenants, event: Mapping[str, Any]) -> Mapping[str, Any]:
    match event.get("command"):
        case "create-business":
            return _business(tenants.create_business(_change(event)))
        case "create-key":
            label = event.get("label") or ""
            return _new_key(tenants.create_key(_text(event, "business_id"), _scopes(event), label))
        case "rotate-key":
            return _new_key(tenants.rotate_key(_text(event, "business_id"), _text(event, "key_id"), _grace(event)))
        case "revoke-key":
            return _key(tenants.revoke_key(_text(event, "business_id"), _text(event, "key_id")))
        case "list-keys":
            return {"keys": [_key(key) for key in tenants.list_keys(_text(event, "business_id"))]}
        case _:
            raise InvalidInputError(FieldError("command", f"Must be one of {', '.join(COMMANDS)}."))


def _change(event: Mapping[str, Any]) -> BusinessChange:
    provider = event.get("text_provider")
    if provider is not None and provider not in list(TextProvider):
        raise InvalidInputError(FieldError("text_provider", f"Must be one of {', '.join(TextProvider)}."))
    return BusinessChange(
        name=event.get("name"),
        country=event.get("country"),
        time_zone=event.get("time_zone"),
        text_provider=TextProvider(provider) if provider else None,
        owner_email=event.get("owner_email") or UNSET,
        email_from=event.get("email_from") or UNSET,
        text_from=event.get("text_from") or UNSET,
    )


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(FieldError(name, "Is required."))
    return value


def _grace(event: Mapping[str, Any]) -> timedelta:
    hours = event.get("grace_hours")
    if hours is None:
        return DEFAULT_GRACE
    if not isinstance(hours, int | float) or not 0 <= hours <= MAX_GRACE_HOURS:
        raise InvalidInputError(FieldError("grace_hours", f"Must be a number from 0 to {MAX_GRACE_HOURS}."))
    return timedelta(hours=hours)


def _scopes(event: Mapping[str, Any]) -> Sequence[ApiScope]:
    given = event.get("scopes") or list(ALL_SCOPES)
    if any(scope not in list(ApiScope) for scope in given):
        raise InvalidInputError(FieldError("scopes", f"Must be out of {', '.join(ApiScope)}."))
    return [ApiScope(scope) for scope in given]


def _business(business: Business) -> Mapping[str, Any]:
    return {
        "business_id": business.business_id,
        "name": business.name,
        "country": business.country,
        "time_zone": business.time_zone,
    }


def _new_key(new: NewKey) -> Mapping[str, Any]:
    return {**_key(new.key), "api_key": new.token}


def _key(key: ApiKey) -> Mapping[str, Any]:
    return {
        "business_id": key.business_id,
        "key_id": key.key_id,
        "label": key.label,
        "scopes": list(key.scopes),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
    }
