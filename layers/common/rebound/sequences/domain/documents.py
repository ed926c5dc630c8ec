"""What a version of a sequence says, as JSON, in the form in which rows keep it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import convert, to_builtins

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.recurring.domain.days import Weekday
from rebound.sequences.domain.happenings import Happening
from rebound.sequences.domain.sequences import Definition, ExitOn, Reentry
from rebound.sequences.domain.steps import Exit, If, Send, Tag, Wait, Written
from rebound.templates.domain.content import read_said, written_said

if TYPE_CHECKING:
    from rebound.sequences.domain.steps import Action


def written_definition(definition: Definition) -> dict[str, Any]:
    """The document of a version."""
    return {
        "trigger": to_builtins(definition.trigger, enc_hook=dict),
        "filter": definition.filter,
        "reentry": definition.reentry,
        "steps": _written_steps(definition.steps),
        "exit_on": [
            {"happening": to_builtins(one.happening, enc_hook=dict), "is_goal": one.is_goal}
            for one in definition.exit_on
        ],
    }


def read_definition(document: Mapping[str, Any]) -> Definition:
    """The version of a document."""
    return Definition(
        trigger=convert(document["trigger"], Happening),
        filter=document["filter"],
        reentry=Reentry(document["reentry"]),
        steps=_read_steps(document["steps"]),
        exit_on=tuple(ExitOn(convert(one["happening"], Happening), one["is_goal"]) for one in document["exit_on"]),
    )


def _written_steps(steps: Sequence[Written]) -> list[dict[str, Any]]:
    return [{**_written(step.action), "id": step.step_id} for step in steps]


def _written(action: Action) -> dict[str, Any]:
    match action:
        case Wait():
            return {
                "do": "wait",
                "seconds": int(action.for_.total_seconds()),
                "until_local": None if action.until_local is None else action.until_local.isoformat(),
                "weekday": action.weekday,
                "for_event": to_builtins(action.for_event, enc_hook=dict),
            }
        case Send():
            content = written_said(action.content)
            return {"do": "send", "channel": action.channel, "category": action.category, "content": content}
        case If():
            then, otherwise = _written_steps(action.then), _written_steps(action.otherwise)
            return {"do": "if", "filter": action.filter, "then": then, "else": otherwise}
        case Tag():
            return {"do": "tag", "add": action.add, "remove": action.remove}
        case Exit():
            return {"do": "exit"}


def _read_steps(documents: Sequence[Mapping[str, Any]]) -> tuple[Written, ...]:
    return tuple(Written(_read(document), document["id"]) for document in documents)


def _read(document: Mapping[str, Any]) -> Action:
    match document["do"]:
        case "wait":
            until, weekday = document["until_local"], document["weekday"]
            return Wait(
                for_=timedelta(seconds=document["seconds"]),
                until_local=None if until is None else time.fromisoformat(until),
                weekday=None if weekday is None else Weekday(weekday),
                for_event=convert(document["for_event"], Happening | None),
            )
        case "send":
            return Send(
                channel=Channel(document["channel"]),
                category=Category(document["category"]),
                content=read_said(document["content"]),
            )
        case "if":
            return If(
                filter=document["filter"],
                then=_read_steps(document["then"]),
                otherwise=_read_steps(document["else"]),
            )
        case "tag":
            return Tag(add=document["add"], remove=document["remove"])
        case _:
            return Exit()
