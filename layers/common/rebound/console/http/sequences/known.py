"""What the editor of a sequence offers where an id of the client's software is asked for: those that Rebound knows.

It is told of classes, products, packages and memberships by each customer's events alone, and of no list of them; so it
offers those that somebody has typed before, in a segment or in this sequence.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rebound.console.http.sequences.form import HappeningTyped, Typed
from rebound.console.http.visits import Visit
from rebound.sequences.domain.happenings import NARROWED_BY

if TYPE_CHECKING:
    from rebound.segments.domain.segments import Segment

MOST: Final = 100
"""Of one kind that are offered."""
_OWN: Final = frozenset({"tag", "segment_id"})
"""What is chosen otherwise, or is no id."""
_ASKED: Final = frozenset(name for names in NARROWED_BY.values() for name in names) - _OWN
_IN_FILTERS: Final = _ASKED - {"name"}
_MEMBERSHIP: Final = "membership"
_LOCATION: Final = "location_id"
_WAIVER: Final = "waiver_id"


def known_ids(visit: Visit, typed: Typed, segments: Iterable["Segment"]) -> Mapping[str, Sequence[str]]:
    """What may be chosen, by the name of the field; at most two requests, and none where neither is asked for."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    happenings = list(_happenings(typed))
    for each in happenings:
        for name in _ASKED & each.typed.keys():
            found[name].add(each.typed[name])
    for segment in segments:
        for name, value in _named(segment.filter):
            found[name].add(value)
    asked = {name for each in happenings for name in each.narrowed_by}
    if _LOCATION in asked:
        found[_LOCATION].update(visit.behind.ports.summaries.locations(visit.business_id))
    if _WAIVER in asked:
        found[_WAIVER].update(each.waiver_id for each in visit.behind.ports.waivers.all(visit.business_id))
    return {name: sorted(values - {""}, key=str.casefold)[:MOST] for name, values in found.items() if values - {""}}


def _happenings(typed: Typed) -> Iterator[HappeningTyped]:
    yield typed.trigger
    yield from typed.exits
    for _, step in typed.placed():
        if step.kind == "wait":
            yield step.event


def _named(tree: Any, within: str = "") -> Iterator[tuple[str, str]]:
    """The ids that a filter names, by what they are ids of."""
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _named(value, "membership_id" if within == _MEMBERSHIP and name == "id" else name)
    elif isinstance(tree, list | tuple):
        for each in tree:
            yield from _named(each, within)
    elif isinstance(tree, str) and within in _IN_FILTERS:
        yield within, tree
