"""Segments: filters over customers, joined with ``all``, ``any`` and ``not``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

from rebound.contacts.domain.contacts import FAILED_VALUES, Contact
from rebound.customers.domain import (
    PROFILE,
    TEXT_FIELDS,
    Customer,
    CustomerMatcher,
    Kind,
    KnownContacts,
    field_text,
    fields_of,
    has_failed,
    last_change,
)
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
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
    segment, and ``filter`` a filter of the client's own. ``updated_since`` is for those whose profile, flags or consent
    have been written since (``last_change``).
    """

    failed: str | None = None
    tag: str | None = None
    q: str | None = None
    segment: Mapping[str, Any] | None = None
    filter: Mapping[str, Any] | None = None
    updated_since: datetime | None = None

    @property
    def is_everybody(self) -> bool:
        """Whether no condition is given, so that every customer matches."""
        return self == CustomerFilter()

    def compiled(self) -> CustomerMatcher:
        """The predicate that tells whether a customer matches.

        :raises InvalidInputError: with each field that is wrong.
        """
        parts: list[CustomerMatcher] = []
        if self.failed is not None:
            which = self.failed
            if which not in FAILED_VALUES:
                raise InvalidInputError(FieldError("failed", f"Must be one of {', '.join(FAILED_VALUES)}."))
            parts.append(_plain(lambda customer: has_failed(customer, which)))
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
        if self.updated_since is not None:
            parts.append(_changed_since(self.updated_since))
        return _all_of(parts)


def _plain(test: Callable[[Customer], bool]) -> CustomerMatcher:
    """A condition that the profile alone decides."""
    return CustomerMatcher(lambda customer, _: test(customer))


def _all_of(parts: Iterable[CustomerMatcher]) -> CustomerMatcher:
    tests, channels = _cheapest_first(parts)
    return CustomerMatcher(lambda customer, known: all(test(customer, known) for test in tests), channels)


def _any_of(parts: Iterable[CustomerMatcher]) -> CustomerMatcher:
    tests, channels = _cheapest_first(parts)
    return CustomerMatcher(lambda customer, known: any(test(customer, known) for test in tests), channels)


def _cheapest_first(
    parts: Iterable[CustomerMatcher],
) -> tuple[Sequence[Callable[[Customer, KnownContacts], bool]], frozenset[Channel]]:
    """What the profile decides goes first, so that contacts are read only where that is not enough."""
    ordered = sorted(parts, key=lambda part: len(part.channels))
    return [part.test for part in ordered], frozenset().union(*(part.channels for part in ordered))


def _changed_since(since: datetime) -> CustomerMatcher:
    def test(customer: Customer, known: KnownContacts) -> bool:
        if last_change(customer, ()) >= since:
            return True
        return last_change(customer, [known[key] for key in customer.contact_keys]) >= since

    return CustomerMatcher(test, frozenset(Channel))


def _tagged(tag: str) -> CustomerMatcher:
    wanted = folded(tag)
    return _plain(lambda customer: any(wanted == folded(own) for own in customer.general_tags))


_numbers: Final = attrgetter(*fields_of(Kind.PHONE))
_searched: Final = attrgetter(*(name for name, row in PROFILE.items() if row.searched and row.kind is not Kind.PHONE))


def _searching(q: str) -> CustomerMatcher:
    search = compile_search(q)
    return _plain(
        lambda customer: search(tuple(filter(None, _searched(customer))), tuple(filter(None, _numbers(customer))))
    )


def compile_filter(tree: object, field: str = "filter") -> CustomerMatcher:
    """The predicate of a filter tree.

    A node is an object with exactly one of ``all``, ``any`` (lists of nodes), ``not`` (a node), ``tag`` (a string),
    ``failed`` (``phone``, ``email``, ``any``, ``both``), ``consent`` (``channel``, ``scope`` and ``is``) and ``field``
    (a profile field, with ``equals``, ``in`` or ``present``). ``{"all": []}`` matches everybody, ``{"any": []}``
    nobody. Values are compared whole, without case, accents and the shapes of quotes and spaces (``folded``), and phone
    numbers by their digits (``is_number``). Consent means what it means to the decision (``CONSENT_VALUES``).

    :raises InvalidInputError: with the path of each node that is wrong, as the client wrote it below ``field``.
    """
    compiler = _Compiler()
    matcher = compiler.node(tree, field, depth=1)
    if compiler.errors:
        raise InvalidInputError(*compiler.errors)
    return matcher


_NEVER: Final = CustomerMatcher(lambda _, __: False)
_CONDITIONS: Final = ("all", "any", "not", "tag", "failed", "consent", "field")
CONSENT_VALUES: Final = ("opted_in", "opted_out", "confirmed")
"""How consent may stand: no opt-out covers the scope; one does; none does, and the customer asked for marketing."""


class _Compiler:
    """Walks the tree once, collecting everything that is wrong rather than stopping at the first."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self._nodes = 0

    def node(self, tree: object, path: str, depth: int) -> CustomerMatcher:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            if not any("too large" in error.message for error in self.errors):
                message = f"The filter is too large: at most {MAX_NODES} conditions, {MAX_DEPTH} levels deep."
                self.errors.append(FieldError(path, message))
            return _NEVER
        if not isinstance(tree, Mapping):
            return self._wrong(path, 'A condition is an object, such as {"tag": "vip"}.')
        match sorted(tree):
            case ["all"]:
                return _all_of(self._nodes_of(tree["all"], f"{path}.all", depth))
            case ["any"]:
                return _any_of(self._nodes_of(tree["any"], f"{path}.any", depth))
            case ["not"]:
                part = self.node(tree["not"], f"{path}.not", depth + 1)
                return CustomerMatcher(lambda customer, known: not part.test(customer, known), part.channels)
            case ["tag" | "failed" | "consent" as name]:
                read = {"tag": self._tag, "failed": self._failed, "consent": self._consent}[name]
                return read(tree[name], f"{path}.{name}")
            case keys if "field" in keys:
                return self._field(tree, path)
            case keys:
                return self._misnamed(
                    path, f"A condition has exactly one of {', '.join(_CONDITIONS)}.", keys, _CONDITIONS
                )

    def _wrong(self, path: str, message: str) -> CustomerMatcher:
        self.errors.append(FieldError(path, message))
        return _NEVER

    def _misnamed(self, path: str, message: str, names: Sequence[str], known: Sequence[str]) -> CustomerMatcher:
        """What is wrong where something has other ``names`` than the ``known``, or too few or many of these."""
        strange = [name for name in names if name not in known]
        if not strange:
            return self._wrong(path, message)
        self.errors.append(FieldError.unknown(path, message, strange[0], known))
        return _NEVER

    def _nodes_of(self, trees: object, path: str, depth: int) -> tuple[CustomerMatcher, ...]:
        if not isinstance(trees, list | tuple):
            self._wrong(path, "Must be a list of conditions.")
            return ()
        return tuple(self.node(tree, f"{path}[{index}]", depth + 1) for index, tree in enumerate(trees))

    def _tag(self, tag: object, path: str) -> CustomerMatcher:
        if not isinstance(tag, str) or not tag.strip():
            return self._wrong(path, "Must be a tag, a string that is not empty.")
        return _tagged(tag)

    def _failed(self, which: object, path: str) -> CustomerMatcher:
        if not isinstance(which, str) or which not in FAILED_VALUES:
            return self._wrong(path, f"Must be one of {', '.join(FAILED_VALUES)}.")
        return _plain(lambda customer: has_failed(customer, which))

    def _consent(self, asked: object, path: str) -> CustomerMatcher:
        known = {"channel": tuple(Channel), "scope": tuple(Scope), "is": CONSENT_VALUES}
        if not isinstance(asked, Mapping) or set(asked) != set(known):
            how = 'Has "channel", "scope" and "is", such as {"channel": "sms", "scope": "marketing", "is": "opted_in"}.'
            return self._misnamed(path, how, sorted(asked) if isinstance(asked, Mapping) else (), tuple(known))
        wrong = [name for name, values in known.items() if asked[name] not in values]
        for name in wrong:
            self._wrong(f"{path}.{name}", f"Must be one of {', '.join(known[name])}.")
        return _NEVER if wrong else _consenting(Channel(asked["channel"]), Scope(asked["scope"]), asked["is"])

    def _field(self, tree: Mapping[str, Any], path: str) -> CustomerMatcher:
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
                return _plain(lambda customer: bool(field_text(customer, name)) is present)
            case beside:
                how = 'Beside "field" give exactly one of "equals": text, "in": [texts], "present": true or false.'
                return self._misnamed(path, how, beside, ("equals", "in", "present"))


def _among(name: str, values: Sequence[str]) -> CustomerMatcher:
    if PROFILE[name].kind is Kind.PHONE:
        return _plain(lambda customer: any(is_number(value, field_text(customer, name)) for value in values))
    wanted = frozenset(map(folded, values))
    return _plain(lambda customer: folded(field_text(customer, name)) in wanted)


def _consenting(channel: Channel, scope: Scope, stands: str) -> CustomerMatcher:
    """Those whose consent stands so; nobody without an address on the channel, for whom nothing can be said."""

    def test(customer: Customer, known: KnownContacts) -> bool:
        key = customer.contact_key(channel)
        if key is None:
            return False
        consent = known[key].consent
        if consent.keeps_back(scope):
            return stands == "opted_out"
        return stands == "opted_in" or (stands == "confirmed" and consent.is_confirmed)

    return CustomerMatcher(test, frozenset({channel}))


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


def meant_by(selection: Selection) -> CustomerMatcher:
    """Whether a selection means a customer; one without a filter means everybody. Raises ``InvalidInputError``."""
    if selection.customer_ids is not None:
        listed = frozenset(selection.customer_ids)
        return _plain(lambda customer: customer.customer_id in listed)
    return compile_filter(selection.filter) if selection.filter is not None else _all_of(())
