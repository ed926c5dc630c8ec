"""A compiled filter says what a naive reading of its tree says, and a malformed tree is refused with its paths."""

from collections import Counter
from collections.abc import Mapping
from copy import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.activity.domain.summary import Offer, Summary
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer, field_text
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import COVERED_BY, ConsentSource, Scope
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.segments.domain.filters import MAX_DEPTH, MAX_NODES, as_written, compile_filter, pinned, segments_in
from rebound.segments.domain.matching import Known, Moment
from rebound.segments.domain.selections import CustomerFilter
from tests.fakes import strategies
from tests.fakes.making import BUSINESS_ID, at, contact_key, customer

SILENT: Final = ConsentEvidence(at(0), Scope.ALL, opted_out=False, source=ConsentSource.STAFF)


def knowing(key: ContactKey) -> st.SearchStrategy[Contact]:
    return st.lists(strategies.said, max_size=3).map(lambda said: Contact(key).with_evidence(*said))


EMAIL, SMS = ContactKey(BUSINESS_ID, Channel.EMAIL, "ana@example.com"), contact_key(1, Channel.SMS)
KNOWN: Final = st.fixed_dictionaries({EMAIL: knowing(EMAIL), SMS: knowing(SMS)})
"""The contacts of whoever ``strategies.customers`` draws, all of whom get this number."""


TODAY: Final = Moment(at(0), at(0).date())


def with_number(who: Customer) -> Customer:
    """The customer with the number of ``KNOWN``."""
    return replace(who, mobile_phone=customer(1).mobile_phone)


def naive(tree: Mapping[str, Any], who: Customer, known: Mapping[ContactKey, Contact], did: Summary) -> bool:
    """The same tree read node by node, without compiling anything."""
    if "consent" in tree:
        asked = tree["consent"]
        key = who.contact_key(Channel(asked["channel"]))
        consent = None if key is None else known[key].consent
        if consent is None:
            return False
        out = any(scope in consent.opted_out for scope in COVERED_BY[Scope(asked["scope"])])
        return {"opted_out": out, "opted_in": not out, "confirmed": not out and consent.is_confirmed}[asked["is"]]
    if "all" in tree:
        return all(naive(part, who, known, did) for part in tree["all"])
    if "any" in tree:
        return any(naive(part, who, known, did) for part in tree["any"])
    if "not" in tree:
        return not naive(tree["not"], who, known, did)
    if "tag" in tree:
        return str(tree["tag"]).casefold() in [tag.casefold() for tag in who.general_tags]
    if "failed" in tree:
        flags = {"phone": [who.failed_phone], "email": [who.failed_email]}
        both = [who.failed_phone, who.failed_email]
        return any(flags.get(tree["failed"], both)) if tree["failed"] != "both" else all(both)
    if tree.keys() & {"visits", "last_visit", "bookings", "purchases", "membership"}:
        [(name, asked)] = tree.items()
        return bool(did_so(name, asked, did))
    if "birthday" in tree:
        days = (TODAY.today + timedelta(days=n) for n in range(tree["birthday"]["within_days"] + 1))
        return any(has_birthday(who, day) for day in days)
    text = field_text(who, tree["field"])
    if "before" in tree or "after" in tree:
        return text != "" and tree.get("after", "") < text < tree.get("before", "~")
    if "present" in tree:
        return (text != "") is bool(tree["present"])
    wanted = tree["in"] if "in" in tree else [tree["equals"]]
    return text.casefold() in [value.casefold() for value in wanted]


def did_so(name: str, asked: Mapping[str, Any], did: Summary) -> Any:
    """A condition about activity read from the parts of a summary, one named class at a time."""
    for field in ("class_id", "class_type", "location_id"):
        which = asked.get(field)
        if isinstance(which, list):
            return all(did_so(name, {**asked, field: each}, did) for each in which)
        if isinstance(which, dict):
            return any(did_so(name, {**asked, field: each}, did) for each in which["any"])

    def is_meant(offer: Offer) -> bool:
        names = ("class_id", "class_type", "location_id")
        return all(asked.get(field) in (None, getattr(offer, field)) for field in names)

    def is_within(day: date) -> bool:
        return bool((TODAY.today - day).days <= asked.get("within_days", 10_000))

    match name:
        case "visits":
            count = sum(each.count for each in did.visited if is_within(each.first) and is_meant(each.offer))
            return count >= asked["at_least"] if "at_least" in asked else count <= asked["at_most"]
        case "last_visit":
            return did.last_visit is not None and (TODAY.today - did.last_visit).days > asked["before_days"]
        case "bookings":
            coming = [each for each in did.bookings if each.starts_at >= TODAY.now and is_meant(each.offer)]
            return bool(coming) is asked["upcoming"]
        case "purchases":
            bought = [each for each in did.spendings if is_within(each.first)]
            if "at_least" in asked:
                return len(bought) >= asked["at_least"]
            sums: Counter[str] = Counter()
            for each in bought:
                sums[each.currency] += int(each.amount)
            return any(sums[each] >= 20 for each in sums if asked.get("currency") in (None, each))
        case _:
            own = [each for id_, each in did.memberships.items() if asked.get("id") in (None, id_)]
            active = any(each.status == "active" and (each.until or TODAY.today) >= TODAY.today for each in own)
            answers = {
                "active": active,
                "not_active": not active,
                "never": not own,
                "expired": bool(own) and not active,
            }
            return answers[asked["is"]]


def has_birthday(who: Customer, day: date) -> bool:
    if who.birthday is None:
        return False
    is_short = (day + timedelta(days=1)).month == 3 and day.day == 28
    return (day.month, day.day) == (who.birthday.month, who.birthday.day) or (
        is_short and (who.birthday.month, who.birthday.day) == (2, 29)
    )


@settings(max_examples=500)
@given(strategies.filters, strategies.customers().map(with_number), KNOWN, strategies.summaries())
def test_a_compiled_filter_says_what_a_naive_reading_says(
    tree: Mapping[str, Any], who: Customer, known: Mapping[ContactKey, Contact], did: Summary
) -> None:
    assert compile_filter(tree, at=TODAY)(who, known, {who.customer_id: did}) == naive(tree, who, known, did)


@given(strategies.filters, strategies.customers().map(with_number), KNOWN, strategies.summaries())
def test_a_filter_and_its_negation_split_everybody(
    tree: Mapping[str, Any], who: Customer, known: Mapping[ContactKey, Contact], did: Summary
) -> None:
    opposite = compile_filter({"not": tree}, at=TODAY)
    summaries = {who.customer_id: did}
    assert compile_filter(tree, at=TODAY)(who, known, summaries) is not opposite(who, known, summaries)


@given(st.lists(strategies.filters, max_size=4), strategies.customers().map(with_number), KNOWN, strategies.summaries())
def test_what_is_decided_on_less_is_decided_the_same_on_all(
    trees: list[Mapping[str, Any]], who: Customer, known: Mapping[ContactKey, Contact], did: Summary
) -> None:
    matcher = compile_filter({"any": [{"all": trees}, {"not": {"any": trees}}]}, at=TODAY)
    whole = matcher.test(who, Known(known, {who.customer_id: did}))

    assert whole is not None
    assert matcher.test(who, Known()) in (None, whole)
    assert matcher.test(who, Known(known)) in (None, whole)
    if not matcher.asks_activity:
        assert matcher.test(who, Known(known)) is whole


@given(
    st.datetimes(datetime(2026, 11, 1), datetime(2026, 12, 1)).map(lambda wall: wall.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.integers(-2000, 2000),
    st.sampled_from(["profile", "flags", "contact"]),
)
def test_whoever_was_written_since_is_found_and_nobody_else(since: datetime, after: int, what: str) -> None:
    before = datetime(2026, 1, 1, tzinfo=UTC)
    written = since + timedelta(milliseconds=after)
    times = {"updated_at": written if what == "profile" else before, "flags_at": written if what == "flags" else None}
    who = customer(1, **times)
    version = int(written.timestamp() * 1000) if what == "contact" else 1
    known = {key: replace(Contact(key).with_evidence(SILENT), version=version) for key in who.contact_keys}
    found = CustomerFilter(updated_since=since).compiled()(who, known)

    # A contact is known to be written within a millisecond, and given once more rather than lost.
    assert found if after >= 0 else not found or after == -1


def check_compiled_or_refused(tree: object) -> None:
    wrong: tuple[FieldError, ...] = ()
    try:
        contacts = {key: Contact(key) for key in customer().contact_keys}
        answer = compile_filter(tree, at=TODAY)(customer(), contacts, {customer().customer_id: Summary.empty()})
    except InvalidInputError as error:
        wrong = error.errors
        answer = None

    assert (answer is None) == bool(wrong)
    assert all(problem.field.startswith("filter") for problem in wrong)


@given(strategies.json_values)
def test_any_json_is_compiled_or_refused_with_paths(tree: object) -> None:
    check_compiled_or_refused(tree)


@given(
    st.sampled_from(
        [
            "all",
            "any",
            "not",
            "segment",
            "birthday",
            "tier",
            "visits",
            "last_visit",
            "bookings",
            "purchases",
            "membership",
            "tag",
            "failed",
            "consent",
            "field",
        ]
    ),
    strategies.json_values,
)
def test_any_json_below_a_known_name_is_compiled_or_refused(name: str, value: object) -> None:
    check_compiled_or_refused({name: value})


def problems(tree: object) -> list[str]:
    with pytest.raises(InvalidInputError) as raised:
        compile_filter(tree)
    return [error.field for error in raised.value.errors]


def test_everything_that_is_wrong_is_named_with_its_path() -> None:
    tree = {
        "all": [
            {"tag": ""},
            {"any": [{"failed": "fax"}, {"tag": "vip"}]},
            {"not": {"field": "shoe_size", "equals": "1"}},
        ]
    }

    assert problems(tree) == ["filter.all[0].tag", "filter.all[1].any[0].failed", "filter.all[2].not.field"]


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        "vip",
        {},
        {"tag": "vip", "failed": "any"},
        {"all": {}},
        {"any": "vip"},
        {"not": []},
        {"tag": 5},
        {"tag": "  "},
        {"failed": ["phone"]},
        {"field": "first_name"},
        {"field": "first_name", "equals": 5},
        {"field": "first_name", "equals": "a", "in": ["b"]},
        {"field": "first_name", "in": "ab"},
        {"field": "first_name", "in": [1]},
        {"field": "first_name", "present": "yes"},
        {"field": "business_id", "equals": "x"},
        {"field": "general_tags", "equals": "x"},
        {"field": ["first_name"], "equals": "x"},
        {"visits": {"at_least": 5, "at_most": 6}},
        {"visits": {"class_id": "yoga"}},
        {"visits": {"at_least": 5, "within_days": 401}},
        {"tier": "gold"},
    ],
    ids=str,
)
def test_a_malformed_condition_is_refused(tree: object) -> None:
    assert problems(tree)


def test_all_of_nothing_is_everybody_and_any_of_nothing_is_nobody() -> None:
    assert compile_filter({"all": []})(customer())
    assert not compile_filter({"any": []})(customer())


def nested(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"tag": "vip"}
    for _ in range(depth - 1):
        tree = {"not": tree}
    return tree


def test_a_tree_may_be_as_deep_and_as_large_as_is_said_and_no_more() -> None:
    compile_filter(nested(MAX_DEPTH))
    compile_filter({"any": [{"tag": "vip"}] * (MAX_NODES - 1)})

    assert len(problems(nested(MAX_DEPTH + 1))) == 1
    assert len(problems({"any": [{"tag": "vip"}] * MAX_NODES})) == 1
    assert len(problems(nested(900))) == 1


def test_tags_and_values_are_compared_without_case() -> None:
    vip = customer(general_tags=("VIP",), first_name="Ana")

    assert compile_filter({"tag": " vip "})(vip)
    assert compile_filter({"field": "first_name", "equals": "ANA"})(vip)
    assert not compile_filter({"field": "first_name", "equals": "An"})(vip)


@pytest.mark.parametrize(
    ("tree", "who"),
    [
        ({"tag": "Café"}, {"general_tags": ("Cafe\u0301",)}),
        ({"tag": "CAFE"}, {"general_tags": ("Café",)}),
        ({"tag": "mother\u2019s day"}, {"general_tags": ("Mother's  Day",)}),
        ({"field": "first_name", "equals": "jose"}, {"first_name": "José"}),
        ({"field": "last_name", "in": ["x", "MULLER"]}, {"last_name": "Müller"}),
        ({"field": "mobile_phone", "equals": "+1 (415) 555-0123"}, {"mobile_phone": "+14155550123"}),
        ({"field": "mobile_phone", "equals": "(415) 555-0123"}, {"mobile_phone": "+14155550123"}),
        ({"field": "day_phone", "in": ["020 7946 0958"]}, {"day_phone": "+442079460958 ext. 12"}),
        ({"field": "mobile_phone", "equals": ""}, {"mobile_phone": None}),
    ],
)
def test_accents_composition_quotes_and_the_marks_in_numbers_do_not_matter(
    tree: object, who: Mapping[str, Any]
) -> None:
    assert compile_filter(tree)(customer(**who))


@pytest.mark.parametrize(
    ("q", "who"),
    [
        ("jose", {"first_name": "José"}),
        ("Jose\u0301 silva", {"first_name": "José", "last_name": "Silva"}),
        ("(415) 555-0123", {"mobile_phone": "+14155550123"}),
        ("7946 0958", {"day_phone": "+442079460958 ext. 12"}),
        ("ana@EXAMPLE", {"email": "ana@example.com"}),
    ],
)
def test_a_search_finds_names_and_numbers_however_they_are_typed(q: str, who: Mapping[str, Any]) -> None:
    assert CustomerFilter(q=q).compiled()(customer(**who))
    assert not CustomerFilter(q=f"{q} zz").compiled()(customer(**who))


@pytest.mark.parametrize("q", [" ", "\t\n", "\u00a0", "\u200b", " \ufeff ", "\u3164", "\u200e\u2060"])
def test_a_search_in_which_nothing_can_be_seen_is_refused(q: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        CustomerFilter(q=q).compiled()

    assert [error.field for error in refused.value.errors] == ["q"]
    assert CustomerFilter(q="").compiled()(customer())


@pytest.mark.parametrize(
    ("born", "today", "within_days", "matches"),
    [
        (date(1990, 11, 20), date(2026, 11, 20), 0, True),
        (date(1990, 11, 21), date(2026, 11, 20), 0, False),
        (date(1990, 11, 27), date(2026, 11, 20), 7, True),
        (date(1990, 11, 19), date(2026, 11, 20), 363, False),
        (date(1990, 11, 19), date(2026, 11, 20), 364, True),
        (date(1990, 1, 1), date(2026, 12, 31), 1, True),
        (date(1990, 12, 31), date(2026, 12, 31), 0, True),
        (date(2004, 2, 29), date(2027, 2, 28), 0, True),
        (date(2004, 2, 29), date(2027, 3, 1), 0, False),
        (date(2004, 2, 29), date(2028, 2, 28), 0, False),
        (date(2004, 2, 29), date(2028, 2, 28), 1, True),
        (None, date(2026, 11, 20), 400, False),
    ],
)
def test_a_birthday_comes_within_days_also_across_the_new_year_and_in_years_without_its_day(
    born: date | None, today: date, within_days: int, *, matches: bool
) -> None:
    matcher = compile_filter({"birthday": {"within_days": within_days}}, at=Moment(at(0), today))

    assert matcher(customer(birthday=born)) is matches


def test_a_filter_that_asks_for_the_day_is_checked_without_one_and_not_asked() -> None:
    matcher = compile_filter({"all": [{"tag": "vip"}, {"birthday": {"within_days": 7}}]})

    assert matcher.is_timed
    with pytest.raises(ValueError, match="asks for a day"):
        matcher(customer(general_tags=("vip",)))


@pytest.mark.parametrize("tree", [{"tag": {"class_id": "yoga"}}, {"class_tag": "yoga"}, {"all": [{"class_id": "y"}]}])
def test_who_asks_for_tags_of_classes_is_told_what_to_ask_for(tree: object) -> None:
    with pytest.raises(InvalidInputError) as refused:
        compile_filter(tree)

    [error] = refused.value.errors
    assert error.did_you_mean == "visits"
    assert '{"visits": {"at_least": 1, "class_id": "…"}}' in error.message


def test_a_segment_in_a_filter_is_what_it_is_when_it_is_fixed() -> None:
    saved: dict[str, dict[str, Any]] = {
        "vips": {"tag": "vip"},
        "good": {"any": [{"segment": "vips"}, {"tag": "good"}]},
    }
    asked = {"all": [{"not": {"segment": "good"}}, {"field": "first_name", "present": True}]}
    fixed = pinned(asked, "filter", saved.get)
    saved["vips"] = {"all": []}

    assert not compile_filter(fixed)(customer(general_tags=("vip",)))
    assert compile_filter(fixed)(customer(general_tags=("new",)))
    assert as_written(fixed) == asked
    assert segments_in(asked) == {"good"}
    assert pinned({"tag": "vip"}, "filter", saved.get) == {"tag": "vip"}


@pytest.mark.parametrize(
    ("tree", "field", "words"),
    [
        ({"segment": "nothing"}, "filter.segment", "no such segment"),
        ({"any": [{"segment": 5}]}, "filter.any[0].segment", "segment_id of a saved"),
        ({"not": {"segment": "a"}}, "filter.not.segment", "a → b → a"),
        ({"segment": "self"}, "filter.segment", "self → self"),
        ({"segment": "large"}, "filter.segment", "too large"),
        ({"segment": "vips", "filter": {"all": []}}, "filter", "exactly one of"),
    ],
)
def test_what_is_wrong_with_the_segments_of_a_filter_is_said_where_the_client_wrote_it(
    tree: dict[str, Any], field: str, words: str
) -> None:
    saved: dict[str, dict[str, Any]] = {
        "a": {"segment": "b"},
        "b": {"all": [{"segment": "a"}]},
        "self": {"segment": "self"},
        "large": {"any": [{"tag": "vip"}] * (MAX_NODES - 1)},
        "vips": {"tag": "vip"},
    }
    with pytest.raises(InvalidInputError) as refused:
        pinned(tree, "filter", saved.get)

    [error] = refused.value.errors
    assert error.field == field
    assert words in error.message
