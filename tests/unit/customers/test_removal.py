"""A deletion takes a customer out of everything that lists them, and no word about consent with them."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import Consent, ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import NotFoundError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.messages import MessageStatus
from rebound.segments.domain.selections import CustomerFilter
from tests.fakes import strategies
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key, customer, id_of, message, receipt
from tests.fakes.watching import Turns, WorkerDiedError
from tests.fakes.world import World

MANY = 40
STOP = ConsentEvidence(at(1), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER, message_id="m1")
BOUNCE = Failure(at(1), "m1", Provider.SES, NO_SUCH_MAILBOX)
ANA: dict[str, Any] = {"first_name": "Ana", "last_name": "Silva", "email": "ana1@example.com"}
CSV = "external_id,first_name,last_name,email\nA-1,Ana,Silva,ana1@example.com\n"


def import_again(world: World, content: str = CSV) -> None:
    view, _ = world.start_import(BUSINESS_ID, "csv", content)
    assert world.run_import(view.job.import_id).counts.failed == 0


def create_again(world: World) -> None:
    world.customer_service.create(BUSINESS_ID, ANA)


def move_there(world: World) -> None:
    world.add(customer(9, email="nine@example.com"))
    world.customer_service.change(BUSINESS_ID, id_of(9), {"email": "Ana1@example.com"})


def everything_kept(world: World) -> str:
    """Every row of customers and contacts, as text."""
    return repr((world.customers.rows, world.contacts.rows, world.contacts.hashed))


def test_a_deletion_leaves_nothing_of_the_address_when_there_was_no_consent() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), BOUNCE)
    world.customer_service.delete(BUSINESS_ID, id_of(1))

    assert (world.customers.rows, world.contacts.rows, world.contacts.hashed) == ({}, {}, {})


def test_what_is_kept_of_consent_names_neither_address_nor_customer() -> None:
    world = World()
    world.add(customer(1))
    world.know(contact_key(1), STOP, BOUNCE)
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    kept = everything_kept(world)

    assert list(world.contacts.hashed) == [contact_key(1).hashed]
    assert "sha256:" in kept
    assert "ana1" not in kept
    assert "4155560001" not in kept
    assert id_of(1) not in kept


def test_every_address_that_a_customer_ever_used_goes_with_them() -> None:
    world = World()
    created = world.customer_service.create(BUSINESS_ID, {**ANA, "mobile_phone": "+14155550123"}).customer
    for number in (2, 3, 1, 4):
        world.customer_service.change(BUSINESS_ID, created.customer_id, {"email": f"ana{number}@example.com"})
    world.customer_service.change(BUSINESS_ID, created.customer_id, {"mobile_phone": None})
    stored = world.customers.get(BUSINESS_ID, created.customer_id)
    assert stored.former_contacts == {
        *(contact_key(number) for number in (1, 2, 3)),
        ContactKey(BUSINESS_ID, Channel.SMS, "+14155550123"),
    }
    world.customer_service.delete(BUSINESS_ID, created.customer_id)

    assert world.contacts.rows == {}


def test_a_customer_of_very_many_addresses_can_be_deleted() -> None:
    world = World()
    created = world.customer_service.create(BUSINESS_ID, ANA).customer
    for number in range(MANY * 2 + 5):
        world.customer_service.change(BUSINESS_ID, created.customer_id, {"email": f"ana{number}@example.com"})
        world.know(contact_key(number), STOP)
    world.customer_service.delete(BUSINESS_ID, created.customer_id)

    assert (world.customers.rows, world.contacts.rows) == ({}, {})
    assert len(world.contacts.hashed) == MANY * 2 + 5


@pytest.mark.parametrize("addresses", [3, MANY * 2 + 5])
@pytest.mark.parametrize("how", ["alone", "with others"])
def test_every_address_that_a_customer_ever_used_remembers_who_left_it_by_being_deleted(
    addresses: int, how: str
) -> None:
    world = World()
    customer_id = world.customer_service.create(BUSINESS_ID, ANA).customer.customer_id
    for number in range(2, addresses + 1):
        world.customer_service.change(BUSINESS_ID, customer_id, {"email": f"ana{number}@example.com"})
    if how == "alone":
        world.customer_service.delete(BUSINESS_ID, customer_id)
    else:
        world.run_to_end(world.bulk_delete(BUSINESS_ID, CustomerFilter(), [customer_id], 1))

    assert world.customers.rows == {}
    for number in range(1, addresses + 1):
        assert list(world.departures.since(contact_key(number), at(0))) == [customer_id]


def test_a_shared_address_stays_as_it_is_for_the_others() -> None:
    world = World()
    world.add(customer(1), customer(2, email="ana1@example.com"))
    world.know(contact_key(1), STOP, BOUNCE)
    before = world.contacts.rows[contact_key(1)]
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    after = world.contacts.rows[contact_key(1)]

    assert after.customer_ids == {id_of(2)}
    assert (after.consent, after.reachability) == (before.consent, before.reachability)
    world.customer_service.delete(BUSINESS_ID, id_of(2))
    assert contact_key(1) not in world.contacts.rows


@pytest.mark.parametrize("come_back", [create_again, import_again, move_there])
def test_an_opt_out_survives_deletion_and_coming_back(come_back: Callable[[World], None]) -> None:
    world = World()
    import_again(world)
    world.know(contact_key(1), STOP)
    for _ in range(2):
        (only,) = [c for c in world.customers.rows.values() if contact_key(1) in c.contact_keys]
        world.customer_service.delete(BUSINESS_ID, only.customer_id)
        assert contact_key(1) not in world.contacts.rows
        come_back(world)
        assert world.contacts.rows[contact_key(1)].consent.opted_out == (Scope.ALL,)


@pytest.mark.parametrize("outcome", [Outcome.COMPLAINED, Outcome.FAILED])
def test_a_receipt_after_the_deletion_keeps_its_consent_and_brings_no_address_back(outcome: Outcome) -> None:
    world = World()
    world.add(customer(1))
    world.messages.record_new([message(1, status=MessageStatus.SENT)])
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    code = {"code": NO_SUCH_MAILBOX} if outcome is Outcome.FAILED else {}
    for _ in range(2):
        applied = world.apply_receipts({"a": [receipt(outcome, 5, **code)]})
        assert applied.again == frozenset()

    assert world.contacts.rows == {}
    assert bool(world.contacts.hashed) == (outcome is Outcome.COMPLAINED)
    create_again(world)
    contact = world.contacts.rows[contact_key(1)]
    assert contact.consent.opted_out == ((Scope.MARKETING,) if outcome is Outcome.COMPLAINED else ())
    assert contact.reachability.failures == frozenset()


steps = st.one_of(
    strategies.said,
    st.sampled_from(["delete", "create", "import", "share", "unshare"]),
)


@given(st.lists(steps, max_size=12))
def test_consent_is_the_fold_of_everything_said_whoever_came_and_went(story: list[Any]) -> None:
    world = World()
    said: list[ConsentEvidence] = []
    for step in story:
        users = [c for c in world.customers.rows.values() if contact_key(1) in c.contact_keys]
        match step:
            case "delete":
                for user in users:
                    world.customer_service.delete(BUSINESS_ID, user.customer_id)
            case "create":
                create_again(world)
            case "import":
                import_again(world)
            case "share" if (BUSINESS_ID, id_of(2)) not in world.customers.rows:
                world.add(customer(2, email="ana1@example.com"))
            case "unshare":
                for user in users[:1]:
                    world.customer_service.change(BUSINESS_ID, user.customer_id, {"email": None})
            case ConsentEvidence():
                said.append(step)
                world.know(contact_key(1), step)
    known = world.contacts.get_many([contact_key(1)])[contact_key(1)]

    assert known.consent == Consent().join(*said)
    lists = [c for c in world.customers.rows.values() if contact_key(1) in c.all_contact_keys]
    assert known.customer_ids == {c.customer_id for c in lists}
    assert (contact_key(1) in world.contacts.rows) == bool(lists)


@pytest.mark.parametrize("seed", range(40))
def test_a_complaint_that_arrives_while_a_customer_goes_and_comes_is_never_lost(seed: int) -> None:
    world = World()
    turns = Turns(seed)
    world.add(customer(1))
    world.messages.record_new([message(1, status=MessageStatus.SENT)])
    world.checkpoint = turns.checkpoint

    def delete_and_import() -> None:
        world.customer_service.delete(BUSINESS_ID, id_of(1))
        import_again(world)

    def complain() -> None:
        queue = {"a": [receipt(Outcome.COMPLAINED, 5)]}
        while world.apply_receipts(queue).again:
            pass

    turns.run([delete_and_import, complain])

    assert world.contacts.rows[contact_key(1)].consent.opted_out == (Scope.MARKETING,)
    assert world.contacts.hashed == {}


@pytest.mark.parametrize("seed", range(40))
def test_confirming_and_editing_beside_a_deletion_bring_nobody_back(seed: int) -> None:
    world = World()
    turns = Turns(seed)
    world.add(customer(1), customer(2, email="ana1@example.com"))
    world.know(contact_key(1), BOUNCE, STOP)
    world.checkpoint = turns.checkpoint

    def tolerant(do: Callable[[], object]) -> None:
        try:
            do()
        except NotFoundError:
            return

    turns.run(
        [
            lambda: world.customer_service.delete(BUSINESS_ID, id_of(1)),
            lambda: world.customer_service.delete(BUSINESS_ID, id_of(2)),
            lambda: tolerant(lambda: world.customer_service.confirm(BUSINESS_ID, id_of(1), Channel.EMAIL)),
            lambda: tolerant(lambda: world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "b@example.com"})),
        ]
    )

    assert (world.customers.rows, world.contacts.rows) == ({}, {})
    assert world.contacts.get_many([contact_key(1)])[contact_key(1)].consent.opted_out == (Scope.ALL,)


def test_a_worker_that_dies_while_it_applies_a_complaint_has_it_come_again() -> None:
    for death in range(1, 40):
        world = World()
        world.add(customer(1))
        world.messages.record_new([message(1, status=MessageStatus.SENT)])
        world.customer_service.delete(BUSINESS_ID, id_of(1))
        calls = [0]

        def die(where: str, calls: list[int] = calls, death: int = death) -> None:
            calls[0] += 1
            if calls[0] == death:
                raise WorkerDiedError(where)

        world.checkpoint = die
        try:
            world.apply_receipts({"a": [receipt(Outcome.COMPLAINED, 5)]})
        except WorkerDiedError:
            world.apply_receipts({"a": [receipt(Outcome.COMPLAINED, 5)]})
        else:
            assert death > 2
            return
        assert world.contacts.get_many([contact_key(1)])[contact_key(1)].consent.opted_out == (Scope.MARKETING,)
    raise AssertionError("it never comes to an end")
