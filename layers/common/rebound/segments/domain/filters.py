"""Filters: trees of conditions over customers, joined with ``all``, ``any`` and ``not``, and what they mean."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.customers.domain import COMPARED_FIELDS, PROFILE, Kind, fields_of, text_of
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.times import NO_DATE
from rebound.kernel.written_text import folded
from rebound.segments.domain import leaves
from rebound.segments.domain.leaf_inputs import InputKind, LeafInput
from rebound.segments.domain.leaves import CONSENT_VALUES, DATE_FIELDS
from rebound.segments.domain.matching import NOBODY, CustomerMatcher, Moment, all_of, any_of, none_of
from rebound.segments.domain.reading import Problems, a_date, day_count, is_date, read_object

MAX_DEPTH: Final = 10
MAX_NODES: Final = 200
MAX_PINNED_BYTES: Final = 40_000
"""Of a filter with those of the segments that it names: it is kept with whatever it was fixed for."""

NO_SUCH_SEGMENT: Final = "There is no such segment."

type FindSegment = Callable[[str], Mapping[str, Any] | None]
"""The filter of a saved segment; ``None`` when there is none of that id."""


def compile_filter(
    tree: object,
    field: str = "filter",
    at: Moment | None = None,
    find: FindSegment | None = None,
    within: Sequence[str] = (),
) -> CustomerMatcher:
    """The predicate of a filter tree.

    A node is an object with exactly one of ``CONDITIONS``. ``{"all": []}`` matches everybody, ``{"any": []}`` nobody.
    Values are compared whole, without case, accents and the shapes of quotes and spaces (``folded``), and phone numbers
    by their digits (``is_number``); of several, one must match. Consent means what it means to the decision
    (``CONSENT_VALUES``).

    ``at`` is the moment that conditions about days are for; without it they are checked and cannot be asked. A client's
    tree is read with ``find``, which says what the segments are that it names; ``within`` are the segments that it is
    the filter of, innermost last. Without ``find``, the tree is one of ours, in which that is fixed (``pinned``).

    :raises InvalidInputError: with the path of each node that is wrong, as the client wrote it below ``field``.
    """
    compiler = _Compiler(at, find)
    matcher = compiler.node(tree, field, 1, tuple(within))
    if compiler.problems.errors:
        raise InvalidInputError(*compiler.problems.errors)
    return matcher


def pinned(tree: Mapping[str, Any], field: str, find: FindSegment) -> Mapping[str, Any]:
    """A client's tree, with the filter of each segment beside its id: what it means from now on, whatever changes.

    A tree that names no segment is the same tree. Raises ``InvalidInputError`` as ``compile_filter`` does, and for a
    tree that has become too large.
    """
    compile_filter(tree, field, find=find)
    fixed: Mapping[str, Any] = _with_segments(tree, find)
    if fixed != tree and len(json.dumps(fixed, ensure_ascii=False).encode(errors="replace")) > MAX_PINNED_BYTES:
        problems = Problems()
        problems.wrong(field, f"With the segments that it names it must have at most {MAX_PINNED_BYTES} bytes.")
        raise InvalidInputError(*problems.errors)
    return fixed


def _with_segments(tree: Mapping[str, Any], find: FindSegment) -> Mapping[str, Any]:
    match tree:
        case {"all": list() as parts}:
            return {"all": [_with_segments(part, find) for part in parts]}
        case {"any": list() as parts}:
            return {"any": [_with_segments(part, find) for part in parts]}
        case {"not": part}:
            return {"not": _with_segments(part, find)}
        case {"segment": str() as segment_id}:
            return {"segment": segment_id, "filter": _with_segments(find(segment_id) or {}, find)}
    return tree


def as_written(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """A pinned tree as the client wrote it."""
    match tree:
        case {"all": parts}:
            return {"all": [as_written(part) for part in parts]}
        case {"any": parts}:
            return {"any": [as_written(part) for part in parts]}
        case {"not": part}:
            return {"not": as_written(part)}
        case {"segment": segment_id}:
            return {"segment": segment_id}
    return tree


def segments_in(tree: Mapping[str, Any]) -> frozenset[str]:
    """The segments that a valid tree names itself."""
    match tree:
        case {"all": parts} | {"any": parts}:
            return frozenset().union(*map(segments_in, parts))
        case {"not": part}:
            return segments_in(part)
        case {"segment": segment_id}:
            return frozenset({segment_id})
    return frozenset()


class _Compiler:
    """Walks the tree once, collecting everything that is wrong rather than stopping at the first."""

    def __init__(self, at: Moment | None, find: FindSegment | None) -> None:
        self.problems = Problems()
        self._at = at
        self._find = find
        self._nodes = 0

    def node(self, tree: object, path: str, depth: int, within: tuple[str, ...]) -> CustomerMatcher:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            if not any("too large" in error.message for error in self.problems.errors):
                largest = f"at most {MAX_NODES} conditions, {MAX_DEPTH} levels deep"
                self.problems.wrong(path, f"The filter is too large: {largest}, those of its segments included.")
            return NOBODY
        if not isinstance(tree, Mapping):
            return self.problems.wrong(path, 'A condition is an object, such as {"tag": "vip"}.')
        match sorted(tree):
            case ["all"]:
                return all_of(self._nodes_of(tree["all"], f"{path}.all", depth, within))
            case ["any"]:
                return any_of(self._nodes_of(tree["any"], f"{path}.any", depth, within))
            case ["not"]:
                return none_of(self.node(tree["not"], f"{path}.not", depth + 1, within))
            case ["segment"]:
                return self._segment(tree["segment"], f"{path}.segment", depth, within)
            case ["filter", "segment"] if self._find is None:
                return self.node(tree["filter"], f"{path}.segment", depth + 1, within)
            case keys:
                return self._leaf(tree, path, keys)

    def _leaf(self, tree: Mapping[str, Any], path: str, keys: Sequence[str]) -> CustomerMatcher:
        if "field" in keys:
            return _field(self.problems, tree, path)
        [name, *more] = keys or ("",)
        if name in LEAVES and not more:
            return LEAVES[name].read(self.problems, tree[name], f"{path}.{name}", self._at)
        return self._unlike_a_condition(path, keys)

    def _unlike_a_condition(self, path: str, keys: Sequence[str]) -> CustomerMatcher:
        of_classes = [key for key in keys if key in OF_CLASSES]
        if of_classes:
            return self.problems.wrong(f"{path}.{of_classes[0]}", NO_TAGS_OF_CLASSES, "visits")
        how = f"A condition has exactly one of {', '.join(CONDITIONS)}."
        return self.problems.misnamed(path, how, keys, CONDITIONS)

    def _nodes_of(self, trees: object, path: str, depth: int, within: tuple[str, ...]) -> tuple[CustomerMatcher, ...]:
        if not isinstance(trees, list | tuple):
            self.problems.wrong(path, "Must be a list of conditions.")
            return ()
        return tuple(self.node(tree, f"{path}[{index}]", depth + 1, within) for index, tree in enumerate(trees))

    def _segment(self, segment_id: object, path: str, depth: int, within: tuple[str, ...]) -> CustomerMatcher:
        if not isinstance(segment_id, str) or not segment_id:
            return self.problems.wrong(path, "Must be the segment_id of a saved segment.")
        if segment_id in within:
            circle = " → ".join((*within[within.index(segment_id) :], segment_id))
            return self.problems.wrong(path, f"The segments name each other in a circle: {circle}.")
        tree = None if self._find is None else self._find(segment_id)
        if tree is None:
            return self.problems.wrong(path, NO_SUCH_SEGMENT)
        before = len(self.problems.errors)
        matcher = self.node(tree, path, depth + 1, (*within, segment_id))
        # What is wrong further down is no part of what the client wrote.
        self.problems.move(before, path)
        return matcher


type Leaf = Callable[[Problems, object, str, Moment | None], CustomerMatcher]
"""Reads the value of a condition at a path."""


class LeafRow(Struct, frozen=True):
    """A condition: what reads its value, and what people fill in for it."""

    read: Leaf
    inputs: tuple[LeafInput, ...]


def _tag(problems: Problems, tag: object, path: str, _: Moment | None) -> CustomerMatcher:
    if isinstance(tag, Mapping):
        return problems.wrong(path, NO_TAGS_OF_CLASSES, "visits")
    if not isinstance(tag, str) or not tag.strip():
        return problems.wrong(path, "Must be a tag, a string that is not empty.")
    return leaves.tagged(tag)


def _failed(problems: Problems, which: object, path: str, _: Moment | None) -> CustomerMatcher:
    if not isinstance(which, str) or which not in FAILED_VALUES:
        return problems.wrong(path, f"Must be one of {', '.join(FAILED_VALUES)}.")
    return leaves.failing(which)


def _consent(problems: Problems, asked: object, path: str, _: Moment | None) -> CustomerMatcher:
    known = {"channel": tuple(Channel), "scope": tuple(Scope), "is": CONSENT_VALUES}
    if not isinstance(asked, Mapping) or set(asked) != set(known):
        how = 'Has "channel", "scope" and "is", such as {"channel": "sms", "scope": "marketing", "is": "opted_in"}.'
        return problems.misnamed(path, how, sorted(asked) if isinstance(asked, Mapping) else (), tuple(known))
    wrong = [name for name, values in known.items() if asked[name] not in values]
    for name in wrong:
        problems.wrong(f"{path}.{name}", f"Must be one of {', '.join(known[name])}.")
    return NOBODY if wrong else leaves.consenting(Channel(asked["channel"]), Scope(asked["scope"]), asked["is"])


def _birthday(problems: Problems, asked: object, path: str, at: Moment | None) -> CustomerMatcher:
    example = 'such as {"within_days": 7}'
    read = read_object(problems, asked, path, {"within_days": day_count}, example)
    if read == {}:
        return problems.wrong(path, f"Must have within_days, {example}.")
    return NOBODY if read is None else leaves.with_birthday(read["within_days"], at)


def _of_activity(name: str) -> Leaf:
    def read(problems: Problems, asked: object, path: str, at: Moment | None) -> CustomerMatcher:
        from rebound.segments.domain import activity_leaves  # noqa: PLC0415 - few filters ask what customers did

        leaf: Leaf = getattr(activity_leaves, name)
        return leaf(problems, asked, path, at)

    return read


def _tier(problems: Problems, asked: object, path: str, at: Moment | None) -> CustomerMatcher:
    from rebound.segments.domain.tier_leaf import tier  # noqa: PLC0415 - nor for a tier

    return tier(problems, asked, path, at)


def _field(problems: Problems, tree: Mapping[str, Any], path: str) -> CustomerMatcher:
    name = tree["field"]
    if not isinstance(name, str) or name not in COMPARED_FIELDS:
        known = sorted(COMPARED_FIELDS)
        return problems.misnamed(f"{path}.field", f"Must be one of {', '.join(known)}.", [str(name)], known)
    match sorted(set(tree) - {"field"}):
        case ["equals"] if _is_value(name, tree["equals"]):
            return _with_value(problems, name, [tree["equals"]], f"{path}.equals")
        case ["in"] if isinstance(tree["in"], list) and all(_is_value(name, value) for value in tree["in"]):
            return _with_value(problems, name, tree["in"], f"{path}.in")
        case ["present"] if isinstance(tree["present"], bool):
            return leaves.with_something(name, present=tree["present"])
        case ["before"] | ["after"] | ["after", "before"] as sides:
            return _between(problems, name, {side: tree[side] for side in sides}, path)
        case beside:
            how = 'Beside "field" give exactly one of "equals": text, "in": [texts], "present": true or false.'
            dates = ' For dates also "before" and "after": YYYY-MM-DD.'
            return problems.misnamed(path, how + dates, beside, ("equals", "in", "present", "before", "after"))


def _between(problems: Problems, name: str, sides: Mapping[str, object], path: str) -> CustomerMatcher:
    if name not in DATE_FIELDS:
        wrong = [problems.wrong(f"{path}.{side}", f"Is for dates: {', '.join(DATE_FIELDS)}.") for side in sides]
        return wrong[0]
    days = {side: a_date(problems, value, f"{path}.{side}") for side, value in sides.items()}
    if None in days.values():
        return NOBODY
    before, after = days.get("before"), days.get("after")
    return leaves.dated(name, lambda day: (before is None or day < before) and (after is None or day > after))


def _is_value(name: str, value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, bool) and name in SWITCHES)


def _with_value(problems: Problems, name: str, values: Sequence[object], path: str) -> CustomerMatcher:
    texts = [text_of(value) for value in values]
    known = SWITCH_VALUES if name in SWITCHES else PROFILE[name].choices if name in PROFILE else ()
    if known and not set(map(folded, texts)) <= set(known):
        return problems.wrong(path, f"Must be one of {', '.join(known)}.")
    if name in DATE_FIELDS and not all(is_date(text) for text in texts if text):
        return problems.wrong(path, NO_DATE)
    return leaves.with_value(name, texts)


SWITCHES: Final = fields_of(Kind.SWITCH)
SWITCH_VALUES: Final = ("true", "false")
DAYS: Final = LeafInput("within_days", InputKind.NUMBER)
CLASSES: Final = tuple(
    LeafInput(name, InputKind.NAMES) for name in ("class_id", "class_type", "template_id", "series_id")
)
LOCATION: Final = LeafInput("location_id", InputKind.NAMES)
LEAVES: Final[Mapping[str, LeafRow]] = {
    "tag": LeafRow(_tag, (LeafInput(),)),
    "failed": LeafRow(_failed, (LeafInput("", InputKind.CHOICE, FAILED_VALUES),)),
    "consent": LeafRow(
        _consent,
        (
            LeafInput("channel", InputKind.CHOICE, tuple(Channel), needed=True),
            LeafInput("scope", InputKind.CHOICE, tuple(Scope), needed=True),
            LeafInput("is", InputKind.CHOICE, CONSENT_VALUES, needed=True),
        ),
    ),
    "birthday": LeafRow(_birthday, (LeafInput("within_days", InputKind.NUMBER, needed=True),)),
    "visits": LeafRow(
        _of_activity("visits"),
        (LeafInput("at_least", InputKind.NUMBER), LeafInput("at_most", InputKind.NUMBER), DAYS, *CLASSES, LOCATION),
    ),
    "last_visit": LeafRow(_of_activity("last_visit"), (LeafInput("before_days", InputKind.NUMBER, needed=True),)),
    "bookings": LeafRow(
        _of_activity("bookings"),
        (LeafInput("upcoming", InputKind.YES_NO, ("true", "false"), needed=True), CLASSES[0], LOCATION),
    ),
    "purchases": LeafRow(
        _of_activity("purchases"),
        (
            LeafInput("at_least", InputKind.NUMBER),
            LeafInput("amount_at_least"),
            LeafInput("currency"),
            DAYS,
            LeafInput("product_id", InputKind.NAMES),
        ),
    ),
    "membership": LeafRow(
        _of_activity("membership"),
        (
            LeafInput("is", InputKind.CHOICE, ("active", "not_active", "expired", "never"), needed=True),
            LeafInput("id"),
        ),
    ),
    "tier": LeafRow(_tier, (LeafInput("", InputKind.CHOICE, ("favourite", "new", "top", "inactive", "loyal")),)),
}
"""The conditions with one name, each with what reads its value, and how people fill it in."""
CONDITIONS: Final = ("all", "any", "not", "segment", *LEAVES, "field")
OF_CLASSES: Final = frozenset(
    {
        *("class", "classes", "class_id", "class_ids", "class_type", "class_tag", "class_tags"),
        *("template_id", "series_id"),
    }
)
NO_TAGS_OF_CLASSES: Final = (
    "Tags of customers are texts; classes have no tags that a customer could have. Ask who came to the class: "
    '{"visits": {"at_least": 1, "class_id": "…"}}, or class_type, template_id, series_id in place of class_id.'
)
