"""The rows by which customers are found: what they hold, and which of them answer a question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from copy import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from secrets import choice
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.customers.application.finding import FEWEST_DIGITS, folded_address, is_the_number, own_digits
from rebound.customers.application.name_words import begin_all, beginning_of, has_beginning, name_words
from rebound.customers.domain import Customer, Kind, Question, Typed, fields_of
from rebound.kernel.search import digits_of
from rebound.kernel.written_text import folded
from rebound.platform.adapters.dynamo import EPOCH, MICROSECOND, write_instant

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stamps(Struct, frozen=True):
    """The writes that made the rows of a customer: of the name, and of addresses and numbers.

    Empty for the write that made the customer, which the time of it tells apart from those of other customers who had
    the id before.
    """

    name: str = ""
    addresses: str = ""

    @classmethod
    def read(cls, kept: str | None) -> Stamps:
        """The stamps as the customer's row has them."""
        return cls() if kept is None else cls(*kept.split(","))

    @property
    def kept(self) -> str | None:
        """What the customer's row has of them."""
        return None if self == Stamps() else f"{self.name},{self.addresses}"


class Entry(Struct, frozen=True):
    """One row: the business, what is looked for and its first letter; its text, the customer and the stamp.

    So many people whose names begin alike, written by several parts of an import at once, share no partition but that
    of the list by name. ``words`` are those of the whole name where the entry has no room for them.
    """

    place: str
    entry: str
    words: str | None = None

    @property
    def customer_id(self) -> str:
        return self.entry.rsplit(END, 2)[1]

    @property
    def text(self) -> str:
        """What is looked for, as far as the entry has it."""
        return self.entry.partition(END)[0]

    @property
    def name(self) -> tuple[str, ...]:
        """The words of the whole name, of a row that is found by some of them."""
        return tuple((self.words or self.entry.rsplit(END, 3)[1]).split())

    def is_of_birth(self, customer: Customer) -> bool:
        """Whether the write made it that made this customer."""
        return self.entry.endswith(f"{END}{new_stamp(customer.created_at)}")

    @property
    def is_of_an_edit(self) -> bool:
        """Whether a write made it that was told that the customer is there: an edit, or the copy of a flag."""
        return "." in self.entry.rpartition(END)[2] or self.place.endswith(f"#{FLAGGED}")

    @property
    def made_at(self) -> datetime:
        """When the write began that made it."""
        return EPOCH + int(self.entry.rsplit(END, 1)[1].partition(".")[0], 36) * MICROSECOND


NAME: Final = "n"
CREATED: Final = "c"
WORD: Final = "w"
PAIR: Final = "p"
ADDRESS: Final = "e"
NUMBER: Final = "t"
FLAGGED: Final = "f"

END: Final = "\x1f"
_LONGEST_WORD: Final = 40
_LONGEST_NAME: Final = 80
_LONGEST_ADDRESS: Final = 200
_NUMBERS: Final = fields_of(Kind.PHONE)
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
STALE_AFTER: Final = timedelta(hours=1)
"""From this age on, a row that means nothing is of no write that is still going on: a function ends sooner."""


def new_stamp(at: datetime | None = None) -> str:
    """A stamp that no other write has. With ``at`` that of whoever was created then."""
    stamp = _base36(((at or datetime.now(UTC)) - EPOCH) // MICROSECOND)
    return stamp if at is not None else f"{stamp}.{choice(_DIGITS)}{choice(_DIGITS)}"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def entries_of(customer: Customer, kept: str | None) -> frozenset[Entry]:
    """All rows of a customer, whose own row keeps these stamps."""
    stamps = Stamps.read(kept)
    by_birth = new_stamp(customer.created_at)
    return flags_of(customer).union(
        _placed(customer, _by_name(customer), stamps.name or by_birth),
        _placed(customer, _by_addresses(customer), stamps.addresses or by_birth),
        _placed(customer, [(CREATED, write_instant(customer.created_at), None)], by_birth),
    )


def flags_of(customer: Customer) -> frozenset[Entry]:
    """The row of a customer who is flagged."""
    stamp = new_stamp(customer.created_at if customer.flags_at is None else customer.flags_at)
    return frozenset(_placed(customer, _by_flags(customer), stamp))


type _Looked = tuple[str, str, str | None]
"""Kind with shard, text, and the words of the name that do not fit."""


def _placed(customer: Customer, looked_for: Iterable[_Looked], stamp: str) -> Iterator[Entry]:
    for kind, text, words in looked_for:
        place = f"{customer.business_id}#{kind}"
        yield Entry(place, END.join((text, customer.customer_id, stamp)), words)


def _by_name(customer: Customer) -> list[_Looked]:
    words = name_words(customer.first_name, customer.last_name)
    name = " ".join(words)
    rest = name if len(name) > _LONGEST_NAME else None
    behind = f"{END}{name[:_LONGEST_NAME]}"
    looked_for: list[_Looked] = [(NAME, folded(customer.full_name)[:_LONGEST_NAME], None)]
    looked_for += [(f"{WORD}{word[0]}", f"{word[:_LONGEST_WORD]}{behind}", rest) for word in words]
    pairs = {
        (beginning_of(one), other[:_LONGEST_WORD])
        for one, other in permutations(words, 2)
        if not one.startswith(other) and not other.startswith(one)
    }
    looked_for += [(f"{PAIR}{one[0]}", f"{one}{END}{other}{behind}", rest) for one, other in pairs]
    return looked_for


def _by_addresses(customer: Customer) -> list[_Looked]:
    looked_for: list[_Looked] = []
    if customer.email:
        address = folded_address(customer.email)[:_LONGEST_ADDRESS]
        looked_for.append((f"{ADDRESS}{address[:1]}", address, None))
    for name in _NUMBERS:
        digits = digits_of(getattr(customer, name) or "")[::-1]
        if digits:
            looked_for.append((f"{NUMBER}{digits[0]}", digits, None))
    return looked_for


def _by_flags(customer: Customer) -> list[_Looked]:
    if not customer.failed_email and not customer.failed_phone:
        return []
    return [(FLAGGED, flag_class(customer), None)]


def flag_class(customer: Customer) -> str:
    """``1`` for a failed email alone, ``3`` for a failed phone alone, ``2`` between them for both; ``0`` for none."""
    if not customer.failed_phone:
        return "1" if customer.failed_email else "0"
    return "2" if customer.failed_email else "3"


_CLASSES: Final = {"email": ("1", "3"), "phone": ("2", "4"), "both": ("2", "3"), "any": ("1", "4")}
"""The first class of customers, and the one behind the last, who are flagged as asked."""


def restamped(before: tuple[Customer, str | None] | None, after: Customer) -> tuple[Customer, str | None]:
    """The customer as written, and the stamps that are kept: new ones where what is found by the rows has changed."""
    if before is None:
        return after, None
    was, kept = before
    stamps = Stamps.read(kept)
    if was.failed_email != after.failed_email or was.failed_phone != after.failed_phone:
        after = replace(after, flags_at=datetime.now(UTC))
    is_named_so = (was.first_name, was.last_name) == (after.first_name, after.last_name)
    is_reached_so = sorted(_by_addresses(was)) == sorted(_by_addresses(after))
    now = Stamps(
        stamps.name if is_named_so or _by_name(was) == _by_name(after) else new_stamp(),
        stamps.addresses if is_reached_so else new_stamp(),
    )
    return after, now.kept


class Walk(Struct, frozen=True):
    """The rows that a question is answered from: those of a place between two entries that ``keeps`` keeps.

    ``keeps_all`` says that this is every one of them.
    """

    place: str
    first: str
    behind: str
    keeps: Callable[[Entry], bool]
    keeps_all: bool = True
    backwards: bool = False

    def has(self, entry: Entry) -> bool:
        """Whether a row is one of them."""
        return entry.place == self.place and self.first <= entry.entry < self.behind and self.keeps(entry)

    def first_of(self, entries: Collection[Entry]) -> Entry | None:
        """The one of a customer's rows under which they are shown, who may be found by several."""
        own = [entry for entry in entries if self.has(entry)]
        if not own:
            return None
        return max(own, key=_entry_text) if self.backwards else min(own, key=_entry_text)


def _entry_text(entry: Entry) -> str:
    return entry.entry


def _all(_: Entry) -> bool:
    return True


_FIRST: Final = "\x01"
_LAST: Final = "\U0010ffff"


def walk_of(business_id: str, question: Question) -> Walk | None:
    """Where the answer to a question is; ``None`` where there is nothing to walk through."""
    if question.typed is not None:
        return _walk_to(business_id, question.typed)
    if question.failed is not None:
        first, behind = _CLASSES[question.failed]
        return Walk(f"{business_id}#{FLAGGED}", first, behind, _all, backwards=question.descending)
    place = NAME if question.sort == "name" else CREATED
    return Walk(f"{business_id}#{place}", _FIRST, _LAST, _all, backwards=question.descending)


def _walk_to(business_id: str, typed: Typed) -> Walk | None:
    if typed.addresses:
        address = max(typed.addresses, key=len)[:_LONGEST_ADDRESS]
        return _beginning(f"{business_id}#{ADDRESS}{address[:1]}", address, _all)
    if typed.numbers:
        number = max(typed.numbers, key=len)
        tail = own_digits(number)[::-1][:FEWEST_DIGITS]
        place = f"{business_id}#{NUMBER}{tail[0]}"
        return _beginning(place, tail, lambda entry: is_the_number(number, f"+{entry.text[::-1]}"))
    if not typed.words:
        return None
    longest = sorted(typed.words, key=lambda word: (-len(word) if has_beginning(word) else 0, -len(word)))
    one = longest[0][:_LONGEST_WORD]
    if len(longest) == 1:
        is_whole = len(longest[0]) <= _LONGEST_WORD
        keeps = _all if is_whole else lambda entry: begin_all(typed.words, entry.name)
        return _beginning(f"{business_id}#{WORD}{one[0]}", one, keeps, keeps_all=is_whole)
    kind, text = WORD, one
    if has_beginning(one):
        kind, text = PAIR, f"{beginning_of(one)}{END}{longest[1][:_LONGEST_WORD]}"
    place = f"{business_id}#{kind}{one[0]}"
    return _beginning(place, text, lambda entry: begin_all(typed.words, entry.name), keeps_all=False)


def _beginning(place: str, text: str, keeps: Callable[[Entry], bool], *, keeps_all: bool = True) -> Walk:
    return Walk(place, text, text + _LAST, keeps, keeps_all)
