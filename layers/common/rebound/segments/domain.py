"""Segments: filters over customers, joined with ``all``, ``any`` and ``not``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

from rebound.contacts.domain.contacts import FAILED_VALUES, Contact
from rebound.customers.domain import PROFILE, TEXT_FIELDS, Customer, Kind, Matcher, field_text, fields_of, has_failed
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.search import NOTHING_SEEN, compile_search, is_number, is_unseen
from rebound.kernel.written_text import folded

MAX_DEPTH: Final = 10
MAX_NODES: Final = 200


class Segment(Struct, frozen=True):
    """A saved filter under a name of the client's choosing."""

    business_id: str
    segment_id: str
    name: str
    filter: Mapping[str, Any]
    updated_at: datetime


class CustomerFilter(Struct, frozen=True):
    """Which customers a list, a count or a clean-up is about: those who meet every condition that is given.

    ``q`` has words that must all occur in name, addresses, numbers or external id; ``segment`` is the filter of a saved
    segment, and ``filter`` a filter of the client's own.
    """

    failed: str | None = None
    tag: str | None = None
    q: str | None = None
    segment: Mapping[str, Any] | None = None
    filter: Mapping[str, Any] | None = None

    @property
    def is_everybody(self) -> bool:
        """Whether no condition is given, so that every customer matches."""
        return self == CustomerFilter()

    def compiled(self) -> Matcher:
        """The predicate that tells whether a customer matches.

        :raises InvalidInputError: with each field that is wrong.
        """
        parts: list[Matcher] = []
        if self.failed is not None:
            which = self.failed
            if which not in FAILED_VALUES:
                raise InvalidInputError(FieldError("failed", f"Must be one of {', '.join(FAILED_VALUES)}."))
            parts.append(lambda customer: has_failed(customer, which))
        for field in ("segment", "filter"):
            tree = getattr(self, field)
            if tree is not None:
                parts.append(compile_filter(tree, field))
        if self.tag is not None:
            parts.append(_tagged(self.tag))
        if self.q is not None:
            if is_unseen(self.q):
                raise InvalidInputError(FieldError("q", NOTHING_SEEN))
            parts.append(_searching(self.q))
        return lambda customer: all(part(customer) for part in parts)


def _tagged(tag: str) -> Matcher:
    wanted = folded(tag)
    return lambda customer: any(wanted == folded(own) for own in customer.general_tags)


_numbers: Final = attrgetter(*fields_of(Kind.PHONE))
_searched: Final = attrgetter(*(name for name, row in PROFILE.items() if row.searched and row.kind is not Kind.PHONE))


def _searching(q: str) -> Matcher:
    search = compile_search(q)
    return lambda customer: search(tuple(filter(None, _searched(customer))), tuple(filter(None, _numbers(customer))))


def compile_filter(tree: object, field: str = "filter") -> Matcher:
    """The predicate of a filter tree.

    A node is an object with exactly one of ``all``, ``any`` (lists of nodes), ``not`` (a node), ``tag`` (a string),
    ``failed`` (``phone``, ``email``, ``any``, ``both``) and ``field`` (a profile field, with ``equals``, ``in`` or
    ``present``). ``{"all": []}`` matches everybody, ``{"any": []}`` nobody. Values are compared whole, without case,
    accents and the shapes of quotes and spaces (``folded``), and phone numbers by their digits (``is_number``).

    :raises InvalidInputError: with the path of each node that is wrong, as the client wrote it below ``field``.
    """
    compiler = _Compiler()
    matcher = compiler.node(tree, field, depth=1)
    if compiler.errors:
        raise InvalidInputError(*compiler.errors)
    return matcher


def _never(_: Customer) -> bool:
    return False


_CONDITIONS: Final = ("all", "any", "not", "tag", "failed", "field")


class _Compiler:
    """Walks the tree once, collecting everything that is wrong rather than stopping at the first."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self._nodes = 0

    def node(self, tree: object, path: str, depth: int) -> Matcher:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            if not any("too large" in error.message for error in self.errors):
                message = f"The filter is too large: at most {MAX_NODES} conditions, {MAX_DEPTH} levels deep."
                self.errors.append(FieldError(path, message))
            return _never
        if not isinstance(tree, Mapping):
            return self._wrong(path, 'A condition is an object, such as {"tag": "vip"}.')
        match sorted(tree):
            case ["all"]:
                parts = self._nodes_of(tree["all"], f"{path}.all", depth)
                return lambda customer: all(part(customer) for part in parts)
            case ["any"]:
                parts = self._nodes_of(tree["any"], f"{path}.any", depth)
                return lambda customer: any(part(customer) for part in parts)
            case ["not"]:
                part = self.node(tree["not"], f"{path}.not", depth + 1)
                return lambda customer: not part(customer)
            case ["tag"]:
                return self._tag(tree["tag"], f"{path}.tag")
            case ["failed"]:
                return self._failed(tree["failed"], f"{path}.failed")
            case keys if "field" in keys:
                return self._field(tree, path)
            case keys:
                return self._misnamed(
                    path, f"A condition has exactly one of {', '.join(_CONDITIONS)}.", keys, _CONDITIONS
                )

    def _wrong(self, path: str, message: str) -> Matcher:
        self.errors.append(FieldError(path, message))
        return _never

    def _misnamed(self, path: str, message: str, names: Sequence[str], known: Sequence[str]) -> Matcher:
        """What is wrong where something has other ``names`` than the ``known``, or too few or many of these."""
        strange = [name for name in names if name not in known]
        if not strange:
            return self._wrong(path, message)
        self.errors.append(FieldError.unknown(path, message, strange[0], known))
        return _never

    def _nodes_of(self, trees: object, path: str, depth: int) -> tuple[Matcher, ...]:
        if not isinstance(trees, list | tuple):
            self._wrong(path, "Must be a list of conditions.")
            return ()
        return tuple(self.node(tree, f"{path}[{index}]", depth + 1) for index, tree in enumerate(trees))

    def _tag(self, tag: object, path: str) -> Matcher:
        if not isinstance(tag, str) or not tag.strip():
            return self._wrong(path, "Must be a tag, a string that is not empty.")
        return _tagged(tag)

    def _failed(self, which: object, path: str) -> Matcher:
        if not isinstance(which, str) or which not in FAILED_VALUES:
            return self._wrong(path, f"Must be one of {', '.join(FAILED_VALUES)}.")
        return lambda customer: has_failed(customer, which)

    def _field(self, tree: Mapping[str, Any], path: str) -> Matcher:
        name = tree["field"]
        if not isinstance(name, str) or name not in TEXT_FIELDS:
            known = sorted(TEXT_FIELDS)
            return self._misnamed(f"{path}.field", f"Must be one of {', '.join(known)}.", [str(name)], known)
        match sorted(set(tree) - {"field"}):
            case ["equals"] if isinstance(tree["equals"], str):
                return _among(name, [tree["equals"]])
            case ["in"] if isinstance(tree["in"], list) and all(isinstance(value, str) for value in tree["in"]):
                return _among(name, tree["in"])
            case ["present"] if isinstance(tree["present"], bool):
                present = tree["present"]
                return lambda customer: bool(field_text(customer, name)) is present
            case beside:
                how = 'Beside "field" give exactly one of "equals": text, "in": [texts], "present": true or false.'
                return self._misnamed(path, how, beside, ("equals", "in", "present"))


def _among(name: str, values: Sequence[str]) -> Matcher:
    if PROFILE[name].kind is Kind.PHONE:
        return lambda customer: any(is_number(value, field_text(customer, name)) for value in values)
    wanted = frozenset(map(folded, values))
    return lambda customer: folded(field_text(customer, name)) in wanted


class Removal(Struct, frozen=True):
    """Customers to delete, and their contacts with these customers taken out."""

    customers: Sequence[Customer]
    contacts: Sequence[Contact]


class Selection(Struct, frozen=True):
    """Who is meant: exactly one of a saved segment, a filter and a list of customers.

    ``external_ids`` are the business's own ids of the customers of the list, where it was given by these.
    """

    segment_id: str | None = None
    filter: Mapping[str, Any] | None = None
    customer_ids: tuple[str, ...] | None = None
    external_ids: tuple[str, ...] | None = None


def meant_by(selection: Selection) -> Matcher:
    """Whether a selection means a customer; one without a filter means everybody. Raises ``InvalidInputError``."""
    if selection.customer_ids is not None:
        listed = frozenset(selection.customer_ids)
        return lambda customer: customer.customer_id in listed
    return compile_filter(selection.filter) if selection.filter is not None else lambda _: True
