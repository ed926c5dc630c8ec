"""Whoever keeps something of a deleted customer is told, again and again until it is gone."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Final

import pytest

from rebound.customers.domain import Customer
from rebound.platform.wiring import PlatformUseCases
from rebound.timeline.wiring import TimelineUseCases
from tests.fakes.house import EveryUseCase
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.fakes.watching import BrokenCallError, WorkerDiedError
from tests.fakes.world import World

REMINDED: Final = 20


class Keeping(World):
    """A world in which two capabilities keep something of each customer."""

    def __init__(self, *fail: Callable[[], None]) -> None:
        super().__init__()
        self.kept: list[set[str]] = [set(), set()]
        self.fails = list(fail)
        self.calls = 0

    def keep(self, *customers: Customer) -> None:
        """Customers of whom both keep something."""
        self.add(*customers)
        for each in self.kept:
            each.update(one.customer_id for one in customers)

    @cached_property
    def erasers(self) -> Any:
        return (self._erased(0), self._erased(1))

    def _erased(self, place: int) -> Callable[[Customer], None]:
        def erase(who: Customer) -> None:
            self.calls += 1
            if place == 1 and self.fails:
                self.fails.pop()()
            self.kept[place].discard(who.customer_id)

        return erase


def dies() -> None:
    raise WorkerDiedError("between two erasers")


def fails() -> None:
    raise BrokenCallError


@pytest.mark.parametrize("trouble", [(), (dies,), (dies, dies), (fails,), (fails, dies, fails)])
def test_everything_goes_with_a_deleted_customer_and_nothing_of_anybody_else(
    trouble: tuple[Callable[[], None], ...],
) -> None:
    world = Keeping(*trouble)
    world.keep(customer(1), customer(2))
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.rest()

    assert world.kept == [{id_of(2)}, {id_of(2)}]
    assert world.calls >= 2 + len(trouble)
    assert not world.fails
    assert world.unforgotten.rows == {}
    assert world.forget_queue.queue.messages == {}


def test_an_eraser_that_fails_holds_up_neither_the_others_nor_the_stream() -> None:
    world = Keeping(*[fails] * REMINDED)
    world.keep(customer(1), customer(2))
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.pump_streams()
    left = world.unforgotten.find(BUSINESS_ID, id_of(1))

    assert world.kept == [{id_of(2)}, {id_of(1), id_of(2)}]
    assert left is not None
    assert left.email == customer(1).email
    assert {waiting.body for waiting in world.forget_queue.queue.messages.values()} == {(BUSINESS_ID, id_of(1))}
    with pytest.raises(BrokenCallError):
        world.erase_customer.again(BUSINESS_ID, id_of(1))
    world.rest()
    assert world.kept == [{id_of(2)}, {id_of(2)}]
    assert world.unforgotten.rows == {}


def test_who_is_not_deleted_is_not_forgotten() -> None:
    world = Keeping()
    world.keep(customer(1))
    world.customer_service.change(BUSINESS_ID, id_of(1), {"first_name": "Ann"})
    world.rest()

    assert world.calls == 0


def bringing(kind: type[object], what: str = "erasers") -> Iterator[type[object]]:
    """The classes below a class that add something of their own."""
    for each in kind.__subclasses__():
        if issubclass(each, PlatformUseCases) and what in vars(each) and each.__module__.startswith("rebound."):
            yield each
        yield from bringing(each, what)


def test_the_function_that_forgets_has_the_erasers_of_all_capabilities() -> None:
    """It is made of timeline's use cases: a capability beside or above these would be left out."""
    own = {kind for kind in TimelineUseCases.__mro__ if "erasers" in vars(kind)}

    assert own == set(bringing(PlatformUseCases))
    assert issubclass(EveryUseCase, TimelineUseCases)
