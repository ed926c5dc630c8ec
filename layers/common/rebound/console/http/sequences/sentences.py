"""Sequences in words: what starts and ends one, what a step does, and for whom."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup, escape
from msgspec import Struct

from rebound.console.http.segments import Node, node_of
from rebound.segments.domain.leaf_inputs import LeafInput
from rebound.sequences.domain.steps import Exit, If, Send, Tag, Wait, Written, with_ids
from rebound.templates.domain.content import EmailContent, Said, TemplateContent, TextContent

if TYPE_CHECKING:
    from rebound.console.http.words import Words
    from rebound.sequences.domain.happenings import Happening
    from rebound.sequences.domain.steps import Action

_LONGEST: Final = 90
"""Characters of what a message says that stand in a list of steps."""
_UNITS: Final = (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1)))


class ShownStep(Struct, frozen=True):
    """A step as a page shows it. ``content`` is what a message says, in full; ``None`` of everything else."""

    step_id: str
    kind: str
    said: Markup
    content: Said | None = None
    then: Sequence["ShownStep"] = ()
    otherwise: Sequence["ShownStep"] = ()


class Sentences(Struct, frozen=True):
    """Writes them in a language; ``segments`` and ``templates`` are names by ids, where they are known."""

    words: "Words"
    segments: Mapping[str, str] = {}
    templates: Mapping[str, str] = {}

    def happening(self, happening: "Happening") -> Markup:
        """What happens, as the second half of a sentence: "the customer visits (Type of class: Yoga)"."""
        words = self.words
        if happening.days_before is not None:
            said = words("sequences.happens_before", n=happening.days_before)
        else:
            said = words(f"sequences.happens.{happening.kind}")
        about = [
            f"{words(f'sequences.about.{name}')}: {self._segment(value) if name == 'segment_id' else value}"
            for name, value in happening.about.items()
        ]
        return words("sequences.narrowed", what=said, about=", ".join(about)) if about else said

    def filter(self, tree: Mapping[str, Any] | None) -> Markup:
        """Whom a filter means; everybody without one."""
        if tree is None or tree == {"all": []}:
            return self.words("sequences.everybody")
        return self._node(node_of(tree))

    def step(self, action: "Action") -> Markup:
        """What a step does."""
        words = self.words
        match action:
            case Wait():
                return self._wait(action)
            case Send():
                return words(f"sequences.sends.{action.channel}", what=self.says(action.content))
            case If():
                return words("sequences.if", filter=self.filter(action.filter))
            case Tag():
                gives = action.add is not None
                return words(f"sequences.tag_{'add' if gives else 'remove'}", tag=action.add or action.remove)
            case Exit():
                return words("sequences.leave")

    def steps(self, written: Sequence[Written]) -> Sequence[ShownStep]:
        """The steps of a sequence, each with the id by which it is known."""
        return self._steps(with_ids(written))

    def _steps(self, written: Sequence[Written]) -> Sequence[ShownStep]:
        found = []
        for each in written:
            step_id, action = each.step_id or "", each.action
            then: Sequence[ShownStep] = ()
            otherwise: Sequence[ShownStep] = ()
            if isinstance(action, If):
                then = self._steps(action.then)
                otherwise = self._steps(action.otherwise)
            content = action.content if isinstance(action, Send) else None
            kind = type(action).__name__.lower()
            found.append(ShownStep(step_id, kind, self.step(action), content, then, otherwise))
        return found

    def says(self, said: Said) -> str:
        """What a message says, in short."""
        match said:
            case TemplateContent(made_from=made_from):
                name = self.templates.get(made_from.template_id, made_from.template_id)
                return self.words("sequences.by_template", name=name)
            case EmailContent():
                return shorten(said.subject, _LONGEST, placeholder=" …")
            case TextContent():
                return shorten(said.body, _LONGEST, placeholder=" …")

    def long(self, duration: timedelta) -> str:
        """How long something takes: "2 days, 3 hours"."""
        said, left = [], duration
        for name, unit in _UNITS:
            count, left = divmod(left, unit)
            if count:
                said.append(self.words(f"sequences.{name}", n=count))
        if left:
            said.append(self.words("sequences.seconds", n=left.seconds))
        return ", ".join(said)

    def _wait(self, wait: Wait) -> Markup:
        words, until = self.words, ""
        if wait.until_local is not None:
            until = f"{wait.until_local:%H:%M}"
            if wait.weekday is not None:
                until = words("sequences.on_weekday", day=words(f"recurring.weekday.{wait.weekday}"), at=until)
        long = self.long(wait.for_)
        if not until:
            most = words("sequences.wait", long=long)
        else:
            most = words("sequences.wait_then" if long else "sequences.wait_until", long=long, until=until)
        if wait.for_event is None:
            return most
        key = "sequences.wait_event_until" if until else "sequences.wait_event"
        return words(key, what=self.happening(wait.for_event), long=long, most=most)

    def _segment(self, segment_id: str) -> str:
        return self.segments.get(segment_id, segment_id)

    def _node(self, node: Node) -> Markup:
        said = self._group(node) if node.is_group else self._leaf(node)
        return self.words("sequences.not", what=said) if node.negated else said

    def _group(self, node: Node) -> Markup:
        if not node.parts:
            return self.words("sequences.everybody" if node.kind == "all" else "sequences.nobody")
        said = [
            Markup("({})").format(self._node(part)) if part.is_group and len(part.parts) > 1 else self._node(part)
            for part in node.parts
        ]
        return _joined(self.words(f"sequences.{'and' if node.kind == 'all' else 'or'}"), said)

    def _leaf(self, node: Node) -> Markup:
        words, typed = self.words, node.typed
        filled = {name: value for name, value in typed.items() if value}
        if node.kind == "visits" and set(filled) == {"at_least", "within_days"} and filled["at_least"] == "1":
            return words("sequences.visited_within", n=int(filled["within_days"]))
        if node.kind == "last_visit" and set(filled) == {"before_days"}:
            return words("sequences.not_visited_for", n=int(filled["before_days"]))
        if node.kind == "segment":
            return words("sequences.in_segment", name=self._segment(typed.get("", "")))
        if node.kind == "field":
            return self._field(typed)
        label = words(f"segments.leaf.{node.kind}")
        values = [self._value(each, filled[each.name]) for each in node.inputs if each.name in filled]
        return Markup("{}: {}").format(label, ", ".join(values)) if values else label

    def _field(self, typed: Mapping[str, str]) -> Markup:
        words, name, how = self.words, typed.get("field", ""), typed.get("how", "is")
        label = words(f"field.{name}") if words.has(f"field.{name}") else name.replace("_", " ")
        said = [str(label), str(words(f"segments.how_.{how}"))]
        if how not in ("present", "absent"):
            said.append(", ".join(typed.get("value", "").splitlines()))
        if typed.get("value2"):
            said += [str(words("segments.value2")), typed["value2"]]
        return escape(" ".join(said))

    def _value(self, own: LeafInput, value: str) -> str:
        words = self.words
        named = words(f"segments.choice.{value}") if own.choices else ", ".join(value.splitlines())
        return f"{words(f'segments.input.{own.name}')} {named}" if own.name else str(named)


def _joined(word: str, said: Iterable[Markup]) -> Markup:
    return Markup(" {} ").format(word).join(said)
