"""Ready-made sequences: what many businesses would like to happen by itself, for one to be taken over, changed or not.

Nothing is kept of them until a business takes one over, which is putting it as a sequence of its own. What happens is
here; what is said is data, ``ready_made/<language>.json``, in the language of the business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import time, timedelta
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct, json

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.languages import LAST_RESORT
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.sequences import Definition, ExitOn, Reentry
from rebound.sequences.domain.steps import If, Send, Wait, Written
from rebound.templates.domain.content import EmailContent, TextContent

if TYPE_CHECKING:
    from rebound.templates.domain.content import Content

_FOLDER: Final = f"{__file__.rsplit('/', 2)[0]}/ready_made"
_MORNING: Final = time(10)
"""When people get what is not urgent, by their own clocks."""


class ReadyMade(Struct, frozen=True, kw_only=True):
    """A sequence to be taken over: what it is called, what it is for, and what is done."""

    ready_made_id: str
    name: str
    description: str
    definition: Definition


class _Message(Struct, frozen=True, forbid_unknown_fields=True):
    """What one step says: an email, or without a subject a text."""

    text: str
    subject: str | None = None

    @property
    def channel(self) -> Channel:
        return Channel.SMS if self.subject is None else Channel.EMAIL

    @property
    def content(self) -> Content:
        return TextContent(self.text) if self.subject is None else EmailContent(self.subject, None, self.text)


class _Words(Struct, frozen=True, forbid_unknown_fields=True):
    """What one says in a language, its messages in the order in which they are sent."""

    name: str
    description: str
    messages: tuple[_Message, ...]


type _Say = Callable[[Category], Written]
"""The step that sends the next of the messages."""


def ready_made(language: str) -> Sequence[ReadyMade]:
    """All of them, in a language, or in English where they are not written in that."""
    words = _words(language)
    return [
        ReadyMade(
            ready_made_id=name,
            name=words[name].name,
            description=words[name].description,
            definition=made(partial(_next, iter(words[name].messages))),
        )
        for name, made in _MADE.items()
    ]


def _next(messages: Iterator[_Message], category: Category) -> Written:
    message = next(messages)
    return Written(Send(channel=message.channel, category=category, content=message.content))


def _morning(days: int = 0) -> Written:
    """Wait for the next morning, or for that after so many days."""
    return Written(Wait(for_=timedelta(days=days), until_local=_MORNING))


def _ends(*kinds: Kind) -> tuple[ExitOn, ...]:
    """What each of them was for."""
    return tuple(ExitOn(Happening(kind=kind), is_goal=True) for kind in kinds)


def _without_booking(*steps: Written) -> Written:
    """For who has none to come."""
    return Written(If(filter={"bookings": {"upcoming": False}}, then=steps))


def _last_credit(say: _Say) -> Definition:
    return Definition(
        trigger=Happening(kind=Kind.PACKAGE_LAST_CREDIT),
        reentry=Reentry.AFTER_EXIT,
        steps=(
            Written(Wait(for_=timedelta(hours=2), until_local=_MORNING)),
            say(Category.MARKETING),
            _morning(7),
            say(Category.MARKETING),
        ),
        exit_on=_ends(Kind.PURCHASE),
    )


def _missed_call(say: _Say) -> Definition:
    return Definition(
        trigger=Happening(kind=Kind.MISSED_CALL), reentry=Reentry.AFTER_EXIT, steps=(say(Category.TRANSACTIONAL),)
    )


def _membership_expiring(say: _Say) -> Definition:
    return Definition(
        trigger=Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=14),
        reentry=Reentry.AFTER_EXIT,
        steps=(_morning(), say(Category.TRANSACTIONAL), _morning(10), say(Category.TRANSACTIONAL)),
        # A membership that is renewed ends later, which is told as this.
        exit_on=_ends(Kind.MEMBERSHIP_EXPIRING),
    )


def _renewal_failed(say: _Say) -> Definition:
    unpaid = {"membership": {"id": None, "is": "not_active"}}
    return Definition(
        trigger=Happening(kind=Kind.RENEWAL_FAILED),
        reentry=Reentry.AFTER_EXIT,
        steps=(
            say(Category.TRANSACTIONAL),
            _morning(3),
            Written(If(filter=unpaid, then=(say(Category.TRANSACTIONAL),))),
        ),
        exit_on=_ends(Kind.MEMBERSHIP_EXPIRING),
    )


def _waiver_changed(say: _Say) -> Definition:
    return Definition(
        trigger=Happening(kind=Kind.WAIVER_CHANGED),
        reentry=Reentry.AFTER_EXIT,
        steps=(_morning(3), say(Category.TRANSACTIONAL)),
        exit_on=_ends(Kind.WAIVER_SIGNED),
    )


def _first_visit(say: _Say) -> Definition:
    return Definition(
        trigger=Happening(kind=Kind.VISIT),
        # The visit that starts it may be counted a moment later.
        filter={"visits": {"at_most": 1}},
        steps=(
            Written(Wait(for_=timedelta(hours=12), until_local=_MORNING)),
            say(Category.MARKETING),
            _morning(14),
            _without_booking(say(Category.MARKETING)),
        ),
    )


def _lost_customer(say: _Say) -> Definition:
    return Definition(
        trigger=Happening(kind=Kind.SEGMENT_ENTERED),
        filter={"last_visit": {"before_days": 90}},
        reentry=Reentry.AFTER_EXIT,
        steps=(
            _morning(),
            _without_booking(say(Category.MARKETING), _morning(14), _without_booking(say(Category.MARKETING))),
        ),
        exit_on=_ends(Kind.VISIT, Kind.BOOKING),
    )


_MADE: Final[Mapping[str, Callable[[_Say], Definition]]] = MappingProxyType(
    {
        "last_credit": _last_credit,
        "missed_call": _missed_call,
        "membership_expiring": _membership_expiring,
        "renewal_failed": _renewal_failed,
        "waiver_changed": _waiver_changed,
        "first_visit": _first_visit,
        "lost_customer": _lost_customer,
    }
)


@cache
def _words(language: str) -> Mapping[str, _Words]:
    try:
        return _read(language)
    except FileNotFoundError:
        return _read(LAST_RESORT)


def _read(language: str) -> Mapping[str, _Words]:
    with open(f"{_FOLDER}/{language}.json", "rb", 0) as file:  # noqa: PTH123 - as templates read theirs
        return json.decode(file.read(), type=dict[str, _Words])
