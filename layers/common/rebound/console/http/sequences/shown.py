"""A sequence as somebody reads it, and what is done with all of it: on and off, and away."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from rebound.console.domain.deeds import Deed
from rebound.console.http.campaigns.sent import reason_in_words
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.sequences.listed import just_done, names_of
from rebound.console.http.sequences.sentences import Sentences
from rebound.console.http.visits import Visit
from rebound.kernel.errors import ChangedMeanwhileError, NotFoundError
from rebound.segments.domain.filters import segments_in
from rebound.sequences.application.sequence_service import tag_of
from rebound.sequences.application.warn import unfinished
from rebound.sequences.domain.sequences import Late, SequenceStatus
from rebound.sequences.domain.steps import If, Send, Wait
from rebound.templates.domain.content import TemplateContent

if TYPE_CHECKING:
    from rebound.sequences.domain.happenings import Happening
    from rebound.sequences.domain.sequences import Definition, SavedSequence
    from rebound.sequences.domain.steps import Action

type Filter = Mapping[str, Any] | None
MOST_TEMPLATES: Final = 100
"""Of which the names are known."""
MOST_CARRIERS: Final = 4
"""Versions of a step whose messages are counted on one page."""
DONE: Final = ("on", "off", "made", "saved", "moved")


def show(visit: Visit, sequence_id: str) -> PageAnswer:
    """What it does, step by step."""
    return _page(visit, visit.behind.sequence_service.get(visit.business_id, sequence_id))


def show_short(visit: Visit, sequence_id: str) -> PageAnswer:
    """How many are inside, for the list, which asks for each of its lines once it is seen."""
    sequence = visit.behind.sequence_service.get(visit.business_id, sequence_id)
    results, _ = visit.behind.sequence_results.in_short(sequence)
    return visit.page("sequence_short", one=sequence, results=results)


def show_messages(visit: Visit, sequence_id: str, step_id: str) -> PageAnswer:
    """What became of the messages of a step. Raises ``NotFoundError`` for what is no step that sends."""
    sequence = visit.behind.sequence_service.get(visit.business_id, sequence_id)
    if step_id not in sequence.definition.sends:
        raise NotFoundError("step")
    messages, is_all = visit.behind.sequence_results.messages_of(sequence, step_id, MOST_CARRIERS)
    excluded = [(reason_in_words(visit, reason), count) for reason, count in messages.excluded.items()]
    return visit.page("sequence_messages", one=sequence, messages=messages, excluded=excluded, is_all=is_all)


def switch(visit: Visit, sequence_id: str) -> PageAnswer:
    """Switch it on or off; on with what becomes of what is late."""
    form = visit.request.form
    is_on = form.one("do") == "on"
    status = SequenceStatus.ON if is_on else SequenceStatus.OFF
    late = Late(form.one("late")) if is_on and form.one("late") in list(Late) else None
    sequence = visit.behind.sequence_service.switch(visit.business_id, sequence_id, status, late)
    visit.did(Deed.SEQUENCE_SWITCHED_ON if is_on else Deed.SEQUENCE_SWITCHED_OFF, name=sequence.name)
    return see(visit.request.link("sequences", sequence_id, query={"done": str(status)}))


def delete(visit: Visit, sequence_id: str) -> PageAnswer:
    """Remove it, once somebody has said so a second time; whoever is inside leaves."""
    service, form = visit.behind.sequence_service, visit.request.form
    sequence = service.get(visit.business_id, sequence_id)
    if form.one("sure") != "1":
        wrong = {"sure": [visit.words("sequences.sure_wrong")]}
        return _page(visit, sequence, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=wrong)
    try:
        service.delete(visit.business_id, sequence_id, [form.one("tag")])
    except ChangedMeanwhileError:
        return _page(visit, service.get(visit.business_id, sequence_id), HTTPStatus.CONFLICT, is_changed=True)
    visit.did(name=sequence.name)
    return see(visit.request.link("sequences", query={"done": "deleted"}))


def sentences_for(
    visit: Visit, actions: Iterable["Action"], happenings: Iterable["Happening"] = (), filters: Iterable[Filter] = ()
) -> Sentences:
    """Writes about these; names are looked up where they name something."""
    actions = list(actions)
    trees = [*filters, *(each.filter for each in actions if isinstance(each, If))]
    happenings = [*happenings, *(each.for_event for each in actions if isinstance(each, Wait) and each.for_event)]
    segments: Mapping[str, str] = {}
    if any("segment_id" in each.about for each in happenings) or any(segments_in(tree) for tree in trees if tree):
        segments = names_of(visit.behind.segment_service.known(visit.business_id))
    templates: Mapping[str, str] = {}
    if any(isinstance(each, Send) and isinstance(each.content, TemplateContent) for each in actions):
        listed = visit.behind.template_service.page(visit.business_id, MOST_TEMPLATES, None, business=visit.of_business)
        templates = {each.template.template_id: each.about.name for each in listed.items}
    return Sentences(visit.words, segments, templates)


def _of_all(visit: Visit, definition: "Definition") -> Sentences:
    happenings = [definition.trigger, *(each.happening for each in definition.exit_on)]
    actions = [step.action for step in definition.program.steps.values()]
    return sentences_for(visit, actions, happenings, [definition.filter])


def _page(
    visit: Visit,
    sequence: "SavedSequence",
    status: HTTPStatus = HTTPStatus.OK,
    *,
    wrong: Mapping[str, Sequence[str]] | None = None,
    is_changed: bool = False,
) -> PageAnswer:
    definition, say = sequence.definition, _of_all(visit, sequence.definition)
    results, inside = visit.behind.sequence_results.in_short(sequence)
    return visit.page(
        "sequence",
        status,
        one=sequence,
        tag=tag_of(sequence),
        starts=say.happening(definition.trigger),
        whom=say.filter(definition.filter),
        ends=[(say.happening(each.happening), each.is_goal) for each in definition.exit_on],
        steps=say.steps(definition.steps),
        results=results,
        counts={each.step.step_id: each for each in results.steps},
        earlier=[(version, count) for version, count in inside.items() if version != sequence.version],
        lates=tuple(Late),
        unfinished=list(unfinished(sequence)),
        done=just_done(visit, DONE),
        wrong=wrong or {},
        is_changed=is_changed,
    )
