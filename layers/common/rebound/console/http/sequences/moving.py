"""Moving those who wait in an earlier version of a sequence to the newest."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from msgspec import Struct

from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.sequences.shown import sentences_for
from rebound.console.http.typed import whole_number
from rebound.console.http.visits import Visit
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.kernel.ids import ULIDS
from rebound.sequences.domain.moves import StaysBecause
from rebound.sequences.domain.steps import Wait

if TYPE_CHECKING:
    from rebound.sequences.domain.sequences import Definition, SavedSequence
    from rebound.sequences.domain.steps import Step

_MOST: Final = 10**6


class ShownMover(Struct, frozen=True):
    """A wait of the earlier version: how many wait there, and the id of the wait where they go, empty of none."""

    said: Markup
    waiting: int
    to: str


def ask(visit: Visit, sequence_id: str) -> PageAnswer:
    """Where those of an earlier version wait, and where they would wait in the newest."""
    sequence = visit.behind.sequence_service.get(visit.business_id, sequence_id)
    version = _version_in(visit.request.query.one("version"), sequence)
    old = visit.behind.ports.sequences.version(visit.business_id, sequence.uid, version)
    return _page(visit, sequence, version, old, _as_they_are(old, sequence.definition))


def move(visit: Visit, sequence_id: str) -> PageAnswer:
    """Have them moved, in the background."""
    form, behind = visit.request.form, visit.behind
    sequence = behind.sequence_service.get(visit.business_id, sequence_id)
    version = _version_in(form.one("version"), sequence)
    old = behind.ports.sequences.version(visit.business_id, sequence.uid, version)
    chosen = {each.step_id: form.one(f"to.{at}") for at, each in enumerate(_waits(old))}
    steps = {step_id: to for step_id, to in chosen.items() if to}
    once = form.one("once")
    request = f"console#move#{once}" if ULIDS.fullmatch(once) else None
    try:
        wanted = behind.move_enrolments.foresee(visit.business_id, sequence_id, version, steps)
    except InvalidInputError as error:
        flaws = [each.message for each in error.errors]
        return _page(visit, sequence, version, old, steps, HTTPStatus.UNPROCESSABLE_ENTITY, flaws=flaws)
    behind.move_enrolments.start(visit.business_id, sequence_id, wanted, request)
    visit.did(name=sequence.name, once=True)
    return see(visit.request.link("sequences", sequence_id, query={"done": "moved"}))


def _version_in(typed: str, sequence: "SavedSequence") -> int:
    """The one before the newest where none is named. Raises ``NotFoundError`` for what is no earlier version."""
    version = (sequence.version - 1 or None) if not typed else whole_number(typed, min(_MOST, sequence.version - 1), 1)
    if version is None:
        raise NotFoundError("sequence version")
    return version


def _waits(definition: "Definition") -> Sequence["Step"]:
    return [each for each in definition.program.steps.values() if isinstance(each.action, Wait)]


def _as_they_are(old: "Definition", new: "Definition") -> Mapping[str, str]:
    """Each wait goes to the same one, by its id, which the editor keeps."""
    known = {each.step_id for each in _waits(new)}
    return {each.step_id: each.step_id for each in _waits(old) if each.step_id in known}


def _page(
    visit: Visit,
    sequence: "SavedSequence",
    version: int,
    old: "Definition",
    steps: Mapping[str, str],
    status: HTTPStatus = HTTPStatus.OK,
    *,
    flaws: Sequence[str] = (),
) -> PageAnswer:
    behind, before, after = visit.behind, _waits(old), _waits(sequence.definition)
    foreseen = (
        behind.move_enrolments.foresee(visit.business_id, sequence.sequence_id, version, {}) if not flaws else None
    )
    waiting = (
        {each.step_id: each.enrolments for each in foreseen.stays if each.because is not StaysBecause.IN_HAND}
        if foreseen is not None
        else {}
    )
    say = sentences_for(visit, [each.action for each in (*before, *after)])
    return visit.page(
        "sequence_move",
        status,
        one=sequence,
        version=version,
        beginning=foreseen.beginning if foreseen is not None else 0,
        ahead=waiting.get(None, 0),
        rows=[
            ShownMover(say.step(each.action), waiting.get(each.step_id, 0), steps.get(each.step_id, ""))
            for each in before
        ],
        choices=[(each.step_id, say.step(each.action)) for each in after],
        flaws=flaws,
        once=behind.ports.ids.ulid(behind.ports.clock.now()),
    )
