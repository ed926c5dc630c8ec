"""The editor of a sequence: one form, which goes back and forth as it is; nothing is kept before it is saved."""

import re
from collections.abc import Mapping, Sequence
from copy import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.segments import KINDS as CONDITIONS
from rebound.console.http.sequences.form import (
    KINDS,
    TOP,
    VARIABLE,
    Typed,
    condition_at,
    read_form,
    typed_sequence,
)
from rebound.console.http.sequences.known import known_ids
from rebound.console.http.sequences.moves import Done, done, new_step
from rebound.console.http.sequences.shown import MOST_TEMPLATES
from rebound.console.http.visits import Visit
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ChangedMeanwhileError, ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.ids import ULIDS
from rebound.recurring.domain.days import Weekday
from rebound.sequences.application.sequence_service import tag_of
from rebound.sequences.domain.happenings import STARTS, Kind
from rebound.sequences.domain.sequences import Reentry, SequenceStatus
from rebound.sequences.domain.steps import If, every, with_ids

if TYPE_CHECKING:
    from rebound.sequences.application.sequence_service import Wanted
    from rebound.sequences.domain.sequences import Definition, SavedSequence
    from rebound.sequences.domain.steps import Written
    from rebound.templates.application.measure_text import MeasuredText

_NO_LETTERS: Final = re.compile("[^a-z0-9]+")
_FIRST: Final = ("wait", "send")
"""The steps with which somebody begins who begins anew."""


class Measured(Struct, frozen=True):
    """How long the text of the step at a place is, or why nobody can say."""

    place: str
    size: "MeasuredText | None" = None
    flaws: Sequence[str] = ()


def begin(visit: Visit) -> PageAnswer:
    """An editor of a sequence that there is not yet: anew, or of one that is ready-made."""
    wanted = visit.request.query.one("from")
    if wanted:
        found = next(
            (each for each in visit.behind.ready_made(visit.business_id) if each.ready_made_id == wanted), None
        )
        if found is None:
            raise NotFoundError("ready-made sequence")
        return _page(visit, None, _typed_of(found.name, found.definition))
    return _page(visit, None, Typed(steps=[new_step(kind) for kind in _FIRST]))


def work_on_new(visit: Visit) -> PageAnswer:
    """What the form of a new sequence asks for."""
    return _worked_on(visit, None)


def show(visit: Visit, sequence_id: str) -> PageAnswer:
    """The editor of a sequence."""
    sequence = visit.behind.sequence_service.get(visit.business_id, sequence_id)
    return _page(visit, sequence, _typed_of(sequence.name, sequence.definition))


def work_on(visit: Visit, sequence_id: str) -> PageAnswer:
    """What the form asks for."""
    return _worked_on(visit, visit.behind.sequence_service.get(visit.business_id, sequence_id))


def _typed_of(name: str, definition: "Definition") -> Typed:
    # Only who edits needs the shapes of the API.
    from rebound.sequences.http.shapes import definition_in_answer  # noqa: PLC0415

    said = definition_in_answer(definition)
    steps = [each.model_dump(mode="json", by_alias=True) for each in said["steps"]]
    own = frozenset(each.step_id for each in every(definition.steps) if each.step_id is not None)
    return typed_sequence({**said, "name": name, "steps": steps}, own)


def _worked_on(visit: Visit, before: "SavedSequence | None") -> PageAnswer:
    form = visit.request.form
    typed, what = read_form(form), form.one("do")
    if what in ("save", "publish"):
        return _saved(visit, before, typed, is_sure=what == "publish")
    action, _, place = what.partition(":")
    if action == "measure":
        return _page(visit, before, typed, measured=_measured(visit, typed, place))
    if action in ("look", ""):
        return _page(visit, before, typed, looked_at=place)
    location_id = visit.member.location_id if visit.member is not None else None
    said = done(typed, what, form, location_id)
    return _page(visit, before, typed, said=said or Done("sequences.did.nothing"))


def _wanted(visit: Visit, typed: Typed, before: "SavedSequence | None") -> "Wanted":
    """What is typed, as the API would read it. Raises ``InvalidInputError`` with paths of the API."""
    from pydantic import ValidationError  # noqa: PLC0415 - only for who saves

    from rebound.platform.http.problems import fields_of_content  # noqa: PLC0415
    from rebound.sequences.http.shapes import SequenceRequest  # noqa: PLC0415

    document = typed.document()
    try:
        wanted = SequenceRequest.model_validate(document).read(visit.business_id)
    except ValidationError as error:
        raise InvalidInputError(*fields_of_content(error, "", document)) from None
    if before is None:
        return replace(wanted, status=SequenceStatus.OFF)
    definition = _as_it_was(wanted.definition, before.definition)
    return replace(wanted, status=before.status, late=before.late, definition=definition)


def _as_it_was(definition: "Definition", before: "Definition") -> "Definition":
    """The same where a filter was only written otherwise: that is no new version."""
    asked = {
        step_id: each.action.filter for step_id, each in before.program.steps.items() if isinstance(each.action, If)
    }

    ids = iter([each.step_id for each in every(with_ids(definition.steps))])

    def kept(steps: Sequence["Written"]) -> tuple["Written", ...]:
        found = []
        for each in steps:
            step_id, action = next(ids) or "", each.action
            if isinstance(action, If):
                then, otherwise = kept(action.then), kept(action.otherwise)
                tree = _kept_filter(action.filter, asked.get(step_id))
                action = replace(action, filter=tree or {"all": []}, then=then, otherwise=otherwise)
            found.append(replace(each, action=action))
        return tuple(found)

    whom = _kept_filter(definition.filter, before.filter)
    return replace(definition, filter=whom, steps=kept(definition.steps))


def _kept_filter(tree: Mapping[str, Any] | None, before: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return before if _bare(tree) == _bare(before) else tree


def _bare(tree: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    match tree:
        case None | {"all": []}:
            return None
        case {"all": [one]}:
            return _bare(one)
    return tree


def _saved(visit: Visit, before: "SavedSequence | None", typed: Typed, *, is_sure: bool) -> PageAnswer:
    service, business_id, form = visit.behind.sequence_service, visit.business_id, visit.request.form
    try:
        wanted = _wanted(visit, typed, before)
        if before is not None and wanted.definition.unpinned != before.definition and not is_sure:
            visit.behind.check_definition(visit.of_business, wanted.definition)
            number = sum(visit.behind.sequence_results.inside(before).values())
            if number:
                return _page(visit, before, typed, inside=number)
        if before is None:
            once = _once(visit)
            slug = _NO_LETTERS.sub("-", typed.name.lower()).strip("-")[:40] or "sequence"
            sequence_id, tags = f"{slug}-{once[-8:].lower()}", None
        else:
            sequence_id, tags = before.sequence_id, [form.one("tag")]
        after = service.put(business_id, sequence_id, wanted, tags)
    except InvalidInputError as error:
        typed.tell(error.errors)
        return _page(visit, before, typed, HTTPStatus.UNPROCESSABLE_ENTITY)
    except ChangedMeanwhileError:
        theirs = service.get(business_id, sequence_id)
        return _page(visit, theirs, typed, HTTPStatus.CONFLICT, tag=tag_of(theirs), is_changed=True)
    except ConflictError as error:
        typed.wrong.setdefault("", []).append(str(error))
        return _page(visit, before, typed, HTTPStatus.CONFLICT)
    if before is not None and before.row_version == after.row_version:
        visit.did_nothing()
    else:
        visit.did(of=sequence_id, name=after.name, once=before is None)
    return see(visit.request.link("sequences", sequence_id, query={"done": "made" if before is None else "saved"}))


def _once(visit: Visit) -> str:
    """What makes the same form sent twice one sequence."""
    ports, once = visit.behind.ports, visit.request.form.one("once")
    return once if ULIDS.fullmatch(once) else ports.ids.ulid(ports.clock.now())


def _measured(visit: Visit, typed: Typed, place: str) -> Measured | None:
    step = dict(typed.placed()).get(place)
    if step is None or step.kind != "send":
        return None
    try:
        return Measured(place, visit.behind.measure_text(visit.business_id, step.typed["body"], {}))
    except InvalidInputError as error:
        return Measured(place, flaws=[visit.words.said(each.message) for each in error.errors])


def _declare(visit: Visit, typed: Typed, place: str) -> None:
    """Give the step at a place a field for each variable that its template has."""
    step = dict(typed.placed()).get(place)
    if step is None or not step.typed.get("template_id"):
        return
    try:
        version = visit.behind.template_service.get(visit.business_id, step.typed["template_id"]).version
    except NotFoundError:
        return
    for name in version.variables:
        step.typed.setdefault(f"{VARIABLE}{name}", "")


def number_of(place: str) -> str:
    """The number of a step as people count: ``2a.1`` is the first of those that are done if the second step holds."""
    letters = {"t": "a", "e": "b"}
    numbers = [letters[each] if each in letters else f".{int(each) + 1}" for each in place.split(".")[1:]]
    return "".join(numbers).removeprefix(".")


def _flaws(visit: Visit, typed: Typed) -> list[tuple[str, str]]:
    """Where something is wrong: the id to go there, and what stands there."""
    words = visit.words
    found = [("name", str(words("sequences.name_label")))] if "name" in typed.wrong else []
    if typed.trigger.wrong:
        found.append(("t", str(words("sequences.starts_when"))))
    if not _is_right(typed.whom):
        found.append(("whom", str(words("sequences.whom"))))
    for place, step in typed.placed():
        if step.is_wrong:
            found.append(
                (place, words("sequences.step", number=number_of(place), kind=words(f"sequences.kind.{step.kind}")))
            )
    found += [(f"x.{at}", str(words("sequences.ends_when"))) for at, each in enumerate(typed.exits) if each.wrong]
    return found


def _is_right(node: Any) -> bool:
    return not node.wrong and all(map(_is_right, node.parts))


def _page(
    visit: Visit,
    before: "SavedSequence | None",
    typed: Typed,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    said: Done | None = None,
    measured: Measured | None = None,
    looked_at: str = "",
    inside: int = 0,
    tag: str | None = None,
    is_changed: bool = False,
) -> PageAnswer:
    behind, business_id, form = visit.behind, visit.business_id, visit.request.form
    if looked_at:
        _declare(visit, typed, looked_at)
    listed = behind.template_service.page(business_id, MOST_TEMPLATES, None, business=visit.of_business)
    templates = [
        (each.template.template_id, each.about.name, each.about.channel)
        for each in listed.items
        # Those of events say what happened to one customer.
        if each.template.published and each.about.event is None
    ]
    segments = behind.segment_service.known(business_id).in_order
    return visit.page(
        "sequence_editor",
        status,
        before=before,
        tag=tag or form.one("tag") or (tag_of(before) if before is not None else ""),
        typed=typed,
        kinds=CONDITIONS,
        step_kinds=KINDS,
        others=segments[:MOST_TEMPLATES],
        known=known_ids(visit, typed, segments),
        templates=templates,
        channels=tuple(Channel),
        categories=[each for each in Category if each.traits.is_in_sequences],
        weekdays=tuple(Weekday),
        starts=[each for each in Kind if each in STARTS],
        happenings=tuple(Kind),
        reentries=tuple(Reentry),
        top=TOP,
        condition_at=condition_at,
        number_of=number_of,
        told=visit.words(said.words, **said.filled) if said is not None else "",
        focus=said.focus if said is not None else "",
        measured=measured,
        inside=inside,
        flawed=_flaws(visit, typed),
        is_changed=is_changed,
        once=_once(visit),
    )
