"""The provider's suppression list: asked within its rate, believed by its reason, and never emptied of complaints."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.application import CALL_EVERY, FEW, SuppressionListClient
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import STANDARD_POLICY, STRICT_POLICY, Cleared, ClearedBy, Failure, Voided
from rebound.contacts.domain.suppressions import LISTED_BOUNCE, Drift, Suppression, SuppressionReason, drift_of
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ComeAgainError, NotAnsweredError
from rebound.kernel.provider_codes import Provider
from tests.contract.contacts.fakes import MemorySuppressionList
from tests.contract.platform.fakes import FakeClock
from tests.fakes.making import NO_SUCH_MAILBOX, at, contact_key

ADDRESS = "ana1@example.com"
LONG = timedelta(hours=1)
MANY = [f"ana{number}@example.com" for number in range(FEW + 1)]


class Client:
    """A client, its list and its clock."""

    def __init__(self, page_size: int = 1000) -> None:
        self.clock = FakeClock()
        self.list = MemorySuppressionList(page_size=page_size)
        self.missed: list[str] = []
        self.client = SuppressionListClient(suppressions=self.list, clock=self.clock, missed=self.missed.append)

    @property
    def later(self) -> timedelta:
        """How much time has passed."""
        return self.clock.now() - at()


def listed(reason: str = "BOUNCE", seconds: float = 0) -> Suppression:
    return Suppression(ADDRESS, SuppressionReason(reason), at(seconds))


# --- the client -------------------------------------------------------------------------------------------------------


def test_calls_are_a_second_apart() -> None:
    case = Client()
    for _ in range(5):
        case.client.find(ADDRESS, case.client.within(LONG))

    assert case.list.calls == {"get": 5}
    assert case.later == 4 * CALL_EVERY


def test_both_the_spelling_given_and_the_lower_case_are_looked_up() -> None:
    case = Client()
    case.list.put("Ana1@Example.com")
    case.list.put(ADDRESS, "COMPLAINT")

    found = case.client.find("Ana1@Example.com", case.client.within(LONG))
    assert {(entry.address, str(entry.reason)) for entry in found} == {
        ("Ana1@Example.com", "BOUNCE"),
        (ADDRESS, "COMPLAINT"),
    }
    assert [entry.address for entry in case.client.find(ADDRESS, case.client.within(LONG))] == [ADDRESS]


def test_a_throttle_is_waited_out_while_there_is_time() -> None:
    case = Client()
    case.list.put(ADDRESS)
    case.list.troubles = [ComeAgainError(), ComeAgainError()]

    assert case.client.find(ADDRESS, case.client.within(LONG))
    assert case.later == 2 * CALL_EVERY


def test_a_throttle_that_lasts_asks_the_caller_to_come_again() -> None:
    case = Client()
    case.list.troubles = [ComeAgainError()] * 9

    with pytest.raises(ComeAgainError):
        case.client.find(ADDRESS, case.client.within(timedelta(seconds=5)))
    assert case.list.calls["get"] == 5
    assert case.later < timedelta(seconds=5)


def test_a_refusal_is_passed_on_at_once() -> None:
    case = Client()
    case.list.troubles = [NotAnsweredError("AccessDeniedException")]

    with pytest.raises(NotAnsweredError):
        case.client.remove_all(MANY, case.client.within(LONG))
    assert sum(case.list.calls.values()) == 1


def test_in_the_sandbox_no_entry_is_known_and_nothing_waits() -> None:
    case = Client()
    case.list.put(ADDRESS)
    case.list.production_access = False

    assert case.client.find(ADDRESS, case.client.within(LONG)) == []
    assert case.client.find_all(MANY, case.client.within(LONG)) == dict.fromkeys(MANY, ())
    assert case.client.clear(MANY, LONG) == set()
    assert case.missed == ["sandbox"]
    assert case.later < timedelta(seconds=5)


def test_a_bounce_is_taken_off_and_a_complaint_never() -> None:
    case = Client()
    case.list.put("Ana1@example.com")
    case.list.put(ADDRESS, "COMPLAINT")

    assert case.client.remove_bounces("Ana1@example.com", case.client.within(LONG)) == 1
    assert set(case.list.entries) == {ADDRESS}
    assert case.client.remove_bounces("Ana1@example.com", case.client.within(LONG)) == 0


def test_many_addresses_of_which_few_are_listed_cost_one_call_and_two_for_each_that_is() -> None:
    case = Client()
    many = [f"ana{number}@example.com" for number in range(50)]
    case.list.put("ANA7@example.com")
    case.list.put("ana7@example.com")
    case.list.put("ana8@example.com", "COMPLAINT")

    assert case.client.remove_all(many, case.client.within(LONG)) == set(many)
    assert case.list.calls == {"page": 1, "get": 2, "remove": 1}
    assert set(case.list.entries) == {"ANA7@example.com", "ana8@example.com"}


def test_a_list_of_more_than_a_page_is_not_read_to_its_end_for_one_chunk() -> None:
    case = Client(page_size=2)
    for address in MANY:
        case.list.put(address)

    assert set(case.client.find_all(MANY, case.client.within(LONG))) == set(MANY)
    assert case.list.calls == {"page": 1, "get": len(MANY)}


@given(st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)), st.integers(0, 40), st.integers(1, 20))
def test_whatever_the_time_what_is_said_to_be_free_is_and_no_complaint_goes(
    bounces: set[int], complaints: set[int], seconds: int, page_size: int
) -> None:
    case = Client(page_size)
    for number in bounces:
        case.list.put(f"Ana{number}@example.com")
    for number in complaints:
        case.list.put(f"ana{number}@example.com", "COMPLAINT")
    wanted = [f"Ana{number}@example.com" for number in range(12)]

    free = case.client.remove_all(wanted, case.client.within(timedelta(seconds=seconds)))

    assert free.isdisjoint(case.list.entries)
    assert {f"ana{number}@example.com" for number in complaints} <= set(case.list.entries)
    assert case.later <= timedelta(seconds=seconds)
    if seconds == 40:
        assert free == set(wanted)


@given(st.integers(0, 12))
def test_who_comes_again_gets_through_in_the_end(seconds: int) -> None:
    case = Client()
    wanted = set(MANY)
    for address in wanted:
        case.list.put(address)
    tries = 0
    while wanted and tries < 99:
        tries += 1
        wanted -= case.client.remove_all(sorted(wanted), case.client.within(timedelta(seconds=3 + seconds)))
        case.clock.move(CALL_EVERY)

    assert wanted == set()
    assert case.list.entries == {}


def test_a_refusal_is_told_and_not_waited_for_and_no_time_at_once_is_told_too() -> None:
    case = Client()
    case.list.troubles = [NotAnsweredError("AccessDeniedException")]
    assert case.client.clear(MANY, LONG) == set()
    case.list.troubles = [ComeAgainError()] * 9
    case.client.clear_at_once(ADDRESS)

    assert case.missed == ["AccessDeniedException", "no time"]
    assert case.later < timedelta(seconds=5)


def test_one_entry_is_removed_only_as_it_was_seen() -> None:
    case = Client()
    seen = case.list.put(ADDRESS, "BOUNCE", at(-5))
    for reason, seconds in (("COMPLAINT", -5), ("BOUNCE", -4)):
        case.list.put(ADDRESS, reason, at(seconds))
        assert not case.client.remove_entry(seen, case.client.within(LONG))
    complaint = case.list.put(ADDRESS, "COMPLAINT")
    assert not case.client.remove_entry(complaint, case.client.within(LONG))
    case.list.put(ADDRESS, "BOUNCE", at(-5))
    assert case.client.remove_entry(seen, case.client.within(LONG))
    assert case.list.entries == {}


# --- an entry as evidence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [STANDARD_POLICY, STRICT_POLICY], ids=["standard", "strict"])
def test_a_bounce_entry_flags_at_its_own_date(policy: object) -> None:
    contact = Contact(contact_key()).with_evidence(listed(seconds=-9).evidence)
    verdict = contact.verdict(policy)  # type: ignore[arg-type]

    assert (verdict.invalid, verdict.since, verdict.reason) == (True, at(-9), "bounce:on_suppression_list")
    assert contact.consent.opted_out == ()


def test_a_complaint_entry_opts_out_of_marketing_at_its_own_date_and_flags_nobody() -> None:
    contact = Contact(contact_key()).with_evidence(listed("COMPLAINT", -9).evidence)
    said = contact.consent.of(Scope.MARKETING).opt_out

    assert not contact.verdict(STANDARD_POLICY).invalid
    assert said == ConsentEvidence(at(-9), Scope.MARKETING, opted_out=True, source=ConsentSource.COMPLAINT)


def test_an_entry_stands_although_a_campaigns_bounces_are_rolled_back_and_does_not_bring_them_back() -> None:
    bounced = Contact(contact_key()).with_evidence(Failure(at(-9), "m1", Provider.SES, NO_SUCH_MAILBOX), Voided("m1"))

    assert not bounced.verdict(STANDARD_POLICY).invalid
    assert drift_of(bounced, listed()) is None
    assert bounced.with_evidence(listed().evidence).verdict(STANDARD_POLICY).since == at()


def opted_in(seconds: float) -> ConsentEvidence:
    return ConsentEvidence(at(seconds), Scope.MARKETING, opted_out=False, source=ConsentSource.PROVIDER)


def opted_out(scope: Scope) -> ConsentEvidence:
    return ConsentEvidence(at(-9), scope, opted_out=True, source=ConsentSource.PROVIDER)


FULL = Failure(at(-9), "m1", Provider.SES, "Transient/MailboxFull")
GONE = Failure(at(-9), "m1", Provider.SES, NO_SUCH_MAILBOX)


@pytest.mark.parametrize(
    ("reason", "known", "delivered", "drift"),
    [
        ("BOUNCE", [], None, Drift.UNKNOWN_BOUNCE),
        ("BOUNCE", [FULL], None, Drift.UNKNOWN_BOUNCE),
        ("BOUNCE", [GONE], None, None),
        ("BOUNCE", [Failure(at(-9), None, Provider.SES, LISTED_BOUNCE)], None, None),
        ("BOUNCE", [Cleared(at(-1), ClearedBy.EDIT)], None, Drift.UNKNOWN_BOUNCE),
        ("BOUNCE", [Cleared(at(), ClearedBy.EDIT)], None, Drift.STALE_ENTRY),
        ("BOUNCE", [Cleared(at(1), ClearedBy.EDIT)], None, Drift.STALE_ENTRY),
        ("BOUNCE", [Cleared(at(1), ClearedBy.EDIT), Failure(at(2), "m", Provider.SES, NO_SUCH_MAILBOX)],
         None, Drift.STALE_ENTRY),
        ("BOUNCE", [], 1, Drift.STALE_ENTRY),
        ("BOUNCE", [], -1, Drift.UNKNOWN_BOUNCE),
        ("COMPLAINT", [], None, Drift.UNKNOWN_COMPLAINT),
        ("COMPLAINT", [opted_in(-1)], None, Drift.UNKNOWN_COMPLAINT),
        ("COMPLAINT", [opted_in(1)], None, Drift.COMPLAINT_BEFORE_OPT_IN),
        ("COMPLAINT", [opted_out(Scope.ALL)], None, None),
        ("COMPLAINT", [opted_out(Scope.MARKETING)], None, None),
        ("COMPLAINT", [Cleared(at(1), ClearedBy.EDIT)], None, Drift.UNKNOWN_COMPLAINT),
    ],
)  # fmt: skip
def test_where_an_entry_and_a_contact_differ(
    reason: str, known: list[Cleared | Failure | ConsentEvidence], delivered: int | None, drift: Drift | None
) -> None:
    contact = Contact(contact_key()).with_evidence(*known)

    assert drift_of(contact, listed(reason), at(delivered) if delivered is not None else None) is drift
