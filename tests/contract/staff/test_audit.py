"""What was done in the console: one suite against the fake and the table."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.platform.adapters.dynamo import expiry
from rebound.staff.domain import AUDIT_KEPT, AuditEntry, ObjectKey
from tests.contract.staff.fakes import MemoryAuditBook
from tests.fakes.aws import make
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at
from tests.fakes.troubles import recorded_requests

SPRING: Final = ObjectKey("campaign", "c-1")


def entry(number: int, did: str = "campaign.sent", object_id: str | None = "c-1", **more: Any) -> AuditEntry:
    return AuditEntry(f"{number:026}", at(number), "m-1", "ana@example.com", did, object_id, **more)


def add(ports: EveryPorts, *entries: AuditEntry, business_id: str | None = BUSINESS_ID) -> list[AuditEntry]:
    for each in entries:
        ports.audit.add(business_id, each)
    return list(entries)


def test_the_newest_stand_first_whole_and_before_any_of_them(ports: EveryPorts) -> None:
    details = {"fields": ["name", "quiet_hours.sms.from"], "role": ["staff"]}
    first, second, third = add(
        ports,
        entry(1, name="Spring"),
        entry(2, "settings.changed", None, details=details),
        entry(3, object_id="c-2"),
    )
    assert list(ports.audit.newest(BUSINESS_ID, 9)) == [third, second, first]
    assert list(ports.audit.newest(BUSINESS_ID, 2)) == [third, second]
    assert list(ports.audit.newest(BUSINESS_ID, 9, third.entry_id)) == [second, first]
    assert list(ports.audit.newest(BUSINESS_ID, 1, third.entry_id)) == [second]
    assert list(ports.audit.newest(BUSINESS_ID, 9, first.entry_id)) == []


def test_a_thing_has_its_own_and_no_other_s(ports: EveryPorts) -> None:
    """Not of a thing of another kind, of one whose id begins the same, nor of another business."""
    first, *_ = add(
        ports,
        entry(1),
        entry(2, "template.published"),
        entry(3, object_id="c-10"),
        entry(4, "settings.changed", None),
    )
    add(ports, entry(5), business_id="other")
    last, *_ = add(ports, entry(6, "campaign.paused"))
    assert list(ports.audit.newest(BUSINESS_ID, 9, of=SPRING)) == [last, first]
    assert list(ports.audit.newest(BUSINESS_ID, 9, last.entry_id, of=SPRING)) == [first]
    assert list(ports.audit.newest(BUSINESS_ID, 9, of=ObjectKey("segment", "c-1"))) == []


def test_each_business_and_the_operators_have_their_own(ports: EveryPorts) -> None:
    [here] = add(ports, entry(1))
    [there] = add(ports, entry(2), business_id=f"{BUSINESS_ID}2")
    [operators] = add(ports, entry(3, "business.created", "b-1"), business_id=None)
    assert list(ports.audit.newest(BUSINESS_ID, 9)) == [here]
    assert list(ports.audit.newest(f"{BUSINESS_ID}2", 9)) == [there]
    assert list(ports.audit.newest(None, 9)) == [operators]
    assert list(ports.audit.newest(None, 9, of=ObjectKey("business", "b-1"))) == [operators]
    assert list(ports.audit.newest("nobody", 9)) == []
    # Nor does anybody else's list of things in the same table show them.
    assert list(ports.api_keys.list(BUSINESS_ID)) == []


NAMES: Final = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ENTRIES: Final = st.lists(
    st.builds(
        entry,
        st.integers(0, 10**6),
        st.sampled_from(["campaign.sent", "template.published", "stack.holds_off"]),
        st.none() | st.sampled_from(["a", "a#b", "b", "~", "é"]),
        name=st.none() | NAMES,
        details=st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=3), max_size=3),
    ),
    unique_by=lambda each: each.entry_id,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(entries=ENTRIES, limit=st.integers(1, 5))
def test_whatever_is_added_is_found_page_by_page_as_in_memory(
    tables: Callable[[], EveryPorts], entries: list[AuditEntry], limit: int
) -> None:
    stored, kept = tables().audit, MemoryAuditBook()
    for each in entries:
        stored.add(BUSINESS_ID, each)
        kept.add(BUSINESS_ID, each)

    def pages(book: Any, of: ObjectKey | None) -> Sequence[AuditEntry]:
        found: list[AuditEntry] = []
        while page := list(book.newest(BUSINESS_ID, limit, found[-1].entry_id if found else None, of=of)):
            found += page
        return found

    for of in (None, *{each.object_key for each in entries if each.object_key is not None}):
        assert pages(stored, of) == pages(kept, of)


def test_an_entry_is_written_and_a_page_read_by_one_request_and_each_row_ages_out(over_dynamodb: EveryPorts) -> None:
    book = over_dynamodb.audit
    for each, request in ((entry(1), "TransactWriteItems"), (entry(2, "settings.changed", None), "PutItem")):
        with recorded_requests() as requests:
            book.add(BUSINESS_ID, each)
        assert [name for name, _ in requests] == [request]
    with recorded_requests() as requests:
        book.newest(BUSINESS_ID, 500)
    assert [name for name, _ in requests] == ["Query"]
    rows = make("dynamodb").scan(TableName="DirectoryTable")["Items"]
    ends = sorted(int(row["expires_at"]["N"]) for row in rows)
    assert ends == [expiry(at(1), AUDIT_KEPT), expiry(at(1), AUDIT_KEPT), expiry(at(2), AUDIT_KEPT)]
    assert timedelta(days=400) == AUDIT_KEPT
    # None of them stands where settings are read for every message.
    assert BUSINESS_ID not in {row["business_id"]["S"] for row in rows}
