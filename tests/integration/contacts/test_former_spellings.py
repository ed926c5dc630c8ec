"""A phone has one contact, also where an earlier version knew its number under another spelling."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Evidence
from rebound.kernel import channels
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConcurrentChangeError
from rebound.timeline.wiring import ports as timeline_ports
from tests.fakes import house, strategies
from tests.fakes.aws import make
from tests.fakes.making import BUSINESS_ID, NOON, at, id_of
from tests.integration.conftest import Stack
from tests.integration.inbound.test_received_texts import opted_out, receive, text

SPELLINGS = [
    pytest.param("+5491155550123", "+541155550123", id="Argentina"),
    pytest.param("+555499990000", "+5554999990000", id="Brazil"),
    pytest.param("+5215512345678", "+525512345678", id="Mexico"),
    pytest.param("+22997123456", "+2290197123456", id="Benin"),
]
READ_AS_GIVEN = SPELLINGS[:2]
"""Former spellings that were taken when a customer was created, because they are possible numbers."""
STOP = ConsentEvidence(at(1), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD, message_id="r1")


@contextmanager
def before_the_update() -> Iterator[None]:
    """As long as numbers were known by their spelling."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channels, "_PLANNED", ("+0",))
        yield


def create(stack: Stack, number: str, **given: Any) -> str:
    who = {"first_name": "Ana", "last_name": "Silva", "mobile_phone": number, **given}
    answer = stack.api("POST", "/v1/customers", who)
    assert answer.status == 201, answer.text
    created: str = answer.body["customer_id"]
    return created


def join(stack: Stack) -> dict[str, Any]:
    answer: dict[str, Any] = stack.invoke("operate_stack", {"command": "join-numbers"})
    assert answer["cursor"] is None
    return answer


def kept(number: str) -> Contact:
    key = ContactKey.of(BUSINESS_ID, Channel.SMS, number)
    return house.ports().contacts.get_many([key])[key]


@pytest.mark.parametrize("migrated", [True, False])
@pytest.mark.parametrize(("former", "today"), SPELLINGS)
def test_a_stop_from_either_spelling_stops_the_customer(stack: Stack, former: str, today: str, migrated: bool) -> None:
    ana = create(stack, today)
    if migrated:
        join(stack)

    receive(stack, text(From=former))
    assert opted_out(stack, ana) == ["all"]
    receive(stack, text(From=today, MessageSid="SM2", Body="start"))
    assert opted_out(stack, ana) == []


@pytest.mark.parametrize("again", [0, 1])
@pytest.mark.parametrize(("former", "today"), READ_AS_GIVEN)
def test_a_stop_is_found_after_deletion_migration_and_an_import(
    stack: Stack, former: str, today: str, again: int
) -> None:
    with before_the_update():
        ana = create(stack, former)
        receive(stack, text(From=former))
        assert stack.api("DELETE", f"/v1/customers/{ana}").status == 204

    join(stack)
    again_ana = create(stack, (former, today)[again])
    join(stack)

    assert opted_out(stack, again_ana) == ["all"]
    replies = stack.api("GET", "/v1/replies", query={"customer_id": again_ana}).body["items"]
    assert [reply["keyword"] for reply in replies] == ["stop"]


@pytest.mark.parametrize(("former", "today"), READ_AS_GIVEN)
def test_two_contacts_of_one_phone_become_one_without_loss_and_only_once(stack: Stack, former: str, today: str) -> None:
    with before_the_update():
        ana, bea = create(stack, former), create(stack, today)
        receive(stack, text(From=former))
        assert (opted_out(stack, ana), opted_out(stack, bea)) == (["all"], [])
    # What is kept is found at once, and stays where it is until somebody writes.
    assert (opted_out(stack, ana), opted_out(stack, bea)) == (["all"], ["all"])

    first, after_first = join(stack), stack.table("CONTACTS_TABLE")
    second, after_second = join(stack), stack.table("CONTACTS_TABLE")

    assert (first["joined"], second["joined"]) == (1, 0)
    assert after_first == after_second
    assert [row["contact_id"]["S"] for row in after_first] == [f"{BUSINESS_ID}#sms#{today}"]
    assert kept(former).customer_ids == {ana, bea}
    assert (opted_out(stack, ana), opted_out(stack, bea)) == (["all"], ["all"])
    log = stack.api("GET", f"/v1/customers/{bea}/log").body["items"]
    assert sorted(entry["kind"] for entry in log) == ["consent", "reply"]


@pytest.mark.parametrize(("former", "today"), SPELLINGS)
def test_a_link_with_the_hash_of_the_former_spelling_leads_to_what_is_remembered(
    stack: Stack, former: str, today: str
) -> None:
    with before_the_update():
        old = ContactKey(BUSINESS_ID, Channel.SMS, former)
        house.ports().contacts.save(Contact(old, customer_ids=frozenset({id_of(1)})).with_evidence(STOP))
    join(stack)
    contact = kept(today)
    house.ports().contacts.save(contact.without({id_of(1)}))

    of_former, of_today = old.hashed, ContactKey(BUSINESS_ID, Channel.SMS, today).hashed
    found = house.ports().contacts.get_many([of_former, of_today])

    assert found[of_former] == found[of_today]
    assert found[of_former].consent.of(Scope.ALL).opted_out
    assert found[of_former].remembered
    # Asked for by itself, a hash of before leads there as well.
    assert house.ports().contacts.get_many([of_former])[of_former] == found[of_today]

    house.ports().contacts.save(replace(kept(today), customer_ids=frozenset({id_of(2)})))
    assert kept(today).consent.of(Scope.ALL).opted_out
    assert kept(former).customer_ids == {id_of(2)}
    house.ports().contacts.save(kept(today).without({id_of(2)}))
    assert house.ports().contacts.get_many([of_former])[of_former].consent.of(Scope.ALL).opted_out


@pytest.mark.parametrize(("former", "today"), SPELLINGS)
def test_what_was_remembered_under_a_former_hash_is_remembered_under_todays(
    stack: Stack, former: str, today: str
) -> None:
    old = ContactKey(BUSINESS_ID, Channel.SMS, former)
    with before_the_update():
        house.ports().contacts.save(Contact(old).with_evidence(STOP))
    unused = kept(today)
    assert (unused.is_used, unused.consent.of(Scope.ALL).opted_out) == (False, True)
    house.ports().contacts.save(unused)
    with pytest.raises(ConcurrentChangeError):
        house.ports().contacts.save(unused)

    for key in (old.hashed, ContactKey(BUSINESS_ID, Channel.SMS, today).hashed):
        assert house.ports().contacts.get_many([key])[key].consent.of(Scope.ALL).opted_out


@pytest.mark.parametrize(("former", "today"), SPELLINGS[:1])
@given(
    st.lists(st.one_of(strategies.evidence, strategies.said), max_size=8),
    st.lists(st.sampled_from(["former", "today", "former hash", "today hash"]), min_size=8, max_size=8),
    st.booleans(),
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_known_of_a_phone_is_known_after_any_history(
    stack: Stack,
    former: str,
    today: str,
    evidence: list[Evidence | ConsentEvidence],
    places: list[str],
    joins: bool,
) -> None:
    for row in stack.table("CONTACTS_TABLE"):
        make("dynamodb").delete_item(TableName=stack.settings["CONTACTS_TABLE"], Key={"contact_id": row["contact_id"]})
    keys = {"former": former, "today": today}
    by_place = list(zip(places, evidence, strict=False))
    users: set[str] = set()
    with before_the_update():
        for number, (spelling, address) in enumerate(keys.items()):
            key = ContactKey(BUSINESS_ID, Channel.SMS, address)
            hashed = [e for place, e in by_place if place == f"{spelling} hash" and isinstance(e, ConsentEvidence)]
            known = [e for place, e in by_place if place == spelling]
            contact = Contact(key)
            if known:
                contact = Contact(key, customer_ids=frozenset({id_of(number)})).with_evidence(*hashed, *known)
                users.add(id_of(number))
            else:
                contact = contact.with_evidence(*hashed)
            house.ports().contacts.save(contact)
    remembered = [e for place, e in by_place if not place.endswith("hash") or isinstance(e, ConsentEvidence)]
    everything = Contact(ContactKey.of(BUSINESS_ID, Channel.SMS, today)).with_evidence(*remembered)

    if joins:
        join(stack)
    for spelling in (former, today):
        contact = kept(spelling)
        assert contact.key == everything.key
        assert contact.customer_ids == users
        assert contact.consent == everything.consent
        assert contact.reachability == (everything.reachability if users else Contact(contact.key).reachability)
    house.ports().contacts.save(kept(today))
    if users:
        assert len(stack.table("CONTACTS_TABLE")) == 1
        assert kept(today).joined == ()
    house.ports().contacts.save(kept(former).without(users))
    assert kept(former).consent == everything.consent
    assert not kept(former).is_used


@pytest.mark.parametrize(("former", "today"), READ_AS_GIVEN)
def test_what_joining_changes_for_others_is_told(stack: Stack, former: str, today: str) -> None:
    """Bea's number is stopped from the moment on at which Ana's STOP, from the same phone, joins her contact."""
    with before_the_update():
        create(stack, former)
        receive(stack, text(From=former))
        create(stack, today)
    (bea,) = [row for row in stack.table("CONTACTS_TABLE") if row["contact_id"]["S"].endswith(today)]
    join(stack)
    (joined,) = stack.table("CONTACTS_TABLE")
    seen = {"ApproximateCreationDateTime": NOON.timestamp(), "OldImage": bea, "NewImage": joined}

    change = timeline_ports.contact_change_of({"eventID": "e1", "dynamodb": seen})

    assert change is not None
    assert change.before is not None
    assert not change.before.consent.of(Scope.ALL).opted_out
    assert change.after.consent.of(Scope.ALL).opted_out


@pytest.mark.parametrize(("former", "today"), READ_AS_GIVEN)
def test_joining_says_nothing_twice(stack: Stack, former: str, today: str) -> None:
    """The rows that go, and the one that takes their place, are no news to anybody."""
    with before_the_update():
        create(stack, former)
        receive(stack, text(From=former))
    before = stack.table("CONTACTS_TABLE")
    join(stack)
    after = stack.table("CONTACTS_TABLE")
    (old,), (new,) = before, after
    at_noon = (NOON + timedelta(hours=1)).timestamp()

    def change(**images: Any) -> Any:
        record = {"eventID": "e1", "dynamodb": {"ApproximateCreationDateTime": at_noon, **images}}
        return timeline_ports.contact_change_of(record)

    assert change(OldImage=old) is None
    joined = change(NewImage=new)
    assert joined.before == joined.after
    assert joined.after.key.address == today
