"""Who is in a sequence, where, and what comes next; letting somebody begin by hand, and taking somebody out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from msgspec import Struct

from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.sequences.listed import just_done
from rebound.console.http.sequences.sentences import Sentences
from rebound.console.http.sequences.shown import sentences_for
from rebound.console.http.visits import Visit
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.ids import CUSTOMER_IDS
from rebound.segments.domain.selections import CustomerFilter
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, Stage
from rebound.sequences.domain.steps import Wait

if TYPE_CHECKING:
    from rebound.sequences.domain.sequences import Definition, SavedSequence
    from rebound.sequences.domain.steps import Step

PAGE: Final = 40
FOUND: Final = 10
MOST_VERSIONS: Final = 2
"""Earlier versions whose steps are told on one page."""
NOBODY: Final = "0" * 32
DONE: Final = ("begun", "not_begun", "taken_out", "not_inside")


class ShownPerson(Struct, frozen=True):
    """Somebody who is in a sequence, or was, or may be: ``name`` is ``None`` of a customer who is gone.

    ``standing`` is ``None`` of who has never been in it. ``then`` is what comes next, at ``at``, which may be earlier
    where something is waited for (``at_latest``).
    """

    customer_id: str
    name: str | None
    version: int | None = None
    standing: Stage | None = None
    step: Markup | None = None
    since: datetime | None = None
    then: Markup | None = None
    at: datetime | None = None
    at_latest: bool = False
    left_because: str | None = None

    @property
    def is_inside(self) -> bool:
        """Whether they are in it now."""
        return self.standing is not None and self.standing is not Stage.LEFT


def show(visit: Visit, sequence_id: str) -> PageAnswer:
    """Who is in it, or where those stand who are looked for. A name stands in no address, so that it is posted."""
    sequence = visit.behind.sequence_service.get(visit.business_id, sequence_id)
    return _page(visit, sequence)


def enrol(visit: Visit, sequence_id: str) -> PageAnswer:
    """Let somebody begin; the same form sent twice lets them begin once."""
    form, service = visit.request.form, visit.behind.sequence_service
    sequence = service.get(visit.business_id, sequence_id)
    try:
        has_begun = service.enrol(
            visit.business_id, sequence_id, _customer_in(form), f"console#{form.one('once')}", "customer"
        )
    except (ConflictError, InvalidInputError) as error:
        flaws = [each.message for each in error.errors] if isinstance(error, InvalidInputError) else [str(error)]
        return _page(visit, sequence, HTTPStatus.CONFLICT, flaws=flaws)
    if has_begun:
        visit.did(name=sequence.name)
    else:
        visit.did_nothing()
    return _back(visit, sequence_id, "begun" if has_begun else "not_begun")


def take_out(visit: Visit, sequence_id: str) -> PageAnswer:
    """Take somebody out."""
    service = visit.behind.sequence_service
    sequence = service.get(visit.business_id, sequence_id)
    try:
        has_left = service.take_out(visit.business_id, sequence_id, _customer_in(visit.request.form))
    except NotFoundError:
        has_left = False
    if has_left:
        visit.did(name=sequence.name)
    else:
        visit.did_nothing()
    return _back(visit, sequence_id, "taken_out" if has_left else "not_inside")


def _customer_in(form: Form) -> str:
    """The id of the customer whom a form is about; of anything else one that nobody has."""
    customer_id = form.one("customer")
    return customer_id if CUSTOMER_IDS.fullmatch(customer_id) else NOBODY


def _back(visit: Visit, sequence_id: str, done: str) -> PageAnswer:
    return see(visit.request.link("sequences", sequence_id, "people", query={"done": done}))


def _page(
    visit: Visit, sequence: "SavedSequence", status: HTTPStatus = HTTPStatus.OK, *, flaws: Sequence[str] = ()
) -> PageAnswer:
    form, ports = visit.request.form, visit.behind.ports
    business_id, sequence_id = visit.business_id, sequence.sequence_id
    asked, next_cursor, is_all = form.one("q"), None, True
    found: Sequence[Enrolment] = ()
    names: dict[str, str] = {}
    looked_for: Sequence[str] = ()
    if asked:
        wanted = visit.behind.pin_filters.wanted(
            business_id, CustomerFilter(q=asked), is_next_page=True, business=visit.of_business
        )
        listed = visit.behind.list_customers.in_few_requests(visit.of_business, wanted, limit=FOUND)
        names = {view.customer.customer_id: view.customer.full_name for view in listed.items}
        looked_for, is_all = list(names), listed.next_cursor is None
        keys = [EnrolmentKey(business_id, customer_id, sequence_id) for customer_id in names]
        found = list(ports.enrolments.get_many(keys).values())
    else:
        page = ports.enrolments.page(business_id, sequence_id, PAGE, visit.request.query.given("cursor"))
        found, next_cursor = page.items, page.next_cursor
        looked_for = [each.key.customer_id for each in found]
        customers = ports.customers.get_many(business_id, looked_for)
        names = {customer_id: each.full_name for customer_id, each in customers.items()}
    shown = {each.customer_id: each for each in _shown(visit, sequence, found, names)}
    rows = [shown.get(each) or ShownPerson(each, names.get(each)) for each in looked_for]
    return visit.page(
        "sequence_people",
        status,
        one=sequence,
        rows=rows,
        asked=asked,
        is_all=is_all,
        next_cursor=next_cursor,
        flaws=flaws,
        done=just_done(visit, DONE),
        once=ports.ids.ulid(ports.clock.now()),
    )


def _shown(
    visit: Visit, sequence: "SavedSequence", found: Sequence[Enrolment], names: Mapping[str, str]
) -> Sequence[ShownPerson]:
    """Where each stands, by the version that they go through."""
    definitions = {sequence.version: sequence.definition}
    earlier = sorted({each.version for each in found} - set(definitions), reverse=True)
    for version in earlier[:MOST_VERSIONS]:
        definitions[version] = visit.behind.ports.sequences.version(visit.business_id, sequence.uid, version)
    places = [_place(each, definitions.get(each.version)) for each in found]
    actions = [step.action for place in places for step in (place.step, place.then) if step is not None]
    # Earlier versions are read in place of what segments and templates are called: few requests make a page.
    say = Sentences(visit.words) if earlier else sentences_for(visit, actions)
    # Many stand at the same step, which is told once.
    told: dict[tuple[int, str], Markup] = {}

    def said(version: int, step: "Step | None") -> Markup | None:
        if step is None:
            return None
        if (version, step.step_id) not in told:
            told[version, step.step_id] = say.step(step.action)
        return told[version, step.step_id]

    over = say.words("sequences.then_over")
    return [
        _person(
            each,
            names.get(each.key.customer_id),
            place,
            said(each.version, place.step),
            over if place.is_last else said(each.version, place.then),
        )
        for each, place in zip(found, places, strict=True)
    ]


class _Place(Struct, frozen=True):
    """The step at which somebody stands, and the one that is next; ``is_last`` where nothing is."""

    step: "Step | None" = None
    then: "Step | None" = None
    is_last: bool = False


def _place(found: Enrolment, definition: "Definition | None") -> _Place:
    if definition is None:
        return _Place()
    program = definition.program
    step = program.steps.get(found.step_id) if found.step_id is not None else None
    if found.standing is not Stage.WAITING:
        return _Place(step)
    next_id = program.first_id if found.step_id is None else step.next_id if step is not None else None
    return _Place(step, program.steps[next_id] if next_id is not None else None, next_id is None)


def _person(found: Enrolment, name: str | None, place: _Place, step: Markup | None, then: Markup | None) -> ShownPerson:
    return ShownPerson(
        found.key.customer_id,
        name,
        version=found.version,
        standing=found.standing,
        step=step,
        since=found.since,
        then=then,
        at=found.wake_at,
        at_latest=place.step is not None
        and isinstance(place.step.action, Wait)
        and place.step.action.for_event is not None,
        left_because=found.left_because,
    )
