"""Each domain event has a schema that all we publish keeps to, and a real sample; neither has room for an address."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import replace
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from rebound.campaigns.domain.breaker import reason_of_refusal, reason_to_pause
from rebound.campaigns.domain.campaigns import FinalWords
from rebound.campaigns.domain.results import RESULT_STATUSES
from rebound.contacts.domain.replies import Keyword, Meaning
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.events import CampaignPaused, DomainEvent, PausedBy
from rebound.kernel.provider_codes import all_codes
from rebound.messages.domain.messages import MessageStatus
from rebound.platform.adapters.domain_events import SOURCE, EventBridgeDomainEvents
from tests.fakes import strategies
from tests.fakes.making import NOON

REPOSITORY: Final = Path(__file__).parents[3]
SCHEMAS: Final = REPOSITORY / "docs" / "events"
SAMPLES: Final = REPOSITORY / "events" / "domain"
EVENTS: Final[Mapping[str, type[DomainEvent]]] = {event.__name__: event for event in get_args(DomainEvent)}
IDS: Final = st.from_regex(r"[0-9a-z]{26}", fullmatch=True)
COUNTS: Final = st.integers(0)
CUSTOMER_IDS: Final = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
EXTERNAL_IDS: Final = st.none() | st.text(min_size=1, max_size=128)
FIELDS: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "appointment_id": st.from_regex(r"[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}", fullmatch=True),
    "at": strategies.moments,
    "business_id": IDS,
    "by": st.sampled_from(PausedBy),
    "campaign_id": IDS,
    "change_id": st.uuids().map(str) | st.uuids().map(lambda id_: id_.hex),
    "category": st.sampled_from(Category),
    "channel": st.sampled_from(Channel),
    "confirmed": st.booleans(),
    "confirmed_at": strategies.moments,
    "customer_id": CUSTOMER_IDS,
    "customer_ids": st.lists(CUSTOMER_IDS, unique=True, max_size=4).map(sorted).map(tuple),
    "delivered_at": strategies.moments,
    "event_id": st.from_regex(r"[0-9A-HJKMNP-TV-Z]{26}", fullmatch=True),
    "excluded": st.dictionaries(st.sampled_from(Exclusion).map(str), COUNTS),
    "external_id": EXTERNAL_IDS,
    "external_ids": st.lists(EXTERNAL_IDS, max_size=4).map(tuple),
    "failed_at": strategies.moments,
    "hard_bounces": COUNTS,
    "keyword": st.none() | st.sampled_from(Keyword),
    "kind": st.sampled_from([meaning for meaning in Meaning if meaning is not Meaning.REACTION]),
    "included": COUNTS,
    "matched": COUNTS,
    "message_id": IDS.map(str.upper),
    "month": st.from_regex(r"20[0-9]{2}-(0[1-9]|1[0-2])", fullmatch=True),
    "occurred_at": strategies.moments,
    "opted_out": st.lists(st.sampled_from(Scope), unique=True).map(tuple),
    "outcomes": COUNTS,
    "received_at": strategies.moments,
    "reason": st.sampled_from([row.reason for row in all_codes() if row.failure_class.is_about_the_address]),
    "reply_id": st.uuids().map(lambda id_: f"SM{id_.hex}"),
    "results": st.dictionaries(st.sampled_from(RESULT_STATUSES).map(str), COUNTS),
    "scope": st.sampled_from(Scope),
    "since": strategies.moments,
    "source": st.sampled_from(ConsentSource),
    "status": st.sampled_from([MessageStatus.FAILED, MessageStatus.BOUNCED]),
    "targeted": COUNTS,
    "used": COUNTS,
    "version": st.integers(1),
}
"""What a field of any event may hold; a new field needs its line here."""
CLIENTS_OWN: Final = frozenset({"external_id", "external_ids"})
"""What a client calls its customers is told as it is."""
ADDRESSES: Final = ("ana@example.com", "+14155550123")


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def schema_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def sample_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{snake_case(name)}.json").read_text(encoding="utf-8"))
    return found


def problems(name: str, detail: object) -> list[str]:
    """What the schema has against it; empty when nothing."""
    validator = Draft202012Validator(schema_of(name), format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(detail)]


class Bus:
    """An EventBridge client that keeps what it is given."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}


def published(event: DomainEvent) -> dict[str, Any]:
    bus = Bus()
    EventBridgeDomainEvents(bus, "bus").publish([event])
    [entry] = bus.entries
    return entry


def everything(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every text in a detail, with the way to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from everything(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from everything(inner, (*path, number))
    elif isinstance(value, str):
        yield path, value


def replaced(value: Any, path: tuple[Any, ...], by: str) -> Any:
    """A copy of ``value`` with something else at ``path``."""
    if not path:
        return by
    first, *rest = path
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[first] = replaced(value[first], tuple(rest), by)
    return copied


def test_every_event_has_a_schema_and_a_sample_and_nothing_else_has() -> None:
    assert {path.stem for path in SCHEMAS.glob("*.json")} == set(EVENTS)
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(map(snake_case, EVENTS))


def test_the_index_lists_every_event() -> None:
    index = (SCHEMAS / "README.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| \[`(\w+)`\]\(\1\.json\) \|", index, re.MULTILINE)) == set(EVENTS)


def test_the_pattern_in_the_index_is_one_that_the_samples_match() -> None:
    index = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    [pattern] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", index, re.DOTALL)]

    assert pattern["source"] == [SOURCE]
    for name in pattern["detail-type"]:
        assert sample_of(name)["detail"]["business_id"] in pattern["detail"]["business_id"]


@pytest.mark.parametrize("name", EVENTS)
def test_a_schema_is_one_and_describes_every_field_of_its_event(name: str) -> None:
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    names = list(EVENTS[name].__struct_fields__)

    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]
    assert schema["title"] == name
    assert schema["description"]
    assert list(schema["properties"]) == schema["required"] == names
    assert all(property_["description"] for property_ in schema["properties"].values())


@pytest.mark.parametrize("name", EVENTS)
@given(data=st.data())
def test_whatever_is_published_keeps_to_the_schema(name: str, data: st.DataObject) -> None:
    event = EVENTS[name]
    drawn = {name: data.draw(FIELDS[name], label=name) for name in event.__struct_fields__}
    entry = published(event(**drawn))

    assert (entry["Source"], entry["DetailType"]) == (SOURCE, name)
    assert problems(name, json.loads(entry["Detail"])) == []


@pytest.mark.parametrize("name", EVENTS)
def test_a_sample_is_a_whole_event_as_eventbridge_delivers_it(name: str) -> None:
    sample = sample_of(name)

    assert list(sample) == [
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    ]
    assert (sample["source"], sample["detail-type"]) == (SOURCE, name)
    assert list(sample["detail"]) == list(EVENTS[name].__struct_fields__)
    assert problems(name, sample["detail"]) == []


@pytest.mark.parametrize("name", EVENTS)
def test_a_schema_refuses_a_detail_that_lacks_something(name: str) -> None:
    detail = sample_of(name)["detail"]

    for absent in detail:
        assert problems(name, {field: value for field, value in detail.items() if field != absent}), absent


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_no_field_has_room_for_an_address(name: str, address: str) -> None:
    detail = sample_of(name)["detail"]
    texts = [(path, text) for path, text in everything(detail) if path[0] not in CLIENTS_OWN]

    assert texts
    for path, text in texts:
        for smuggled in (address, f"{text} {address}"):
            assert problems(name, replaced(detail, path, smuggled)), path


@pytest.mark.parametrize(
    "reason",
    [
        None,
        reason_to_pause(FinalWords(total=20, faults=20)),
        reason_to_pause(FinalWords(total=2000, hard_bounces=2000)),
        *(reason_of_refusal(row.provider, row.code, 50, 50) for row in all_codes()),
    ],
)
def test_why_a_campaign_paused_itself_can_be_told(reason: str | None) -> None:
    paused = CampaignPaused("salon-juniper", "01M7W6ARGFEXM6PVNM0V1C8F0N", PausedBy.BREAKER, reason, 4, "change-4")

    complete = replace(paused, event_id="01M7WD7TG01S4X28SMQ7ZXA3B3", occurred_at=NOON)

    assert problems("CampaignPaused", json.loads(published(complete)["Detail"])) == []
