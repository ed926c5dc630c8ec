"""The operator's commands as data: what the ``rebound`` command sends and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from rebound.access.domain import ApiKey, OperatorKey
from rebound.businesses.application.tenant_service import DEFAULT_GRACE
from rebound.businesses.domain.business import BASIC, MAX_TEXT_RATE, MIN_TEXT_RATE, Bundle, Business
from rebound.businesses.domain.text_plan import TextPlan
from rebound.kernel.api_scopes import ALL_SCOPES, OPERATOR_SCOPES, ApiScope, OperatorScope
from rebound.kernel.channels import with_former_name
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.provider_codes import TEXT_PROVIDERS, Provider
from rebound.kernel.times import write_time
from rebound.operations.application.dead_letter_service import ALL
from rebound.staff.application.invite import link_to
from rebound.staff.domain import Role, StaffMember

if TYPE_CHECKING:
    from rebound.access.application import OperatorKeyService
    from rebound.businesses.application.account_holds import AccountHolds
    from rebound.businesses.application.sender_grants import SenderGrants
    from rebound.businesses.application.settings_of_business import BusinessChange
    from rebound.businesses.application.share_customers import ShareCustomers
    from rebound.businesses.application.tenant_service import NewKey, TenantService
    from rebound.businesses.application.text_plan import SetTextPlan
    from rebound.businesses.application.text_prices import TextPrices
    from rebound.businesses.domain.text_prices import TextPrice
    from rebound.contacts.application import JoinNumbers
    from rebound.operations.application.dead_letter_service import DeadLetterService, ExplainedLetter
    from rebound.staff.application.invite import Invite, MakeLink
    from rebound.staff.application.staff_service import StaffService

MAX_GRACE_HOURS: Final = 24 * 30
MAX_VALID_DAYS: Final = 3650
INBOUND: Final = ("texts", "calls")
"""What comes in and may count against a text plan."""
DEFAULT_LINK_MINUTES: Final = 10
MAX_LINK_MINUTES: Final = 24 * 60
DEFAULT_LETTERS: Final = 20
MAX_LETTERS: Final = 1000


class RunCommand(Struct, frozen=True, kw_only=True):
    """Runs the commands. A long command asks ``may_go_on``, and its answer says how far it came."""

    tenants: TenantService
    senders: SenderGrants
    dead_letters: DeadLetterService
    join_numbers: JoinNumbers
    operator_key_service: OperatorKeyService
    account_holds: AccountHolds
    text_price_table: TextPrices
    set_text_plan: SetTextPlan
    share_customers: ShareCustomers
    invite: Invite
    make_link: MakeLink
    staff_service: StaffService
    public_url: str

    def __call__(self, event: Mapping[str, Any], may_go_on: Callable[[], bool]) -> Mapping[str, Any]:
        """Run ``event["command"]`` with the other fields as its arguments; what is wrong comes back as ``errors``."""
        try:
            return _run(self, event, may_go_on)
        except InvalidInputError as error:
            return {"errors": [{"field": wrong.field, "message": wrong.message} for wrong in error.errors]}
        except (NotFoundError, ConflictError) as error:
            return {"errors": [{"field": "command", "message": str(error)}]}


def _create_business(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _business(run.tenants.create_business(_change(event), share_sender=_flag(event, "share_sender")))


def _set_bundle(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _business(
        run.tenants.change_business(_text(event, "business_id"), {"bundles": _bundles(event.get("bundle"))})
    )


def _set_hold_policy(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    if _flag(event, "off"):
        run.account_holds.switch_off()
        return {"hold_policy": None}
    share, volume = event.get("share"), event.get("volume")
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise InvalidInputError(FieldError("share", "Is required, as a number; or off."))
    if type(volume) is not int:
        raise InvalidInputError(FieldError("volume", "Is required, as a whole number; or off."))
    policy = run.account_holds.set_policy(share=float(share), volume=volume, contact=_text(event, "contact"))
    return {"hold_policy": asdict(policy)}


def _lift_hold(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _business(run.account_holds.lift(_text(event, "business_id"), _text(event, "reason")))


def _share_customers(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    business_id = None if event.get("business_id") is None else _text(event, "business_id")
    return {"sharing": run.share_customers(shared=not _flag(event, "off"), business_id=business_id)}


def _set_text_plan(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    business_id = _text(event, "business_id")
    if _flag(event, "off"):
        return _business(run.set_text_plan(business_id, None))
    included, inbound = event.get("included"), event.get("inbound", [])
    if type(included) is not int:
        raise InvalidInputError(FieldError("included", "Is required, as a whole number; or off."))
    if not isinstance(inbound, list) or any(what not in INBOUND for what in inbound):
        raise InvalidInputError(FieldError("inbound", f"Must be out of {', '.join(INBOUND)}."))
    plan = TextPlan(
        included,
        inbound_texts="texts" in inbound,
        inbound_calls="calls" in inbound,
        tier=event.get("tier"),
        upgrade_url=event.get("upgrade_url"),
    )
    return _business(run.set_text_plan(business_id, plan))


def _set_text_price(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    given = {name: _text(event, name) for name in ("country", "provider", "price", "currency")}
    return _text_price(run.text_price_table.set(**given))


def _remove_text_price(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    country, provider = _text(event, "country"), _text(event, "provider")
    run.text_price_table.remove(country=country, provider=provider)
    return {"removed": {"country": country, "provider": provider}}


def _list_text_prices(run: RunCommand, _: Mapping[str, Any]) -> Mapping[str, Any]:
    # Fewer than 300 countries, and two providers.
    return {"text_prices": [_text_price(price) for price in run.text_price_table.page(1000, None).items]}


def _set_text_rate(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _business(run.tenants.change_business(_text(event, "business_id"), {"text_rate": _text_rate(event)}))


def _add_sender(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    share = _flag(event, "share_sender")
    return _business(run.senders.add(_text(event, "business_id"), _text(event, "sender"), share=share))


def _remove_sender(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _business(run.senders.remove(_text(event, "business_id"), _text(event, "sender")))


def _list_senders(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"senders": [asdict(grant) for grant in run.senders.list(event.get("business_id"))]}


def _rewrite_settings(run: RunCommand, _: Mapping[str, Any]) -> Mapping[str, Any]:
    return asdict(run.senders.grant_old())


def _fill_index(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    business_id = event.get("business_id")
    if business_id is not None:
        run.tenants.fill_index(_text(event, "business_id"))
        return {"begun": 1}
    begun, cursor = run.tenants.fill_indexes(event.get("cursor"))
    return {"begun": len(begun), "cursor": cursor}


def _create_key(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    label = event.get("label") or ""
    return _new_key(run.tenants.create_key(_text(event, "business_id"), _scopes(event), label))


def _rotate_key(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _new_key(run.tenants.rotate_key(_text(event, "business_id"), _text(event, "key_id"), _grace(event)))


def _revoke_key(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _key(run.tenants.revoke_key(_text(event, "business_id"), _text(event, "key_id")))


def _list_keys(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"keys": [_key(key) for key in run.tenants.list_keys(_text(event, "business_id"))]}


def _create_operator_key(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    given = event.get("scopes") or list(OPERATOR_SCOPES)
    if any(scope not in list(OperatorScope) for scope in given):
        raise InvalidInputError(FieldError("scopes", f"Must be out of {', '.join(OperatorScope)}."))
    scopes = [OperatorScope(scope) for scope in given]
    new = run.operator_key_service.create(scopes, event.get("label") or "", _lasts(event))
    return {**_any_key(new.key), "operator_key": new.token}


def _revoke_operator_key(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _any_key(run.operator_key_service.revoke(_text(event, "key_id")))


def _list_operator_keys(run: RunCommand, _: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"keys": [_any_key(key) for key in run.operator_key_service.list()]}


def _invite(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    business_id = _business_or_operators(event)
    role = Role.OPERATOR if business_id is None else event.get("role")
    more = {name: _text(event, name) for name in ("location_id", "language") if event.get(name) is not None}
    url = _console_url(run)
    invited = run.invite(business_id, _text(event, "email"), str(role), console_url=url, **more)
    return {**_member(invited.member), "emailed": invited.emailed, "link": invited.link}


def _sign_in_link(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    minutes = event.get("valid_minutes", DEFAULT_LINK_MINUTES)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= MAX_LINK_MINUTES:
        message = f"Must be a whole number from 1 to {MAX_LINK_MINUTES}."
        raise InvalidInputError(FieldError("valid_minutes", message))
    token = run.make_link(_text(event, "email"), _business_or_operators(event), timedelta(minutes=minutes))
    return {"link": link_to(_console_url(run), token)}


def _list_staff(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"staff": [_member(member) for member in run.staff_service.list(_business_or_operators(event))]}


def _remove_staff(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"removed": _member(run.staff_service.remove(_business_or_operators(event), _text(event, "email")))}


def _console_url(run: RunCommand) -> str:
    return f"{run.public_url}/console"


def _business_or_operators(event: Mapping[str, Any]) -> str | None:
    """Whose people are meant; ``None`` for the operators."""
    if not _flag(event, "operator"):
        return _text(event, "business_id")
    given = [name for name in ("business_id", "role") if event.get(name) is not None]
    if given:
        raise InvalidInputError(*(FieldError(name, "Must be left out: operators have none.") for name in given))
    return None


def _dead_letters(run: RunCommand, event: Mapping[str, Any]) -> Mapping[str, Any]:
    found = run.dead_letters.list(event.get("queue") or ALL, _limit(event))
    return {
        "queues": {
            name: {"waiting": letters.waiting, "dead_letters": [_letter(letter) for letter in letters.letters]}
            for name, letters in found.items()
        }
    }


_COMMANDS: Final[Mapping[str, Callable[[RunCommand, Mapping[str, Any]], Mapping[str, Any]]]] = {
    "create-business": _create_business,
    "set-bundle": _set_bundle,
    "set-hold-policy": _set_hold_policy,
    "lift-hold": _lift_hold,
    "set-text-rate": _set_text_rate,
    "set-text-plan": _set_text_plan,
    "share-customers": _share_customers,
    "set-text-price": _set_text_price,
    "remove-text-price": _remove_text_price,
    "list-text-prices": _list_text_prices,
    "add-sender": _add_sender,
    "remove-sender": _remove_sender,
    "list-senders": _list_senders,
    "rewrite-settings": _rewrite_settings,
    "fill-index": _fill_index,
    "create-key": _create_key,
    "rotate-key": _rotate_key,
    "revoke-key": _revoke_key,
    "list-keys": _list_keys,
    "create-operator-key": _create_operator_key,
    "revoke-operator-key": _revoke_operator_key,
    "list-operator-keys": _list_operator_keys,
    "invite": _invite,
    "sign-in-link": _sign_in_link,
    "list-staff": _list_staff,
    "remove-staff": _remove_staff,
    "dead-letters": _dead_letters,
}
COMMANDS: Final = (*_COMMANDS, "join-numbers", "redrive")


def _run(run: RunCommand, event: Mapping[str, Any], may_go_on: Callable[[], bool]) -> Mapping[str, Any]:
    command = str(event.get("command"))
    if command == "redrive":
        redriven = run.dead_letters.redrive(_text(event, "queue"), may_go_on)
        return {"redriven": redriven.counts, "done": redriven.done}
    if command == "join-numbers":
        return asdict(run.join_numbers(event.get("cursor"), may_go_on))
    if command not in _COMMANDS:
        raise InvalidInputError(FieldError("command", f"Must be one of {', '.join(COMMANDS)}."))
    return _COMMANDS[command](run, event)


def _change(event: Mapping[str, Any]) -> BusinessChange:
    provider = event.get("text_provider")
    if provider is not None and provider not in TEXT_PROVIDERS:
        raise InvalidInputError(FieldError("text_provider", f"Must be one of {', '.join(TEXT_PROVIDERS)}."))
    change = {
        **{name: event.get(name) for name in ("name", "country", "time_zone")},
        "text_provider": Provider(provider) if provider else None,
        **{name: event.get(name) or None for name in ("owner_email", "email_from", "email_from_name", "text_from")},
        "text_rate": _text_rate(event),
        "bundles": None if event.get("bundle") is None else _bundles(event["bundle"]),
        "quiet_hours": _quiet_hours(event),
    }
    return {name: value for name, value in change.items() if value is not None}


def _bundles(given: Any) -> frozenset[Bundle]:
    """All that a business has: one or more names, of which ``basic`` stands alone and is for none."""
    names = given if isinstance(given, list) else [given]
    if names == [BASIC]:
        return frozenset()
    if not names or any(name not in list(Bundle) for name in names):
        raise InvalidInputError(FieldError("bundle", f"Must be {BASIC} alone, or out of {', '.join(Bundle)}."))
    return frozenset(map(Bundle, names))


def _quiet_hours(event: Mapping[str, Any]) -> Mapping[str, None] | None:
    """No windows at all for ``off``, which an operator may want from the start; other windows are set over the API."""
    given = event.get("quiet_hours")
    if given is None:
        return None
    if given != "off":
        raise InvalidInputError(FieldError("quiet_hours", "Must be off; PATCH /v1/business sets other hours."))
    return {"sms": None, "email": None}


def _text_rate(event: Mapping[str, Any]) -> float | None:
    rate = event.get("text_rate")
    if rate is None:
        return None
    if not isinstance(rate, int | float) or not MIN_TEXT_RATE <= rate <= MAX_TEXT_RATE:
        raise InvalidInputError(FieldError("text_rate", f"Must be a number from {MIN_TEXT_RATE} to {MAX_TEXT_RATE}."))
    return float(rate)


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(FieldError(name, "Is required."))
    return value


def _flag(event: Mapping[str, Any], name: str) -> bool:
    value = event.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInputError(FieldError(name, "Must be true or false."))
    return value


def _grace(event: Mapping[str, Any]) -> timedelta:
    hours = event.get("grace_hours")
    if hours is None:
        return DEFAULT_GRACE
    if not isinstance(hours, int | float) or not 0 <= hours <= MAX_GRACE_HOURS:
        raise InvalidInputError(FieldError("grace_hours", f"Must be a number from 0 to {MAX_GRACE_HOURS}."))
    return timedelta(hours=hours)


def _lasts(event: Mapping[str, Any]) -> timedelta | None:
    days = event.get("valid_days")
    if days is None:
        return None
    if not isinstance(days, int | float) or not 0 < days <= MAX_VALID_DAYS:
        raise InvalidInputError(FieldError("valid_days", f"Must be a number above 0, at most {MAX_VALID_DAYS}."))
    return timedelta(days=days)


def _limit(event: Mapping[str, Any]) -> int:
    limit = event.get("limit", DEFAULT_LETTERS)
    if type(limit) is not int or not 1 <= limit <= MAX_LETTERS:
        raise InvalidInputError(FieldError("limit", f"Must be a whole number from 1 to {MAX_LETTERS}."))
    return limit


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
        "bundles": sorted(business.bundles),
        "bundle": business.bundle,
        "text_rate": business.text_rate,
        "email_from": business.email_from,
        "email_from_name": business.email_from_name,
        "text_from": business.text_from,
        "senders": with_former_name(asdict(business.senders)),
        "text_plan": None if business.text_plan is None else asdict(business.text_plan),
        "held_since": None if business.hold is None else write_time(business.hold.since),
        "lifted_holds": [
            {"since": write_time(hold.since), "lifted_at": write_time(hold.lifted_at), "reason": hold.reason}
            for hold in business.lifted_holds
        ],
    }


def _text_price(price: TextPrice) -> Mapping[str, Any]:
    return {
        "country": price.country,
        "provider": price.provider,
        "price": price.of(1),
        "currency": price.currency,
    }


def _new_key(new: NewKey) -> Mapping[str, Any]:
    return {**_key(new.key), "api_key": new.token}


def _key(key: ApiKey) -> Mapping[str, Any]:
    return {"business_id": key.business_id, **_any_key(key)}


def _any_key(key: ApiKey | OperatorKey) -> Mapping[str, Any]:
    return {
        "key_id": key.key_id,
        "label": key.label,
        "scopes": list(key.scopes),
        "created_at": write_time(key.created_at),
        "expires_at": write_time(key.expires_at) if key.expires_at else None,
    }


def _member(member: StaffMember) -> Mapping[str, Any]:
    signed_in = member.last_signed_in_at
    return {
        "business_id": member.business_id,
        "email": member.email,
        "role": member.role,
        "location_id": member.location_id,
        "language": member.language,
        "invited_at": write_time(member.invited_at),
        "invited_by": member.invited_by,
        "last_signed_in_at": None if signed_in is None else write_time(signed_in),
    }


def _letter(explained: ExplainedLetter) -> Mapping[str, Any]:
    letter, failure = explained.letter, explained.failure
    return {
        "message_id": letter.message_id,
        "about": list(letter.about),
        "reason": explained.reason,
        "sent_at": write_time(letter.sent_at),
        "first_tried_at": write_time(failure.first_tried_at) if failure else None,
        "failed_at": write_time(failure.failed_at) if failure else None,
        "receives": failure.receives if failure else None,
    }
