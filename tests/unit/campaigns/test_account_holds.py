"""An account that mostly sends bulk is held, by the operator's policy, until the operator lifts the hold."""

from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.holds import SMALLEST_SHARE, AccountHold, HoldPolicy
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.messages.domain.messages import MessageStatus
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.world import World

CONTACT: Final = "support@platform.example"
ACCEPTABLE: Final[dict[str, Any]] = {"share": 0.9, "volume": 10, "contact": CONTACT}
BULK: Final = [category for category in Category if category.is_bulk]


def world_with(policy: tuple[float, int] | None = (0.9, 20), customers: int = 20) -> World:
    world = World()
    world.add(*(customer(number) for number in range(1, customers + 1)))
    for number in range(1, customers + 1):
        world.outcomes[customer(number).email or ""] = ()
    if policy is not None:
        world.account_holds.set_policy(share=policy[0], volume=policy[1], contact=CONTACT)
    return world


def send_bulk(world: World, **given: Any) -> None:
    world.run(world.post(**given).campaign.campaign_id)


def say(world: World, times: int = 1) -> None:
    for _ in range(times):
        world.post_message(
            BUSINESS_ID,
            customer_id=id_of(1),
            category=Category.ONE_TO_ONE,
            channel=Channel.EMAIL,
            content=world.post(is_draft=True).campaign.content,
        )
    world.rest()


@given(st.floats(SMALLEST_SHARE, 1), st.integers(1, 1000), st.integers(0, 2000), st.integers(0, 2000))
def test_counting_may_end_where_the_share_is_surely_too_small(
    share: float, volume: int, bulk: int, single: int
) -> None:
    policy = HoldPolicy(share, volume, CONTACT)

    assert policy.holds(bulk, single) == policy.holds(bulk, min(single, policy.most_singles(bulk)))
    assert policy.most_singles(bulk) <= bulk + 1


def test_nobody_is_held_until_the_operator_says_so() -> None:
    world = world_with(None)
    for _ in range(3):
        send_bulk(world)

    assert world.businesses.get(BUSINESS_ID).hold is None


@pytest.mark.parametrize("category", BULK)
def test_who_mostly_sends_bulk_is_refused_more_of_it_and_told_whom_to_ask(category: Category) -> None:
    world = world_with()
    send_bulk(world)
    with pytest.raises(ConflictError, match=CONTACT) as raised:
        world.post(category=category)

    assert (raised.value.code, raised.value.members) == ("account_held", {"contact": CONTACT})
    hold = world.businesses.get(BUSINESS_ID).hold
    assert hold == AccountHold(world.clock.now(), bulk=20, single=0, contact=CONTACT)


def test_reminders_and_single_messages_go_on() -> None:
    world = world_with()
    send_bulk(world)
    with pytest.raises(ConflictError):
        world.post()
    before = len(world.mailer.emails)
    send_bulk(world, category=Category.REMINDER)
    say(world)

    assert len(world.mailer.emails) == before + 21


@pytest.mark.parametrize(("volume", "singles", "held"), [(21, 0, False), (20, 2, True), (20, 3, False)])
def test_volume_and_share_both_count(volume: int, singles: int, held: bool) -> None:
    world = world_with((0.9, volume))
    say(world, singles)
    send_bulk(world)
    try:
        world.post()
    except ConflictError:
        assert held
    else:
        assert not held


def test_what_is_older_than_thirty_days_does_not_count() -> None:
    world = world_with()
    send_bulk(world)
    world.clock.move(timedelta(days=31))

    send_bulk(world)
    with pytest.raises(ConflictError):
        world.post()


def test_a_hold_stops_what_is_under_way_and_a_preview_says_so() -> None:
    world = world_with()
    first = world.post().campaign.campaign_id
    second = world.post().campaign.campaign_id
    world.run(first)
    with pytest.raises(ConflictError):
        world.post()
    ended = world.run(second)

    assert ended.audience.excluded == {"account_held": 20}
    assert sum(row.status is MessageStatus.SENT for row in world.messages.rows.values()) == 20


def test_a_lifted_hold_is_kept_with_its_reason_and_the_account_is_judged_anew() -> None:
    world = world_with()
    send_bulk(world)
    with pytest.raises(ConflictError):
        world.post()
    world.clock.move(timedelta(minutes=1))
    lifted = world.account_holds.lift(BUSINESS_ID, "Spoke to the owner")
    again = world.account_holds.lift(BUSINESS_ID, "Once more")
    world.clock.move(timedelta(minutes=1))
    send_bulk(world)

    assert again.lifted_holds == lifted.lifted_holds
    assert (lifted.hold, [kept.reason for kept in lifted.lifted_holds]) == (None, ["Spoke to the owner"])
    with pytest.raises(ConflictError):
        world.post()


def test_a_policy_that_is_off_holds_no_further_account() -> None:
    world = world_with()
    send_bulk(world)
    world.account_holds.switch_off()
    send_bulk(world)

    assert world.businesses.get(BUSINESS_ID).hold is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"share": 0.0}, "share"),
        ({"share": 5e-324}, "share"),
        ({"share": 0.49}, "share"),
        ({"share": float("nan")}, "share"),
        ({"share": 1.1}, "share"),
        ({"volume": 0}, "volume"),
        ({"contact": " "}, "contact"),
        ({"contact": "a\nb"}, "contact"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(given: dict[str, Any], field: str) -> None:
    world = world_with(None)
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        world.account_holds.set_policy(**{**ACCEPTABLE, **given})

    assert world.account_holds.policy() is None


def test_a_reason_is_needed() -> None:
    world = World(business(hold=AccountHold(NOON, 10, 0, CONTACT)))
    with pytest.raises(InvalidInputError, match=r"^reason: "):
        world.account_holds.lift(BUSINESS_ID, " ")

    assert world.businesses.get(BUSINESS_ID).hold is not None
