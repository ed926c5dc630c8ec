"""Points are booked once, never below zero unless the business allows it, and go with the customer."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from tests.fakes.making import BUSINESS_ID, business, customer, id_of
from tests.fakes.watching import Turns, WorkerDiedError
from tests.fakes.world import Chaos, World


def with_somebody(**settings: bool) -> World:
    world = World(business(**settings))
    world.add(customer(1))
    return world


def book(world: World, delta: int, request: str | None = None) -> int:
    return world.book_points(BUSINESS_ID, id_of(1), delta, "birthday", "Mia", request)


def balance(world: World) -> int:
    return world.customers.get(BUSINESS_ID, id_of(1)).points_balance


def test_a_booking_is_made_once_for_each_request() -> None:
    world = with_somebody()

    assert [book(world, 10, "a"), book(world, 5, "b"), book(world, 10, "a"), book(world, 1), book(world, 1)] == [
        10,
        15,
        10,
        16,
        17,
    ]
    assert balance(world) == 17


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_death_around_the_write_books_neither_twice_nor_not_at_all(side: str) -> None:
    world = with_somebody()
    died: list[object] = []

    def dies(where: object) -> None:
        if str(where) == "points_ledger.book" and getattr(where, "side", "") == side and not died:
            died.append(where)
            raise WorkerDiedError

    world.checkpoint = dies
    with pytest.raises(WorkerDiedError):
        book(world, 10, "a")
    assert (book(world, 10, "a"), balance(world), len(died)) == (10, 10, 1)


def test_too_few_points_are_refused_and_nothing_is_booked() -> None:
    world = with_somebody()
    book(world, 3)
    with pytest.raises(ConflictError) as refused:
        book(world, -4, "a")

    assert refused.value.code == "not_enough_points"
    assert (balance(world), book(world, -3, "a")) == (3, 0)


def test_a_business_may_allow_less_than_nothing() -> None:
    assert book(with_somebody(negative_points=True), -4) == -4


@pytest.mark.parametrize(
    ("delta", "reason", "who"), [(0, "r", "w"), (1, " ", "w"), (1, "r", "a\nb"), (10**10, "r", "w")]
)
def test_what_is_wrong_is_said_and_not_booked(delta: int, reason: str, who: str) -> None:
    world = with_somebody()
    with pytest.raises(InvalidInputError):
        world.book_points(BUSINESS_ID, id_of(1), delta, reason, who)
    with pytest.raises(NotFoundError):
        world.book_points(BUSINESS_ID, id_of(9), 1, "r", "w")

    assert balance(world) == 0


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from("abc")), min_size=2, max_size=5), st.integers(0, 2**32))
def test_bookings_at_the_same_time_add_up(said: list[tuple[int, str]], seed: int) -> None:
    world = with_somebody()
    turns = Turns(seed)
    world.checkpoint = turns.checkpoint
    _ = world.book_points
    first: dict[str, int] = {}
    for delta, request in said:
        first.setdefault(request, delta)

    def one(delta: int, request: str) -> None:
        book(world, delta, request)

    turns.run([partial(one, delta, request) for request, delta in first.items() for _ in range(2)])
    assert balance(world) == sum(first.values())


def test_an_edit_of_the_profile_leaves_the_points_and_they_go_with_the_customer() -> None:
    world = with_somebody()
    book(world, 7)
    world.customer_service.change(BUSINESS_ID, id_of(1), {"first_name": "Ann"})
    assert balance(world) == 7

    world.chaos = Chaos(death=0.1)
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.rest()
    assert world.points_ledger.rows == {}


def test_they_are_in_the_timeline_page_by_page() -> None:
    world = with_somebody()
    for delta in (5, 6, 7):
        book(world, delta)
    found, cursor = [], None
    for _ in range(3):
        page = world.read_timeline(BUSINESS_ID, id_of(1), 1, cursor).entries
        found += [getattr(entry.what, "delta", 0) for entry in page.items]
        cursor = page.next_cursor

    assert (found, cursor) == ([7, 6, 5], None)
