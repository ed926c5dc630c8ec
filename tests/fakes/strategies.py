"""What Hypothesis draws: evidence, receipts, customers, filters."""

from datetime import date, datetime
from typing import Any, Final

from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Recovery
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Evidence, Failure, Tried, Voided
from rebound.customers.domain import TEXT_FIELDS, Customer
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import FailureClass, Provider, all_codes
from rebound.kernel.receipts import Outcome
from rebound.segments.domain.leaves import CONSENT_VALUES
from tests.fakes.making import at, customer

CODES: Final = tuple((row.provider, row.code) for row in all_codes())
CODES_OF_SES: Final = tuple(code for provider, code in CODES if provider is Provider.SES)
CODES_OF_TWILIO: Final = tuple(code for provider, code in CODES if provider is Provider.TWILIO)
HARMLESS: Final = tuple(
    (row.provider, row.code)
    for row in all_codes()
    if row.failure_class not in (FailureClass.INVALID, FailureClass.UNREACHABLE)
)
"""Codes that say nothing about an address."""

moments: Final[st.SearchStrategy[datetime]] = st.integers(0, 12).map(at)
"""Few, so that the same instant is drawn often."""
message_ids: Final = st.sampled_from(["m1", "m2", "m3"])
cleared: Final[st.SearchStrategy[Evidence]] = st.builds(
    Cleared, at=moments, by=st.sampled_from(ClearedBy), message_id=st.none() | message_ids
)


def failures(codes: tuple[tuple[Provider, str], ...] = CODES) -> st.SearchStrategy[Failure]:
    """Failures with one of these codes, or one that nobody knows."""
    return st.tuples(st.sampled_from(codes), moments, message_ids).map(
        lambda drawn: Failure(drawn[1], drawn[2], drawn[0][0], drawn[0][1])
    )


tries: Final[st.SearchStrategy[Evidence]] = st.builds(Tried, at=moments, message_id=message_ids)
evidence: Final[st.SearchStrategy[Evidence]] = cleared | failures() | tries | message_ids.map(Voided)
recoveries: Final = st.builds(Recovery, spaced=st.booleans(), probe_marketing=st.booleans())
said: Final[st.SearchStrategy[ConsentEvidence]] = st.builds(
    ConsentEvidence,
    at=moments,
    scope=st.sampled_from(Scope),
    opted_out=st.booleans(),
    source=st.sampled_from(ConsentSource),
    message_id=st.none() | message_ids,
    who=st.none() | st.just("Kim"),
    words=st.sampled_from([None, "STOP", "please no more"]),
)
outcomes: Final = st.sampled_from(Outcome)
json_values: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
"""Anything that JSON can say, and a little more."""

_NAMES: Final = ("Ana", "ana", "Straße", "STRASSE", "", "Íris")
_TAGS: Final = ("vip", "VIP", "new", "Straße")


@st.composite
def customers(draw: st.DrawFn) -> Customer:
    """Customers out of few values, so that filters meet some."""
    return customer(
        draw(st.integers(1, 9999)),
        first_name=draw(st.sampled_from(_NAMES)),
        gender=draw(st.sampled_from([None, "f", "F", ""])),
        birthday=draw(st.sampled_from([None, date(1990, 2, 28), date(2004, 2, 29), date(1981, 11, 20)])),
        email=draw(st.sampled_from([None, "ana@example.com"])),
        general_tags=tuple(draw(st.lists(st.sampled_from(_TAGS), max_size=3))),
        failed_email=draw(st.booleans()),
        failed_phone=draw(st.booleans()),
    )


_values: Final = st.sampled_from([*_NAMES, "f", "ana@example.com", "nobody"])
_fields: Final = st.sampled_from(["first_name", "gender", "email", "external_id", "birthday"])
_leaves: Final[st.SearchStrategy[dict[str, Any]]] = (
    st.sampled_from(_TAGS).map(lambda tag: {"tag": tag})
    | st.sampled_from(["phone", "email", "any", "both"]).map(lambda which: {"failed": which})
    | st.builds(lambda name, value: {"field": name, "equals": value}, _fields, _values)
    | st.builds(lambda name, values: {"field": name, "in": values}, _fields, st.lists(_values, max_size=3))
    | st.builds(lambda name, present: {"field": name, "present": present}, _fields, st.booleans())
    | st.fixed_dictionaries(
        {
            "channel": st.sampled_from(Channel).map(str),
            "scope": st.sampled_from(Scope).map(str),
            "is": st.sampled_from(CONSENT_VALUES),
        }
    ).map(lambda asked: {"consent": asked})
    | st.builds(
        lambda name, side, day: {"field": name, side: day},
        st.sampled_from(["birthday", "customer_since"]),
        st.sampled_from(["before", "after"]),
        st.sampled_from(["1990-02-28", "2004-02-29", "2020-01-01"]),
    )
    | st.sampled_from([0, 1, 30, 98, 99, 100, 365, 400]).map(lambda days: {"birthday": {"within_days": days}})
)
filters: Final[st.SearchStrategy[dict[str, Any]]] = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: {"all": parts})
        | st.lists(inner, max_size=3).map(lambda parts: {"any": parts})
        | inner.map(lambda part: {"not": part})
    ),
    max_leaves=8,
)
"""Well-formed filter trees, which ask for days too: 100 days lie between ``at(0)`` and the next 28 February."""

assert {"first_name", "gender", "email", "external_id", "birthday"} <= TEXT_FIELDS
