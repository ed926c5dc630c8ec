"""Segments: the list, and the builder of one, which works by sending the form back and forth."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from msgspec import Struct, field

from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.typed import whole_number
from rebound.console.http.visits import Visit
from rebound.customers.domain import COMPARED_FIELDS
from rebound.kernel.errors import ChangedMeanwhileError, ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.segments.domain.filters import LEAVES, LOCATION, MAX_NODES
from rebound.segments.domain.leaf_inputs import InputKind, LeafInput, read_inputs
from rebound.segments.domain.selections import CustomerFilter

if TYPE_CHECKING:
    from rebound.segments.domain.segments import SavedSegments, Segment

PAGE: Final = 50
FIRST: Final = 50
"""Customers that are looked for while somebody types."""
NAMED: Final = 8
MAX_NAME: Final = 200
HOW: Final = ("is", "present", "absent", "before", "after")
_GROUPS: Final = ("all", "any")
_INPUTS: Final[Mapping[str, tuple[LeafInput, ...]]] = {
    **{name: row.inputs for name, row in LEAVES.items()},
    "segment": (LeafInput(),),
    "field": (
        LeafInput("field", InputKind.CHOICE, tuple(sorted(COMPARED_FIELDS))),
        LeafInput("how", InputKind.CHOICE, HOW),
        LeafInput("value", InputKind.NAMES),
        LeafInput("value2"),
    ),
}
"""What is filled in for each kind of condition."""
KINDS: Final = tuple(_INPUTS)
INDEX: Final = re.compile(r"\.(?:all|any)\[([0-9]+)\]")


class Node(Struct):
    """A condition or group as the form has it, in whatever state it is.

    ``one_is_enough`` names the inputs of which one name is enough, rather than all.
    """

    kind: str
    negated: bool = False
    typed: dict[str, str] = field(default_factory=dict)
    one_is_enough: list[str] = field(default_factory=list)
    parts: list["Node"] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        """Whether it joins others."""
        return self.kind in _GROUPS

    @property
    def inputs(self) -> tuple[LeafInput, ...]:
        """What is filled in."""
        return _INPUTS[self.kind]

    @property
    def tree(self) -> dict[str, Any]:
        """The node of a filter that it stands for."""
        found = {self.kind: [part.tree for part in self.parts]} if self.is_group else self._leaf()
        return {"not": found} if self.negated else found

    def _leaf(self) -> dict[str, Any]:
        if self.kind != "field":
            value = read_inputs(self.inputs, self.typed)
            if isinstance(value, dict):
                for name in self.one_is_enough:
                    if name in value:
                        value[name] = {"any": value[name] if isinstance(value[name], list) else [value[name]]}
            return {self.kind: value}
        name, how, value = (self.typed.get(each, "") for each in ("field", "how", "value"))
        if how in ("present", "absent"):
            return {"field": name, "present": how == "present"}
        if how in ("before", "after"):
            until = self.typed.get("value2", "")
            return {"field": name, how: value, **({"before": until} if how == "after" and until else {})}
        several = [line.strip() for line in value.splitlines() if line.strip()]
        return {"field": name, "in": several} if len(several) > 1 else {"field": name, "equals": value}


def node_of(tree: Mapping[str, Any]) -> Node:
    """A valid filter as the form has it."""
    match tree:
        case {"not": part}:
            node = node_of(part)
            node.negated = not node.negated
            return node
        case {"all": parts}:
            return Node("all", parts=[node_of(part) for part in parts])
        case {"any": parts}:
            return Node("any", parts=[node_of(part) for part in parts])
        case {"field": name}:
            return Node("field", typed={"field": name, **_typed_of_field(tree)})
    [(kind, value)] = tree.items()
    node = Node(kind)
    for each in node.inputs:
        own = value if each.name == "" else value.get(each.name)
        if isinstance(own, Mapping):
            own = own["any"]
            node.one_is_enough.append(each.name)
        node.typed[each.name] = each.written(own)
    return node


def _typed_of_field(tree: Mapping[str, Any]) -> dict[str, str]:
    written = LeafInput().written
    match tree:
        case {"present": present}:
            return {"how": "present" if present else "absent"}
        case {"after": after}:
            return {"how": "after", "value": written(after), "value2": written(tree.get("before"))}
        case {"before": before}:
            return {"how": "before", "value": written(before)}
    return {"how": "is", "value": written(tree.get("in", tree.get("equals")))}


def read_node(form: Form, at: str = "n", left: list[int] | None = None) -> Node:
    """The node at a place of a form, such as ``n.0.1``. What is no kind of ours is a group."""
    left = [MAX_NODES] if left is None else left
    left[0] -= 1
    kind = form.one(f"{at}.kind")
    negated = form.one(f"{at}.not") == "1"
    if kind in _INPUTS:
        typed = {each.name: form.one(f"{at}.{each.name or 'value'}") for each in _INPUTS[kind]}
        return Node(kind, negated, typed, list(form.all(f"{at}.one")))
    node = Node(kind if kind in _GROUPS else "all", negated)
    while left[0] > 0 and f"{at}.{len(node.parts)}.kind" in form:
        node.parts.append(read_node(form, f"{at}.{len(node.parts)}", left))
    return node


def root_of(tree: Mapping[str, Any]) -> Node:
    """A valid filter as the builder has it: a group."""
    node = node_of(tree)
    return node if node.is_group else Node("all", parts=[node])


def found_node(root: Node, place: str) -> Node | None:
    """The node at a place; ``None`` where there is none."""
    node = root
    for index in place.split(".")[1:]:
        number = whole_number(index, len(node.parts) - 1)
        if number is None:
            return None
        node = node.parts[number]
    return node


def done(root: Node, what: str, form: Form, location_id: str | None) -> bool:
    """Do what a button of the form says to the tree; whether it was one of those.

    A condition that is added and may ask for a location asks for that of whoever adds it.
    """
    action, _, place = what.partition(":")
    node = found_node(root, place)
    if node is None or action not in ("add", "group", "remove"):
        return False
    if action == "remove":
        above, _, index = place.rpartition(".")
        if above and (parent := found_node(root, above)) is not None:
            del parent.parts[int(index)]
    elif node.is_group:
        kind = form.one(f"{place}.new")
        added = Node("any") if action == "group" else Node(kind if kind in _INPUTS else "tag")
        if location_id and not added.is_group and LOCATION in added.inputs:
            added.typed[LOCATION.name] = location_id
        node.parts.append(added)
    return True


def show_list(visit: Visit) -> PageAnswer:
    """The segments, in the business's order."""
    page = visit.behind.segment_service.page(visit.business_id, PAGE, visit.request.query.given("cursor"))
    return visit.page("segments", rows=page.items, next_cursor=page.next_cursor)


def begin(visit: Visit) -> PageAnswer:
    """An empty builder."""
    return _builder(visit, None, "", Node("all"))


def work_on_new(visit: Visit) -> PageAnswer:
    """What the form of a new segment asks for."""
    return _worked_on(visit, None)


def show(visit: Visit, segment_id: str) -> PageAnswer:
    """The builder of a segment."""
    saved = visit.behind.segment_service.known(visit.business_id)
    segment = _one_of(saved, segment_id)
    return _builder(visit, segment, segment.name, root_of(segment.filter), saved=saved)


def work_on(visit: Visit, segment_id: str) -> PageAnswer:
    """What the form of a segment asks for."""
    saved = visit.behind.segment_service.known(visit.business_id)
    return _worked_on(visit, _one_of(saved, segment_id), saved)


def _one_of(saved: "SavedSegments", segment_id: str) -> "Segment":
    if segment_id not in saved.segments:
        raise NotFoundError("segment")
    return saved.segments[segment_id]


def delete(visit: Visit, segment_id: str) -> PageAnswer:
    """Remove a segment; one that is used stays, and the page says by what it is used."""
    segment = visit.behind.segment_service.get(visit.business_id, segment_id)
    try:
        visit.behind.segment_service.delete(visit.business_id, segment_id)
    except ConflictError as error:
        said = [str(error)]
        for name, key in (("segment_ids", "in_use_segments"), ("recurring_campaign_ids", "in_use_campaigns")):
            if ids := error.members.get(name):
                said.append(visit.words(f"segments.{key}", names=", ".join(ids)))
        wrong = {"": said}
        return _builder(visit, segment, segment.name, root_of(segment.filter), status=HTTPStatus.CONFLICT, wrong=wrong)
    visit.did(name=segment.name)
    return see(visit.request.link("segments"))


def _worked_on(visit: Visit, segment: "Segment | None", saved: "SavedSegments | None" = None) -> PageAnswer:
    form = visit.request.form
    root, name, what = read_node(form), form.one("name"), form.one("do")
    if what != "save":
        done(root, what, form, visit.member.location_id if visit.member is not None else None)
        return _builder(visit, segment, name, root, count_all=what == "count_all", saved=saved)
    segment_id = uuid4().hex if segment is None else segment.segment_id
    if not 0 < len(name) <= MAX_NAME:
        wrong = {"name": [f"Must have 1 to {MAX_NAME} characters."]}
        return _builder(visit, segment, name, root, status=HTTPStatus.UNPROCESSABLE_ENTITY, wrong=wrong)
    try:
        visit.behind.segment_service.put(visit.business_id, segment_id, name, root.tree, _rests_on(form, segment))
    except ChangedMeanwhileError:
        theirs = visit.behind.segment_service.get(visit.business_id, segment_id)
        return _builder(visit, theirs, name, root, status=HTTPStatus.CONFLICT, is_changed=True)
    except InvalidInputError as error:
        wrong = _beside(root, error)
        return _builder(visit, segment, name, root, status=HTTPStatus.UNPROCESSABLE_ENTITY, wrong=wrong)
    visit.did(of=segment_id, name=name)
    return see(visit.request.link("segments", segment_id, query={"saved": "1"}))


def _rests_on(form: Form, segment: "Segment | None") -> datetime | None:
    """When the segment that the form was made from was saved; ``None`` of a new one. Raises ``InvalidInputError``."""
    if segment is None or "rests_on" not in form:
        return None
    try:
        return datetime.fromisoformat(form.one("rests_on"))
    except ValueError:
        raise InvalidInputError(FieldError("rests_on", "Must be a time.")) from None


def _beside(root: Node, error: InvalidInputError) -> dict[str, list[str]]:
    """Write what is wrong to the conditions that it is about; the rest, by field."""
    rest: dict[str, list[str]] = {}
    for each in error.errors:
        node = found_node(root, ".".join(["n", *INDEX.findall(each.field)]))
        if each.field.startswith("filter") and node is not None:
            node.wrong.append(each.message)
        else:
            rest.setdefault(each.field if each.field == "name" else "", []).append(each.message)
    return rest


def _mark(form: Form, segment: "Segment | None", *, is_changed: bool) -> str | None:
    """When the segment was saved that the form rests on: theirs, once somebody was told of it."""
    if segment is None:
        return None
    return segment.updated_at.isoformat() if is_changed else form.one("rests_on", segment.updated_at.isoformat())


def _builder(
    visit: Visit,
    segment: "Segment | None",
    name: str,
    root: Node,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    wrong: Mapping[str, Sequence[str]] | None = None,
    count_all: bool = False,
    is_changed: bool = False,
    saved: "SavedSegments | None" = None,
) -> PageAnswer:
    names: Sequence[str] = ()
    number, is_all, is_slow, flaws = 0, True, False, list[str]()
    saved = saved or visit.behind.segment_service.known(visit.business_id)
    if status is HTTPStatus.OK:
        behind, business_id = visit.behind, visit.business_id
        try:
            wanted = CustomerFilter(filter=behind.pin_filters.filter_of(saved, root.tree))
            pinned = behind.pin_filters.wanted(business_id, wanted, is_next_page=True, business=visit.of_business)
            found = behind.list_customers.in_few_requests(visit.of_business, pinned, limit=FIRST)
            names = [f"{view.customer.first_name} {view.customer.last_name}" for view in found.items[:NAMED]]
            number, is_all = len(found.items), found.next_cursor is None
            if count_all and not is_all:
                counts = behind.count_customers(business_id, behind.pin_filters.wanted(business_id, wanted))
                number, is_all = (number, False) if counts is None else (counts["count"], True)
                is_slow = counts is None
        except InvalidInputError as error:
            flaws = [each.message for each in error.errors]
        except ConflictError as error:
            flaws = [str(error)]
    return visit.page(
        "segment",
        status,
        segment=segment,
        name=name,
        tree=root,
        kinds=KINDS,
        others=[each for each in saved.in_order[:PAGE] if segment is None or each.segment_id != segment.segment_id],
        wrong=wrong or {},
        rests_on=_mark(visit.request.form, segment, is_changed=is_changed),
        is_changed=is_changed,
        saved="saved" in visit.request.query,
        live={"number": number, "is_all": is_all, "is_slow": is_slow, "names": names, "flaws": flaws},
    )
