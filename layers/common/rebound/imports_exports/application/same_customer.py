"""Which rows of a part are about one customer, and which of them holds.

The last good row holds: the earlier ones change nothing, not even for a moment. Otherwise a list that names a customer
twice, with two addresses, would move the customer back and forth on every import. What the last row leaves open is as
the row before it has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from copy import replace
from typing import TYPE_CHECKING, Final

from rebound.customers.domain import REQUIRED_FIELDS
from rebound.imports_exports.application.import_rows import mark_of, merged, name_of

if TYPE_CHECKING:
    from rebound.customers.domain import Customer
    from rebound.imports_exports.application.import_rows import Wish
    from rebound.imports_exports.application.split_import import Record


def run_of(record: Record) -> int:
    """The run in which a row goes in: rows without an id come last, so that they meet whom the others name."""
    return int(record.customer_id is None)


MOST_NAMELESS: Final = 10
"""Of one name, who may have an address by now."""


class SameCustomers:
    """The rows of one part by customer. In memory are numbers of customers, and what several rows say together.

    ``rows`` reads the part from its beginning; ``read`` gives the wish of a row, or ``None`` for a bad one. ``is_all``
    says that the part is the whole file.
    """

    def __init__(
        self, rows: Callable[[], Iterable[Record]], read: Callable[[Record], Wish | None], *, is_all: bool
    ) -> None:
        self._is_all = is_all
        self._said: set[int] = set()
        """Ids of customers and marks that rows have."""
        self._nameless: Counter[str] = Counter()
        """By name, how many rows have nothing but the name; and in the next, how many have an address besides."""
        self._named: Counter[int] = Counter()
        self.rows_of_run = [0, 0]
        """How many rows have an id, and how many have none."""
        self._parents: dict[int, int] = {}
        """Marks that rows have in common with others lead to one of them."""
        self._holding: dict[int, Wish] = {}
        self._namesakes: dict[int, int] = {}
        """By line, how many come before a row of which nothing but the name is known; where there are any."""
        often = self._often(rows(), read)
        for record in rows() if often else ():
            if record.customer_id is not None and int(record.customer_id, 16) not in often:
                continue
            wish = None if record.given is None or record.is_opt_out else read(record)
            person = None if wish is None else self._person(wish)
            if wish is not None and person in often:
                earlier = self._holding.get(person)
                self._holding[person] = wish if earlier is None else merged(earlier, wish)

    def holding(self, wish: Wish) -> Wish:
        """What holds for the customer of a row: the wish of another line, if a later row is about the same one."""
        person = self._person(wish)
        if person is None:
            return replace(wish, namesakes=self._namesakes.get(wish.line, 0))
        held = self._holding.get(person, wish)
        if held.customer_id is not None:
            return held
        name = name_of(held.profile)
        first = self._nameless[name]
        return replace(held, nameless=range(first, first + min(self._named[hash(name)], MOST_NAMELESS)))

    def may_lack(self, customer: Customer) -> bool:
        """Whether no row of the file is about a customer, by their present name or by id.

        Of a file that is read in parts nobody can say so, nor of somebody whose name was edited by hand.
        """
        if not self._is_all or any(name in (customer.file_values or ()) for name in REQUIRED_FIELDS):
            return False
        name = name_of({each: getattr(customer, each) for each in REQUIRED_FIELDS})
        marks = (int(mark_of(key, name), 16) for key in customer.contact_keys)
        return self._said.isdisjoint((int(customer.customer_id, 16), *marks))

    def _often(self, rows: Iterable[Record], read: Callable[[Record], Wish | None]) -> set[int]:
        """The customers whom several rows are about."""
        once: set[int] = set()
        often: set[int] = set()
        marked: Counter[int] = Counter()
        for record in rows:
            self.rows_of_run[run_of(record)] += 1
            if record.given is None or record.is_opt_out:
                continue
            if record.customer_id is not None:
                number = int(record.customer_id, 16)
                if self._is_all:
                    self._said.add(number)
                (often if number in once else once).add(number)
                continue
            wish = read(record)
            if wish is None:
                continue
            self._count_name(wish)
            if wish.marks:
                first, *others = (int(mark, 16) for mark in wish.marks)
                for other in others:
                    self._parents[self._root(other)] = self._root(first)
                marked[first] += 1
        persons: Counter[int] = Counter()
        for mark, count in marked.items():
            persons[self._root(mark)] += count
        return often | {person for person, count in persons.items() if count > 1}

    def _count_name(self, wish: Wish) -> None:
        name = name_of(wish.profile)
        if wish.marks:
            self._named[hash(name)] += 1
            if self._is_all:
                self._said.update(int(mark, 16) for mark in wish.marks)
            return
        if self._nameless[name]:
            self._namesakes[wish.line] = self._nameless[name]
        self._nameless[name] += 1

    def _person(self, wish: Wish) -> int | None:
        if wish.customer_id is not None:
            return int(wish.customer_id, 16)
        return self._root(int(wish.marks[0], 16)) if wish.marks else None

    def _root(self, mark: int) -> int:
        parents = self._parents
        while (parent := parents.get(mark, mark)) != mark:
            parents[mark] = mark = parents.get(parent, parent)
        return mark
