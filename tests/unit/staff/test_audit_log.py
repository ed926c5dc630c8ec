"""The audit log: what is written, what is written once, and how a page of it is picked out."""

from datetime import timedelta
from itertools import count
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.staff.application import audit_log
from rebound.staff.application.audit_log import MAX_DETAIL, MAX_NAME, MOST_DETAILS, SAME_WORK, AuditLog
from rebound.staff.domain import AuditEntry, ObjectKey, Role, StaffMember
from tests.contract.platform.fakes import FakeClock, SeededIds
from tests.contract.staff.fakes import MemoryAuditBook
from tests.fakes.making import BUSINESS_ID, at

ANA: Final = StaffMember(BUSINESS_ID, "ana@example.com", Role.OWNER, "m-ana", at(0))
BO: Final = StaffMember(BUSINESS_ID, "bo@example.com", Role.STAFF, "m-bo", at(0))
SPRING: Final = ObjectKey("template", "spring")


class Log:
    """A log in memory, and its clock."""

    def __init__(self) -> None:
        self.clock, self.book = FakeClock(), MemoryAuditBook()
        self.log = AuditLog(audit=self.book, clock=self.clock, ids=SeededIds())

    @property
    def all(self) -> list[AuditEntry]:
        return list(self.book.newest(BUSINESS_ID, 10_000))


def test_an_entry_says_who_did_what_to_what_and_when() -> None:
    one = Log()
    one.log.write(ANA, "key.created", object_id="k-1", name="Till", details={"scopes": ["customers:read"], "no": []})
    [entry] = one.all
    assert (entry.at, entry.member_id, entry.email) == (one.clock.now(), ANA.member_id, ANA.email)
    assert (entry.did, entry.kind, entry.object_key) == ("key.created", "key", ObjectKey("key", "k-1"))
    assert (entry.name, entry.details) == ("Till", {"scopes": ["customers:read"]})


def test_what_is_longer_than_anybody_reads_is_cut() -> None:
    one = Log()
    one.log.write(ANA, "key.created", name="n" * 1000, details={"scopes": ["s" * 1000] * 1000})
    [entry] = one.all
    assert len(entry.name or "") == MAX_NAME
    assert [len(entry.details["scopes"]), len(entry.details["scopes"][0])] == [MOST_DETAILS, MAX_DETAIL]


@pytest.mark.parametrize(
    ("who", "did", "object_id", "later", "is_written"),
    [
        (ANA, "template.draft_saved", "spring", SAME_WORK - timedelta(seconds=1), False),
        (ANA, "template.draft_saved", "spring", SAME_WORK, True),
        (BO, "template.draft_saved", "spring", timedelta(), True),
        (ANA, "template.published", "spring", timedelta(), True),
        (ANA, "template.draft_saved", "autumn", timedelta(), True),
        (ANA, "template.draft_saved", None, timedelta(), True),
    ],
)
def test_what_a_page_saves_by_itself_is_one_entry_for_one_piece_of_work(
    who: StaffMember, did: str, object_id: str | None, later: timedelta, is_written: bool
) -> None:
    one = Log()
    one.log.write(ANA, "template.draft_saved", object_id="spring", once=True)
    one.clock.move(later)
    one.log.write(who, did, object_id=object_id, once=True)
    assert len(one.all) == 1 + is_written
    # Whoever saves means it.
    one.log.write(who, did, object_id=object_id)
    assert len(one.all) == 2 + is_written


def test_work_that_another_interrupts_is_written_again() -> None:
    one = Log()
    for who in (ANA, BO, ANA):
        one.log.write(who, "template.draft_saved", object_id="spring", once=True)
    assert [each.member_id for each in one.all] == [ANA.member_id, BO.member_id, ANA.member_id]


DEEDS: Final = st.lists(
    st.tuples(st.sampled_from([ANA, BO]), st.sampled_from(["template.published", "campaign.sent", "stack.holds_off"])),
    max_size=30,
)


@given(
    deeds=DEEDS,
    limit=st.integers(1, 7),
    looked_through=st.integers(1, 9),
    by=st.sampled_from([None, ANA.member_id, "nobody"]),
    kind=st.sampled_from([None, "template", "staff"]),
)
def test_pages_have_together_all_that_is_asked_for_once_and_the_newest_first(
    deeds: list[tuple[StaffMember, str]], limit: int, looked_through: int, by: str | None, kind: str | None
) -> None:
    one = Log()
    for who, did in deeds:
        one.clock.move(timedelta(seconds=1))
        one.log.write(who, did, object_id="spring")
    wanted = [each for each in one.all if by in (None, each.member_id) and kind in (None, each.kind)]
    found: list[AuditEntry] = []
    before = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_log, "LOOKED_THROUGH", looked_through)
        for pages in count():
            page = one.log.page(BUSINESS_ID, limit, before, member_id=by, kind=kind)
            assert len(page.entries) <= limit
            found += page.entries
            before = page.earlier
            assert pages <= len(deeds)
            if before is None:
                break
    assert found == wanted


@given(deeds=DEEDS, limit=st.integers(1, 7))
def test_the_pages_of_a_thing_have_its_own(deeds: list[tuple[StaffMember, str]], limit: int) -> None:
    one = Log()
    for who, did in deeds:
        one.clock.move(timedelta(seconds=1))
        one.log.write(who, did, object_id="spring")
    found: list[AuditEntry] = []
    before = None
    while True:
        page = one.log.of(BUSINESS_ID, SPRING, limit, before)
        found += page.entries
        before = page.earlier
        if before is None:
            break
        assert len(page.entries) == limit
    assert found == [each for each in one.all if each.kind == "template"]
