"""One tag of a customer, given or taken by a program that may have read them a moment before."""

import pytest

from rebound.kernel.errors import InvalidInputError, NotFoundError
from tests.fakes.making import BUSINESS_ID, at, business, customer, id_of
from tests.fakes.world import World

WHO = (BUSINESS_ID, id_of(1))


@pytest.fixture
def world() -> World:
    made = World(business())
    made.add(customer(1, general_tags=("vip",)))
    return made


def test_of_one_who_has_just_been_read_nothing_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    known = world.customers.get(*WHO)

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    with monkeypatch.context() as closed:
        for book, name in ((world.customers, "get"), (world.contacts, "get_many"), (world.businesses, "get")):
            closed.setattr(book, name, never)
        now = world.customer_service.retag(*WHO, add="new", remove="VIP", known=known)
        # It can be gone on from.
        now = world.customer_service.retag(*WHO, add="newer", known=now)

    assert now == world.customers.get(*WHO)
    assert now.general_tags == ("new", "newer")


def test_what_somebody_wrote_since_stays(world: World) -> None:
    known = world.customers.get(*WHO)
    world.customer_service.change(*WHO, {"first_name": "Bea", "general_tags": ["theirs"]})
    now = world.customer_service.retag(*WHO, add="new", known=known)

    assert (now.first_name, now.general_tags) == ("Bea", ("theirs", "new"))
    assert now == world.customers.get(*WHO)


def test_a_tag_they_have_is_not_written_again(world: World) -> None:
    known = world.customers.get(*WHO)
    assert world.customer_service.retag(*WHO, add="VIP", known=known) == known == world.customers.get(*WHO)


@pytest.mark.parametrize("comes_again", [True, False])
def test_who_was_deleted_since_gets_none_nor_does_who_has_their_id(world: World, comes_again: bool) -> None:
    known = world.customers.get(*WHO)
    world.customers.delete([known], [])
    if comes_again:
        world.customers.save([customer(1, created_at=at(60), updated_at=at(60))], [])
    with pytest.raises(NotFoundError):
        world.customer_service.retag(*WHO, add="new", known=known)

    assert [each.general_tags for each in world.customers.rows.values()] == [()] * comes_again


@pytest.mark.parametrize(("count", "tag"), [(50, "one more"), (1, "x" * 65), (1, "")])
def test_what_is_no_tag_or_one_too_many_is_refused(world: World, count: int, tag: str) -> None:
    full = customer(2, general_tags=tuple(f"t{number}" for number in range(count)))
    world.add(full)
    with pytest.raises(InvalidInputError) as refused:
        world.customer_service.retag(BUSINESS_ID, id_of(2), add=tag)

    assert [error.field for error in refused.value.errors] == ["general_tags"]
    assert world.customers.get(BUSINESS_ID, id_of(2)).general_tags == full.general_tags
