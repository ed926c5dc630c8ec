"""Rolled back flags: what a campaign's bounces said is void, everything else that is known goes on counting."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.contacts.domain.reachability import STANDARD_POLICY, Failure
from rebound.kernel.channels import ContactKey
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.events import ContactInvalidated, ContactRestored
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome, Receipt
from rebound.messages.domain.messages import MessageStatus
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key, customer
from tests.fakes.world import Chaos, World

PEOPLE = 120
BAD = 30
STORM = Chaos(death=0.02, duplicate=0.2, early=0.1, reminders=0.05)


def bounced(seed: int = 0, chaos: Chaos | None = None) -> tuple[World, str]:
    """A campaign of which thirty emails bounced."""
    world = World(seed=seed)
    world.chaos = chaos or Chaos()
    world.add(*(customer(number) for number in range(1, PEOPLE + 1)))
    for number in range(1, BAD + 1):
        world.outcomes[f"ana{number}@example.com"] = ((Outcome.FAILED, NO_SUCH_MAILBOX, 1.0),)
    campaign_id = world.post().campaign.campaign_id
    world.run(campaign_id)
    return world, campaign_id


def flagged(world: World) -> set[ContactKey]:
    return {key for key, contact in world.contacts.rows.items() if contact.verdict(STANDARD_POLICY).invalid}


def copies(world: World) -> int:
    return sum(one.failed_email for one in world.customers.rows.values())


def test_the_flags_of_a_campaign_clear_and_the_world_hears_of_it() -> None:
    world, campaign_id = bounced()
    assert (len(flagged(world)), copies(world)) == (BAD, BAD)
    asked = world.ask_for_rollback(BUSINESS_ID, campaign_id).campaign.rollback
    assert asked is not None
    assert (asked.done, asked.bounces) == (False, 0)
    world.rest()
    done = world.campaigns.get(BUSINESS_ID, campaign_id).rollback

    assert done is not None
    assert (done.done, done.bounces) == (True, BAD)
    assert (flagged(world), copies(world)) == (set(), 0)
    told = [type(event) for event in world.domain_events.published]
    assert set(told) >= {ContactInvalidated, ContactRestored}
    restored = {e.customer_ids for e in world.domain_events.published if isinstance(e, ContactRestored)}
    assert len(restored) == BAD
    # The client log still says what happened.
    assert sum(m.status is MessageStatus.BOUNCED for m in world.messages.rows.values()) == BAD


def test_receipts_that_come_again_do_not_bring_the_flags_back() -> None:
    world, campaign_id = bounced()
    receipts = [
        Receipt(Provider.SES, Outcome.FAILED, m.failed_at, m.key, address=m.address, code=m.provider_code)
        for m in world.messages.rows.values()
        if m.status is MessageStatus.BOUNCED and m.failed_at is not None
    ]
    world.ask_for_rollback(BUSINESS_ID, campaign_id)
    world.rest()
    for receipt in receipts:
        world.receipt_queue.queue.send((receipt,))
    world.rest()

    assert len(receipts) == BAD
    assert flagged(world) == set()


def test_another_campaigns_bounce_and_a_later_one_count_as_before() -> None:
    world, campaign_id = bounced()
    world.know(contact_key(1), Failure(at(-60), "01OTHER", Provider.SES, NO_SUCH_MAILBOX))
    world.ask_for_rollback(BUSINESS_ID, campaign_id)
    world.rest()
    assert flagged(world) == {contact_key(1)}

    world.run(world.post().campaign.campaign_id)
    assert len(flagged(world)) == BAD


def test_only_bounces_of_the_time_that_was_named_are_voided() -> None:
    world, campaign_id = bounced()
    times = sorted(m.failed_at for m in world.messages.rows.values() if m.failed_at is not None)
    middle = times[len(times) // 2]
    earlier = sum(time <= middle for time in times)
    world.ask_for_rollback(BUSINESS_ID, campaign_id, until=middle)
    world.rest()
    assert len(flagged(world)) == BAD - earlier

    world.ask_for_rollback(BUSINESS_ID, campaign_id, since=middle + timedelta(microseconds=1))
    world.rest()
    rollback = world.campaigns.get(BUSINESS_ID, campaign_id).rollback
    assert rollback is not None
    assert (rollback.done, rollback.bounces) == (True, BAD - earlier)
    assert flagged(world) == set()


@given(st.integers(0, 1 << 30), st.integers(1, 3))
def test_whatever_dies_all_flags_of_the_campaign_are_rolled_back_and_counted_once(seed: int, times: int) -> None:
    world, campaign_id = bounced(seed, STORM)
    for _ in range(times):
        world.ask_for_rollback(BUSINESS_ID, campaign_id)
    world.rest()
    rollback = world.campaigns.get(BUSINESS_ID, campaign_id).rollback
    rows = sum(message.status is MessageStatus.BOUNCED for message in world.messages.rows.values())

    assert rollback is not None
    assert (rollback.done, rollback.bounces) == (True, rows)
    assert (flagged(world), copies(world)) == (set(), 0)


def test_an_address_that_nobody_uses_any_more_is_left_alone() -> None:
    world, campaign_id = bounced()
    world.customer_service.delete(BUSINESS_ID, customer(1).customer_id)
    world.rest()
    before = world.contacts.rows.get(contact_key(1))
    world.ask_for_rollback(BUSINESS_ID, campaign_id)
    world.rest()

    assert world.contacts.rows.get(contact_key(1)) == before


def test_what_cannot_be_rolled_back() -> None:
    world, campaign_id = bounced()
    with pytest.raises(InvalidInputError, match="until"):
        world.ask_for_rollback(BUSINESS_ID, campaign_id, since=at(2), until=at(1))
    with pytest.raises(NotFoundError):
        world.ask_for_rollback(BUSINESS_ID, "01J00000000000000000000000")
    scheduled = world.post(timing=Timing(world.clock.now() + timedelta(hours=1))).campaign.campaign_id
    with pytest.raises(ConflictError, match="sent nothing"):
        world.ask_for_rollback(BUSINESS_ID, scheduled)
    assert world.runner.rollbacks == []
    assert world.campaigns.get(BUSINESS_ID, campaign_id).rollback is None
