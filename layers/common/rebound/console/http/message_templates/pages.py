"""Templates: the list, and the page of one, on which it is written, looked at, tried and published."""

import re
from collections.abc import Mapping, Sequence
from copy import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.console.domain.deeds import Deed
from rebound.console.http.message_templates.form import TemplateForm, empty, form_in, form_of, worked_on
from rebound.console.http.preview_frames import framed, framed_flaws, framed_text, framed_text_message
from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import (
    ChangedMeanwhileError,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    TooSoonError,
)
from rebound.kernel.languages import LANGUAGES
from rebound.segments.domain.selections import CustomerFilter
from rebound.staff.domain import Right
from rebound.templates.application.make_version import NewVersion
from rebound.templates.application.preview_template import WhatToShow
from rebound.templates.application.template_service import Expected
from rebound.templates.domain.rendering import VARIABLES
from rebound.templates.domain.template_events import about_variables, event_of_default, template_events, variables_of
from rebound.templates.domain.typed_values import VariableType
from rebound.templates.domain.variables import with_vouchers_of

if TYPE_CHECKING:
    from rebound.customers.domain import Customer
    from rebound.templates.application.measure_text import MeasuredText
    from rebound.templates.application.template_service import TemplateView

PAGE: Final = 50
MOST_FOUND: Final = 5
"""Customers of whom one can be chosen for a preview."""
MAX_SEARCH: Final = 200
MOST_COPIES: Final = 20
NEW: Final = "new"
NUMBER: Final = re.compile("[1-9][0-9]{0,6}", re.ASCII)
"""Of a version."""
_NOT_IN_IDS: Final = re.compile("[^A-Za-z0-9._-]+")
_SAID: Final = ("saved", "saved_draft", "published", "copied", "reset", "draft_removed", "sent")


class Shown(Struct):
    """The page of a template: what is typed, and what stands. ``view`` is ``None`` for one that is new."""

    form: TemplateForm
    view: "TemplateView | None" = None
    wrong: Mapping[str, Sequence[str]] = {}
    status: HTTPStatus = HTTPStatus.OK
    changed_meanwhile: bool = False
    done: str = ""
    warnings: Sequence[str] = ()
    found: "Sequence[Customer]" = ()
    nobody: bool = False
    who: str = ""
    customer: str = ""
    language: str = ""


def show_list(visit: Visit) -> PageAnswer:
    """The templates that the business has written, or those that are ready to use."""
    query = visit.request.query
    q, ready = query.one("q")[:MAX_SEARCH], query.one("show") == "ready"
    service, wrong = visit.behind.template_service, list[str]()
    try:
        found = service.page(visit.business_id, PAGE, query.given("cursor"), q or None, own=not ready)
    except InvalidInputError as error:
        wrong = [each.message for each in error.errors]
        found = service.page(visit.business_id, PAGE, None, own=not ready)
    return visit.page(
        "templates",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        rows=found.items,
        next_cursor=found.next_cursor,
        q=q,
        ready=ready,
        wrong=wrong,
        removed="removed" in query,
    )


def begin(visit: Visit) -> PageAnswer:
    """An empty template of a channel."""
    return _page(visit, Shown(empty(_channel(visit.request.query))))


def work_on_new(visit: Visit) -> PageAnswer:
    """What the form of a new template asks for."""
    given = visit.request.form
    form = form_in(given, _channel(given), given.one("template_id"))
    if not form.template_id:
        form.template_id = _NOT_IN_IDS.sub("-", form.name.lower()).strip("-.")[:64]
    return _worked_on(visit, Shown(form), Expected(is_new=True))


def show(visit: Visit, template_id: str) -> PageAnswer:
    """What the draft says, or what is published; by its number, a version of before."""
    query, number = visit.request.query, visit.request.query.one("version")
    view = _view(visit, template_id)
    wrong: Mapping[str, Sequence[str]] = {}
    if "live" in query:
        view = visit.behind.template_service.get(visit.business_id, template_id)
    elif number:
        older = _older(visit, template_id, number)
        if older is None:
            wrong = {"version": [str(visit.words("templates.no_version"))]}
        view = older or view
    status = HTTPStatus.NOT_FOUND if wrong else HTTPStatus.OK
    return _page(visit, Shown(form_of(view.version), view, wrong, status))


def work_on(visit: Visit, template_id: str) -> PageAnswer:
    """What the form of a template asks for."""
    given = visit.request.form
    try:
        view = _view(visit, template_id)
    except NotFoundError:
        # Somebody has removed it: what was typed can be saved as a new one.
        gone = {"": [str(visit.words("templates.gone"))]}
        form = form_in(given, _channel(given), template_id)
        return _page(visit, Shown(form, wrong=gone, status=HTTPStatus.CONFLICT))
    # Layouts and texts of cases are of the version that the page showed.
    number = given.one("number")
    shown = view if number == str(view.version.version) else _older(visit, template_id, number) or view
    form = form_in(given, view.version.channel, template_id, shown.version)
    return _worked_on(visit, Shown(form, view), Expected((given.one("tag"),)))


def look(visit: Visit, template_id: str) -> PageAnswer:
    """The same for somebody who only looks on: as a customer gets it who is looked for."""
    view = _view(visit, template_id)
    shown = Shown(form_of(view.version), view)
    _look_for(visit, shown)
    return _page(visit, shown)


def copy(visit: Visit, template_id: str) -> PageAnswer:
    """Save the same as the draft of another template."""
    service, version = visit.behind.template_service, _view(visit, template_id).version
    new = NewVersion.again(version)
    name = str(visit.words("templates.copy_of", name=version.name))
    for number in range(1, MOST_COPIES + 1):
        copied = f"{template_id[:55]}-copy{number if number > 1 else ''}"
        try:
            service.put(visit.business_id, copied, replace(new, name=name, is_draft=True), Expected(is_new=True))
        except ChangedMeanwhileError:
            continue
        visit.did(of=copied, name=name)
        return see(visit.request.link("templates", copied, query={"done": "copied"}))
    raise InvalidInputError(FieldError("template_id", str(visit.words("templates.many_copies"))))


def publish(visit: Visit, template_id: str) -> PageAnswer:
    """Let messages be made from the draft."""
    return _changed(visit, template_id, "published", visit.behind.template_service.publish)


def reset(visit: Visit, template_id: str) -> PageAnswer:
    """Take a template that came with Rebound back to what it said."""
    return _changed(visit, template_id, "reset", visit.behind.template_service.reset)


def delete(visit: Visit, template_id: str) -> PageAnswer:
    """Remove a template, or only its draft."""
    draft_alone = visit.request.form.one("what") == "draft"
    name = _view(visit, template_id).version.name

    def remove(business_id: str, template_id: str, expected: Expected) -> None:
        visit.behind.template_service.delete(business_id, template_id, expected, draft_alone=draft_alone)
        visit.did(Deed.TEMPLATE_DRAFT_REMOVED if draft_alone else Deed.TEMPLATE_DELETED, name=name)

    if not draft_alone:
        return _changed(visit, template_id, "", remove)
    return _changed(visit, template_id, "draft_removed", remove)


def send_test(visit: Visit, template_id: str) -> PageAnswer:
    """Send the version that the page shows, as a test."""
    form = visit.request.form
    number, to = form.one("number"), form.one("to")
    try:
        visit.behind.send_template_test(
            visit.business_id,
            template_id,
            to,
            number=int(number) if NUMBER.fullmatch(number) else None,
            own_address=visit.me.email,
        )
    except InvalidInputError as error:
        said = [each.message for each in error.errors]
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    except (ConflictError, TooSoonError) as error:
        said, status = [str(error)], HTTPStatus.CONFLICT
    else:
        return see(visit.request.link("templates", template_id, query={"done": "sent"}))
    view = _view(visit, template_id)
    return _page(visit, Shown(form_of(view.version), view, {"to": said}, status))


def show_in_frame(visit: Visit, template_id: str) -> PageAnswer:
    """The document of a frame: what is published says to a customer, or to somebody made up; or the draft does.

    The query may have ``draft``, a ``version``, the ``customer``'s id and a ``language``; ``subject`` for it alone.
    """
    query = visit.request.query
    number, language = query.one("version"), query.one("language")
    asked = WhatToShow(
        variables={},
        customer_id=query.given("customer"),
        language=language if language in LANGUAGES else None,
        number=int(number) if NUMBER.fullmatch(number) and "draft" not in query else None,
        is_draft="draft" in query,
    )
    try:
        shown = visit.behind.preview_template(visit.business_id, template_id, asked)
    except InvalidInputError as error:
        return framed_flaws(f"{_label(visit, each.field)}: {visit.words.said(each.message)}" for each in error.errors)
    if shown.subject is None:
        return framed_text_message(shown.text)
    if "subject" in query:
        return framed_text(shown.subject)
    return framed(shown.html) if shown.html is not None else framed_text(shown.text)


def _label(visit: Visit, field: str) -> str:
    """What the page calls a field of a template; what has no name there stays as it is."""
    key = f"templates.{field.rpartition('.')[2]}"
    if field.startswith("contents") and visit.words.has(key):
        return str(visit.words(key))
    return str(visit.words("templates.who")) if field == "customer_id" else field


def _channel(given: Form) -> Channel:
    return Channel.SMS if given.one("channel") == Channel.SMS else Channel.EMAIL


def _view(visit: Visit, template_id: str) -> "TemplateView":
    """The draft, or what is published where there is none. Raises ``NotFoundError``."""
    service = visit.behind.template_service
    return service.latest(visit.business_id, template_id)


def _older(visit: Visit, template_id: str, number: str) -> "TemplateView | None":
    """The version of a number, if there is one."""
    if not NUMBER.fullmatch(number):
        return None
    try:
        return visit.behind.template_service.get(visit.business_id, template_id, number=int(number))
    except NotFoundError:
        return None


def _changed(visit: Visit, template_id: str, said: str, change: Any) -> PageAnswer:
    """The page of a template after a change to it as a whole; the list, where it is no more."""
    try:
        view = change(visit.business_id, template_id, Expected((visit.request.form.one("tag"),)))
        if view is not None:
            visit.did(name=view.version.name)
    except ChangedMeanwhileError:
        view = _view(visit, template_id)
        shown = Shown(form_of(view.version), view, status=HTTPStatus.CONFLICT, changed_meanwhile=True)
        return _page(visit, shown)
    if not said:
        return see(visit.request.link("templates", query={"removed": "1"}))
    return see(visit.request.link("templates", template_id, query={"done": said}))


def _worked_on(visit: Visit, shown: Shown, expected: Expected) -> PageAnswer:
    given, form, what = visit.request.form, shown.form, visit.request.form.one("do")
    _look_for(visit, shown)
    if what not in ("publish", "draft"):
        worked_on(form, what, given, visit.business.language if visit.business else LANGUAGES[0])
        return _page(visit, shown)
    if form.template_id == NEW:
        # Its page has the address of a new one's.
        shown.wrong = {"template_id": [str(visit.words("templates.taken"))]}
        shown.status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _page(visit, shown)
    try:
        view = _saved(visit, shown, expected, is_draft=what == "draft")
    except InvalidInputError as error:
        shown.wrong, shown.status = form.beside(error), HTTPStatus.UNPROCESSABLE_ENTITY
        return _page(visit, shown)
    except ChangedMeanwhileError:
        shown.status = HTTPStatus.CONFLICT
        if shown.view is None:
            shown.wrong = {"template_id": [str(visit.words("templates.taken"))]}
        else:
            shown.changed_meanwhile = True
        return _page(visit, shown)
    deed = Deed.TEMPLATE_DRAFT_SAVED if what == "draft" else Deed.TEMPLATE_PUBLISHED
    visit.did(deed, of=form.template_id, name=view.version.name)
    done = "saved_draft" if what == "draft" else "saved"
    if view.warnings:
        # What had better be mended is known now alone.
        said = list(dict.fromkeys(each.message for each in view.warnings))
        return _page(visit, Shown(form_of(view.version), view, done=done, warnings=said))
    more = {"customer": shown.customer} if shown.customer else {}
    return see(visit.request.link("templates", form.template_id, query={"done": done, **more}))


def _saved(visit: Visit, shown: Shown, expected: Expected, *, is_draft: bool) -> "TemplateView":
    """The version as saved. Where somebody looks at a draft it is the draft that is published, so that none is left."""
    service, form = visit.behind.template_service, shown.form
    has_draft = shown.view is not None and bool(shown.view.template.draft)
    view = service.put(visit.business_id, form.template_id, form.read(is_draft=is_draft or has_draft), expected)
    if is_draft or not has_draft:
        return view
    published = service.publish(visit.business_id, form.template_id, Expected((view.template.tag,)))
    return replace(published, warnings=view.warnings)


def _look_for(visit: Visit, shown: Shown) -> None:
    """For whom the preview is: whoever was chosen, or who is found by what was typed."""
    given = visit.request.form
    shown.customer, shown.who, shown.language = given.one("customer"), given.one("who"), given.one("as")
    if shown.who != given.one("was_who"):
        shown.customer = ""
    if not shown.who:
        shown.customer = ""
        return
    wanted = visit.behind.pin_filters.wanted(visit.business_id, CustomerFilter(q=shown.who[:MAX_SEARCH]))
    try:
        views = visit.behind.list_customers(visit.business_id, wanted, limit=MOST_FOUND).items
    except InvalidInputError:
        views = []
    shown.found, shown.nobody = [view.customer for view in views], not views
    if views and shown.customer not in {each.customer_id for each in shown.found}:
        shown.customer = shown.found[0].customer_id


def _page(visit: Visit, shown: Shown) -> PageAnswer:
    form, view = shown.form, shown.view
    wrong = {name: list(said) for name, said in shown.wrong.items()}
    measured = _measured(visit, form, wrong) if form.channel is Channel.SMS else {}
    template = view.template if view is not None else None
    query = visit.request.query
    return visit.page(
        "template",
        shown.status,
        form=form,
        view=view,
        stored=template,
        is_draft=view is not None and template is not None and view.version.version == template.draft,
        is_current=view is not None
        and template is not None
        and (view.version.version in (template.draft, template.published) or view.version.version > template.latest),
        wrong=wrong,
        measured=measured,
        changed_meanwhile=shown.changed_meanwhile,
        shown=shown,
        frame=_frame(visit, shown),
        frame_of_subject=_frame(visit, shown, subject="1"),
        events={name: visit.words.said(event.name) for name, event in template_events().items()},
        event_fixed=event_of_default(form.template_id) is not None,
        categories={each: visit.words(f"settings.choice-{each}") for each in map(str, Category)},
        types={each: visit.words(f"templates.type_{each}") for each in map(str, VariableType)},
        of_event=_of_event(visit, form.event),
        of_everybody=VARIABLES,
        recipients=_recipients(visit, form.channel) if view is not None else (),
        done=shown.done or (query.one("done") if query.one("done") in _SAID else ""),
        warnings=shown.warnings,
    )


def _frame(visit: Visit, shown: Shown, **more: str) -> str | None:
    """Where the preview of what is saved is; ``None`` while nothing is."""
    view = shown.view
    if view is None:
        return None
    query = {"draft": "1"} if view.version.version == view.template.draft else {"version": str(view.version.version)}
    customer = shown.customer or visit.request.query.one("customer")
    query |= {"customer": customer} if customer else {}
    query |= {"language": shown.language} if shown.language in LANGUAGES else {}
    return visit.request.link("templates", view.template.template_id, "frame", query={**query, **more})


def _measured(visit: Visit, form: TemplateForm, wrong: dict[str, list[str]]) -> "dict[str, MeasuredText]":
    """The size of each text; what is wrong with its placeholders is added to what is said beside it."""
    measure, found = visit.behind.measure_text.of(visit.business_id), dict[str, "MeasuredText"]()
    declared = {**(variables_of(form.event) if form.event in template_events() else {}), **form.declared}
    for section in form.sections:
        body = section.parts["body"][:10_000]
        try:
            found[section.language] = measure(body, with_vouchers_of(body, declared))
        except InvalidInputError as error:
            said = [each.message for each in error.errors if each.field == "body"]
            known = wrong.setdefault(f"{section.language}.body", []) if said else []
            known += [each for each in said if each not in known]
    return found


def _of_event(visit: Visit, event: str) -> Mapping[str, str]:
    """What an event's variables are about, by their names."""
    about = about_variables()
    names = template_events()[event].names if event in template_events() else ()
    return {name: visit.words.said(about[name].description) for name in names}


def _recipients(visit: Visit, channel: Channel) -> Sequence[str]:
    """Whom a test may be sent to: whoever asks, by email, and those who have agreed to get tests."""
    business = visit.business
    agreed = business.test_recipients if business is not None else ()
    found = [each.address for each in agreed if each.channel is channel and each.confirmed_at is not None]
    own = [visit.me.email] if channel is Channel.EMAIL and visit.may(Right.EDIT_TEMPLATES) else []
    return list(dict.fromkeys([*own, *found]))
