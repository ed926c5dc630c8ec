"""What Hypothesis draws: evidence, receipts, customers, filters."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from rebound.activity.domain.events import MembershipStatus
from rebound.activity.domain.summary import Booking, Membership, Offer, Spending, Summary, Visits
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Recovery
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Evidence, Failure, Tried, Voided
from rebound.customers.domain import TEXT_FIELDS, Customer
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import FailureClass, Provider, all_codes
from rebound.kernel.receipts import Outcome
from rebound.segments.domain.activity_leaves import MEMBERSHIP_VALUES
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


_DAYS: Final = (0, 1, 30, 90, 400)
_classes: Final = st.sampled_from(["yoga", "spin", ["yoga", "spin"], {"any": ["yoga", "spin"]}])
_places: Final[st.SearchStrategy[dict[str, Any]]] = st.just({}) | st.sampled_from(
    ["soho", "east", ["soho", "east"], {"any": ["soho", "east"]}]
).map(lambda which: {"location_id": which})
_within: Final[st.SearchStrategy[dict[str, Any]]] = st.just({}) | st.builds(
    lambda days: {"within_days": days}, st.sampled_from(_DAYS)
)
_about_activity: Final[st.SearchStrategy[dict[str, Any]]] = (
    st.builds(
        lambda side, count, within, of: {"visits": {side: count, **within, **of}},
        st.sampled_from(["at_least", "at_most"]),
        st.integers(1, 3),
        _within,
        st.builds(
            lambda of, where: {**of, **where},
            st.just({})
            | st.builds(lambda name, which: {name: which}, st.sampled_from(["class_id", "class_type"]), _classes),
            _places,
        ),
    )
    | st.sampled_from(_DAYS).map(lambda days: {"last_visit": {"before_days": days}})
    | st.builds(
        lambda upcoming, of: {"bookings": {"upcoming": upcoming, **of}},
        st.booleans(),
        st.builds(
            lambda of, where: {**of, **where},
            st.just({}) | _classes.map(lambda which: {"class_id": which}),
            _places,
        ),
    )
    | st.builds(
        lambda what, within: {"purchases": {**what, **within}},
        st.sampled_from([{"at_least": 2}, {"amount_at_least": "20.00"}, {"amount_at_least": "20", "currency": "EUR"}]),
        _within,
    )
    | st.builds(
        lambda of, stands: {"membership": {**of, "is": stands}},
        st.sampled_from([{}, {"id": None}, {"id": "gold"}]),
        st.sampled_from(MEMBERSHIP_VALUES),
    )
)
_offers: Final = st.builds(
    Offer,
    st.sampled_from([None, "yoga", "spin"]),
    st.sampled_from([None, "yoga", "spin"]),
    location_id=st.sampled_from([None, "soho", "east"]),
)
TODAY: Final = at(0).date()
_days: Final = st.sampled_from([TODAY - timedelta(days=each) for each in (0, 1, 2, 30, 31, 89, 90, 91, 399, 400)])


@st.composite
def summaries(draw: st.DrawFn) -> Summary:
    """What a customer may have done until ``at(0)``, at the edges of what filters ask."""
    visited = tuple(
        Visits(day, day, draw(_offers), draw(st.integers(1, 2))) for day in draw(st.lists(_days, max_size=3))
    )
    spendings = tuple(
        Spending(day, day, None, draw(st.sampled_from(["EUR", "USD"])), False, 1, Decimal(draw(st.integers(-5, 25))))
        for day in draw(st.lists(_days, max_size=3))
    )
    hours = draw(st.lists(st.sampled_from([-1, 0, 5, 60]), max_size=2))
    coming = tuple(Booking(at(3600 * each), at(3600 * each).date(), draw(_offers)) for each in hours)
    standing = st.tuples(
        st.sampled_from(MembershipStatus),
        st.sampled_from([None, TODAY, TODAY - timedelta(days=1), TODAY + timedelta(days=9)]),
    ).map(lambda drawn: Membership(*drawn))
    return Summary(
        zone="UTC",
        written_on=TODAY,
        visited=visited,
        spendings=spendings,
        bookings=coming,
        first_visit=min((each.first for each in visited), default=None),
        last_visit=max((each.last for each in visited), default=None),
        memberships=draw(st.dictionaries(st.sampled_from(["gold", "trial"]), standing, max_size=2)),
    )


_values: Final = st.sampled_from([*_NAMES, "f", "ana@example.com", "nobody"])
_compared: Final = st.sampled_from(["first_name", "gender", "email", "external_id"])
_fields: Final = _compared | st.just("birthday")
_dates: Final = st.sampled_from(["1990-02-28", "2004-02-29", "2020-01-01"])
_leaves: Final[st.SearchStrategy[dict[str, Any]]] = (
    st.sampled_from(_TAGS).map(lambda tag: {"tag": tag})
    | st.sampled_from(["phone", "email", "any", "both"]).map(lambda which: {"failed": which})
    | st.builds(lambda name, value: {"field": name, "equals": value}, _compared, _values)
    | _dates.map(lambda day: {"field": "birthday", "equals": day})
    | st.builds(lambda name, values: {"field": name, "in": values}, _compared, st.lists(_values, max_size=3))
    | st.lists(_dates, max_size=3).map(lambda days: {"field": "birthday", "in": days})
    | st.builds(lambda name, present: {"field": name, "present": present}, _fields, st.booleans())
    | st.fixed_dictionaries(
        {
            "channel": st.sampled_from(Channel).map(str),
            "scope": st.sampled_from(Scope).map(str),
            "is": st.sampled_from(CONSENT_VALUES),
        }
    ).map(lambda asked: {"consent": asked})
    | st.builds(
        lambda name, sides, day, other: {"field": name, **dict(zip(sides, (day, other), strict=False))},
        st.sampled_from(["birthday", "customer_since"]),
        st.sampled_from([("before",), ("after",), ("before", "after")]),
        _dates,
        _dates,
    )
    | st.sampled_from([0, 1, 30, 98, 99, 100, 365, 400]).map(lambda days: {"birthday": {"within_days": days}})
    | _about_activity
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
