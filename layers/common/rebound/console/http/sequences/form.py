"""A sequence as the form of the editor has it, in whatever state it is.

It stands for what the API takes as JSON (``document``), and what is wrong with that is told beside the field that it
is about (``tell``). A step's place is that of its fields in the form: ``s.2``, or ``s.2.t.0`` for the first step of
those that are done if a condition holds, ``s.2.e.0`` otherwise. Its condition stands under a name of its own, because
conditions have places in themselves.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct, field

from rebound.console.http.requests import Form
from rebound.console.http.segments import INDEX, Node, found_node, read_node, root_of
from rebound.kernel.errors import FieldError
from rebound.sequences.domain.happenings import NARROWED_BY, NEEDED, Kind
from rebound.sequences.domain.sequences import MOST_EXITS
from rebound.sequences.domain.steps import DEEPEST, MOST_STEPS, id_of_place

TOP: Final = "s"
"""The place of the list of all steps."""
KINDS: Final = ("wait", "send", "if", "tag", "exit")
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "wait": ("days", "hours", "minutes", "seconds", "until_local", "weekday", "is_event"),
    "send": ("channel", "category", "say", "subject", "text", "html", "body", "template_id", "email_content"),
    "if": (),
    "tag": ("how", "tag"),
    "exit": (),
}
"""What is filled in for each kind of step, besides what is waited for and conditions."""
VARIABLE: Final = "variables."
_LINES: Final = ("text", "html", "body")
_NUMBERS: Final = ("days", "hours", "minutes", "seconds")
_CONTENT: Final = {"email": ("subject", "text", "html"), "sms": ("body",)}
_WAYS: Final[Mapping[str, Literal["then", "otherwise"]]] = {"then": "then", "else": "otherwise"}
_STEP: Final = re.compile(r"steps\[(\d+)\]((?:\.(?:then|else)\[\d+\])*)\.?(.*)", re.DOTALL)
_WITHIN: Final = re.compile(r"\.(then|else)\[(\d+)\]")
_EXIT: Final = re.compile(r"exit_on\[(\d+)\]\.?(.*)", re.DOTALL)


class HappeningTyped(Struct):
    """What happens: ``typed`` has the names of what it is narrowed by, ``days_before`` and ``goal``."""

    kind: str
    typed: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def narrowed_by(self) -> tuple[str, ...]:
        """What it may be narrowed by."""
        return NARROWED_BY[Kind(self.kind)]

    @property
    def needed(self) -> str | None:
        """What its kind means nothing without."""
        return NEEDED.get(Kind(self.kind))

    @property
    def may_have(self) -> Sequence[str]:
        """What it may be narrowed by besides."""
        return [name for name in self.narrowed_by if name != self.needed]

    @property
    def is_narrowed(self) -> bool:
        """Whether it is, or something is wrong with that."""
        return any(self.typed.get(name) or self.wrong.get(name) for name in self.may_have)

    def document(self) -> dict[str, Any]:
        """As the API takes it; what its kind does not know is left out."""
        return {"kind": self.kind, **{name: self.typed[name] for name in self.narrowed_by if self.typed.get(name)}}

    def tell(self, name: str, message: str) -> None:
        """Write what is wrong beside its field, or above all of them."""
        known = name in (*self.narrowed_by, "days_before")
        self.wrong.setdefault(name if known else "", []).append(message)


class StepTyped(Struct):
    """A step. ``was`` is the id by which it was known in the version that is changed, empty of a new one."""

    kind: str
    step_id: str = ""
    was: str = ""
    typed: dict[str, str] = field(default_factory=dict)
    event: HappeningTyped = field(default_factory=lambda: HappeningTyped(Kind.BOOKING))
    condition: Node = field(default_factory=lambda: Node("all"))
    then: list["StepTyped"] = field(default_factory=list)
    otherwise: list["StepTyped"] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def variables(self) -> Mapping[str, str]:
        """The values of the template's variables, by name."""
        return {name.removeprefix(VARIABLE): value for name, value in self.typed.items() if name.startswith(VARIABLE)}

    @property
    def is_wrong(self) -> bool:
        """Whether anything is wrong with it, apart from the steps within it."""
        return bool(self.wrong or self.event.wrong) or any(each.wrong for each in _nodes(self.condition))

    def document(self, place: str, ids: "Ids") -> dict[str, Any]:
        """As the API takes it, at a place as steps without an id are called by it.

        Whoever stands at a step is known by its id, so that a step that has moved keeps the one that it had.
        """
        step_id = self.step_id or id_of_place(place, ids.taken if self.was else ids.taken | ids.were)
        found: dict[str, Any] = {"id": self.step_id} if self.step_id else {}
        if not self.step_id and self.was and self.was != step_id:
            step_id = self.was
            found = {"id": step_id}
        ids.taken.add(step_id)
        match self.kind:
            case "wait":
                return {**found, "wait": self._wait()}
            case "send":
                return {**found, "send": self._send()}
            case "if":
                return {
                    **found,
                    "if": tree_of(self.condition) or {"all": []},
                    "then": documents(self.then, f"{step_id}.then.", ids),
                    "else": documents(self.otherwise, f"{step_id}.else.", ids),
                }
            case "tag":
                return {**found, "tag": {self.typed.get("how", "add"): self.typed.get("tag", "")}}
        return {**found, "exit": {}}

    def _wait(self) -> dict[str, Any]:
        typed = self.typed
        found: dict[str, Any] = {name: number(typed[name]) for name in _NUMBERS if typed.get(name)}
        found |= {name: typed[name] for name in ("until_local", "weekday") if typed.get(name)}
        return found | ({"for_event": self.event.document()} if typed.get("is_event") else {})

    def _send(self) -> dict[str, Any]:
        typed, channel = self.typed, self.typed.get("channel", "")
        found: dict[str, Any] = {"channel": channel, "category": typed.get("category", "")}
        if typed.get("say") == "template":
            variables = {name: value for name, value in self.variables.items() if value}
            return {**found, "template_id": typed.get("template_id", ""), "variables": variables}
        names = _CONTENT.get(channel, ())
        always = ("subject", "body")
        found["content"] = {name: typed.get(name, "") for name in names if typed.get(name) or name in always}
        if channel == "sms" and typed.get("email_content"):
            found["email_content"] = _unpacked(typed["email_content"])
        return found

    def tell(self, path: str, message: str) -> None:
        """Write what is wrong beside its field, or above all of them."""
        what, _, name = path.partition(".")
        if what == "if":
            _node_at(self.condition, path).wrong.append(message)
            return
        if name.startswith("for_event"):
            self.event.tell(name.partition(".")[2], message)
            return
        name = "tag" if what == "tag" else name.removeprefix("content.")
        known = what == self.kind and (name in FIELDS[self.kind] or name.startswith(VARIABLE))
        self.wrong.setdefault(name if known else "", []).append(message)


class Typed(Struct):
    """A sequence. ``wrong`` has what is wrong with its name, and with all of it."""

    name: str = ""
    trigger: HappeningTyped = field(default_factory=lambda: HappeningTyped(Kind.VISIT))
    whom: Node = field(default_factory=lambda: Node("all"))
    reentry: str = "never"
    steps: list[StepTyped] = field(default_factory=list)
    exits: list[HappeningTyped] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As the API takes it."""
        trigger, days = self.trigger.document(), self.trigger.typed.get("days_before", "")
        if self.trigger.kind == Kind.MEMBERSHIP_EXPIRING and days:
            trigger["days_before"] = number(days)
        return {
            "name": self.name,
            "trigger": trigger,
            "filter": tree_of(self.whom),
            "reentry": self.reentry,
            "steps": documents(self.steps, "", Ids.of([each for _, each in self.placed()])),
            "exit_on": [{**each.document(), "goal": each.typed.get("goal") == "1"} for each in self.exits],
        }

    def lists(self) -> Iterator[tuple[str, list[StepTyped]]]:
        """Every list of steps, by its place, in the order in which they are read."""
        yield from _lists(TOP, self.steps)

    def placed(self) -> Iterator[tuple[str, StepTyped]]:
        """Every step, by its place, in the order in which they are read."""
        yield from _placed(TOP, self.steps)

    def tell(self, errors: Sequence[FieldError]) -> None:
        """Write each of what is wrong beside the field that it is about."""
        for each in errors:
            step, rest = self._step_at(each.field)
            if step is not None:
                step.tell(rest, each.message)
            elif (of_exit := _EXIT.fullmatch(each.field)) and int(of_exit[1]) < len(self.exits):
                self.exits[int(of_exit[1])].tell(of_exit[2], each.message)
            elif each.field.startswith("trigger"):
                self.trigger.tell(each.field.partition(".")[2], each.message)
            elif each.field.startswith("filter"):
                _node_at(self.whom, each.field).wrong.append(each.message)
            else:
                self.wrong.setdefault(each.field if each.field == "name" else "", []).append(each.message)

    def _step_at(self, path: str) -> tuple[StepTyped | None, str]:
        """The step that a path of the API leads to, and the rest of the path."""
        read = _STEP.fullmatch(path)
        if read is None or int(read[1]) >= len(self.steps):
            return None, path
        step = self.steps[int(read[1])]
        for way, index in _WITHIN.findall(read[2]):
            within: list[StepTyped] = getattr(step, _WAYS[way])
            if int(index) >= len(within):
                return step, ""
            step = within[int(index)]
        return step, read[3]


def condition_at(place: str) -> str:
    """The name under which the condition of the step at a place stands in the form."""
    return "c" + place.replace(".", "-")


class Ids(Struct, frozen=True):
    """The ids of steps: those that are ``taken``, and those by which steps were known."""

    taken: set[str]
    were: frozenset[str]

    @classmethod
    def of(cls, steps: Sequence[StepTyped]) -> "Ids":
        """Before any is called by its place."""
        return cls({each.step_id for each in steps if each.step_id}, frozenset(each.was for each in steps if each.was))


def documents(steps: Sequence[StepTyped], within: str, ids: Ids) -> list[dict[str, Any]]:
    """The steps of a list as the API takes them."""
    return [each.document(f"{within}{place}", ids) for place, each in enumerate(steps, 1)]


def tree_of(root: Node) -> dict[str, Any] | None:
    """The filter that a builder stands for, without a group around a single condition; ``None`` of everybody."""
    if root.kind == "all" and not root.negated:
        if not root.parts:
            return None
        if len(root.parts) == 1:
            return root.parts[0].tree
    return root.tree


def _node_at(root: Node, path: str) -> Node:
    """The condition that a path of the API is about, where ``tree_of`` has taken the group around it away."""
    around = ["0"] if len(root.parts) == 1 and root.kind == "all" and not root.negated else []
    return found_node(root, ".".join(["n", *around, *INDEX.findall(path)])) or root


def number(typed: str) -> object:
    """A number, or what was typed in place of one, of which the API says what is wrong."""
    return int(typed) if re.fullmatch("[0-9]{1,6}", typed) else typed


def typed_sequence(document: Mapping[str, Any], own_ids: frozenset[str]) -> Typed:
    """A sequence as the API has it, in the form; ``own_ids`` are those that steps were given, not by their places."""
    trigger = _typed_happening(document["trigger"])
    return Typed(
        name=document["name"],
        trigger=trigger,
        whom=_root(document.get("filter")),
        reentry=document["reentry"],
        steps=_typed_steps(document["steps"], own_ids),
        exits=[_typed_happening(each) for each in document["exit_on"]],
    )


def _typed_happening(document: Mapping[str, Any]) -> HappeningTyped:
    typed = {name: str(value) for name, value in document.items() if name not in ("kind", "goal") and value is not None}
    return HappeningTyped(document["kind"], typed | {"goal": "1" if document.get("goal") else ""})


def _typed_steps(steps: Sequence[Mapping[str, Any]], own_ids: frozenset[str]) -> list[StepTyped]:
    return [_typed_step(each, own_ids) for each in steps]


def _typed_step(document: Mapping[str, Any], own_ids: frozenset[str]) -> StepTyped:
    kind = next(name for name in KINDS if document.get(name) is not None)
    own, known = document[kind], document.get("id") or ""
    step = StepTyped(kind, known if known in own_ids else "", known)
    match kind:
        case "wait":
            names = (*_NUMBERS, "until_local", "weekday")
            step.typed = {name: str(own[name]) for name in names if own.get(name)}
            if own.get("for_event"):
                step.typed["is_event"], step.event = "1", _typed_happening(own["for_event"])
        case "send":
            step.typed = {"channel": own["channel"], "category": own["category"], "say": "own"}
            step.typed |= {name: str(value) for name, value in (own.get("content") or {}).items() if value}
            if own.get("template_id"):
                step.typed |= {"say": "template", "template_id": own["template_id"]}
                step.typed |= {f"{VARIABLE}{name}": _value(each) for name, each in (own.get("variables") or {}).items()}
            if own.get("email_content"):
                step.typed["email_content"] = msgspec.json.encode(own["email_content"]).decode()
        case "if":
            step.condition = _root(own)
            step.then = _typed_steps(document.get("then") or (), own_ids)
            step.otherwise = _typed_steps(document.get("else") or (), own_ids)
        case "tag":
            how = "add" if own.get("add") is not None else "remove"
            step.typed = {"how": how, "tag": own.get(how) or ""}
    return step


def _value(value: Any) -> str:
    # An amount of money is the only value of two parts.
    return f"{value['amount']} {value['currency']}" if isinstance(value, Mapping) else str(value)


def _root(tree: Mapping[str, Any] | None) -> Node:
    return Node("all") if tree is None else root_of(tree)


def read_form(form: Form) -> Typed:
    """The sequence in a form."""
    exits = [at for each in range(MOST_EXITS + 1) if f"{(at := f'x.{each}')}.kind" in form]
    return Typed(
        name=form.one("name"),
        trigger=_read_happening(form, "t", Kind.VISIT),
        whom=read_node(form, "w"),
        reentry=form.one("reentry") or "never",
        steps=_read_steps(form, TOP, [MOST_STEPS + 1], DEEPEST + 2),
        exits=[_read_happening(form, each, Kind.BOOKING) for each in exits],
    )


def _read_happening(form: Form, at: str, otherwise: Kind) -> HappeningTyped:
    kind = form.one(f"{at}.kind")
    found = HappeningTyped(kind if kind in list(Kind) else otherwise)
    for name in (*found.narrowed_by, "days_before", "goal"):
        found.typed[name] = form.one(f"{at}.{name}")
    return found


def _read_steps(form: Form, at: str, left: list[int], deep: int) -> list[StepTyped]:
    found: list[StepTyped] = []
    while deep and left[0] > 0 and (place := f"{at}.{len(found)}") and f"{place}.kind" in form:
        left[0] -= 1
        kind = form.one(f"{place}.kind")
        step = StepTyped(kind if kind in KINDS else "exit", form.one(f"{place}.id"), form.one(f"{place}.was"))
        for name in FIELDS[step.kind]:
            value = form.one(f"{place}.{name}")
            # Browsers send a line break as two characters, of which each would count.
            step.typed[name] = value.replace("\r\n", "\n") if name in _LINES else value
        if step.kind == "send":
            before = f"{place}.{VARIABLE}"
            step.typed |= {
                each.removeprefix(f"{place}."): form.one(each) for each in form.values if each.startswith(before)
            }
        if step.kind == "wait":
            step.event = _read_happening(form, f"{place}.event", Kind.BOOKING)
        if step.kind == "if":
            step.condition = read_node(form, condition_at(place))
            step.then = _read_steps(form, f"{place}.t", left, deep - 1)
            step.otherwise = _read_steps(form, f"{place}.e", left, deep - 1)
        found.append(step)
    return found


def _unpacked(typed: str) -> object:
    try:
        return msgspec.json.decode(typed)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return typed


def _lists(at: str, steps: list[StepTyped]) -> Iterator[tuple[str, list[StepTyped]]]:
    yield at, steps
    for number_, each in enumerate(steps):
        if each.kind == "if":
            yield from _lists(f"{at}.{number_}.t", each.then)
            yield from _lists(f"{at}.{number_}.e", each.otherwise)


def _placed(at: str, steps: list[StepTyped]) -> Iterator[tuple[str, StepTyped]]:
    for number_, each in enumerate(steps):
        place = f"{at}.{number_}"
        yield place, each
        yield from _placed(f"{place}.t", each.then)
        yield from _placed(f"{place}.e", each.otherwise)


def _nodes(root: Node) -> Iterator[Node]:
    yield root
    for each in root.parts:
        yield from _nodes(each)
