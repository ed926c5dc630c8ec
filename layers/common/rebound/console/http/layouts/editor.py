"""The block editor: the layout of an email, as a draft beside what is published.

Each block is a part of one form, which goes back and forth as it is. What is saved is the draft of a template; a state
of which something is wrong stays in the form, where that is told.
"""

import re
from collections.abc import Mapping, Sequence
from copy import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from msgspec import Struct

from rebound.console.domain.deeds import Deed
from rebound.console.http.layouts.form import (
    FONTS,
    IN_COLUMNS,
    INPUTS,
    NETWORKS,
    STYLE,
    TOP,
    WEB_FONT,
    LayoutTyped,
    read_form,
    style_of,
    typed_layout,
)
from rebound.console.http.layouts.steps import Done, History, done
from rebound.console.http.layouts.text import read_typed
from rebound.console.http.preview_frames import framed, framed_flaws
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
from rebound.staff.domain import Right
from rebound.templates.application.make_version import FromLayout, NewVersion
from rebound.templates.application.preview_template import WhatToShow
from rebound.templates.application.template_service import Expected
from rebound.templates.domain.content import ANY_LANGUAGE
from rebound.templates.domain.rendering import variables_of_bodies

if TYPE_CHECKING:
    from rebound.templates.application.template_service import TemplateView
    from rebound.templates.domain.template import TemplateVersion

NEW: Final = "new"
MAX_NAME: Final = 200
_FIRST: Final = {"blocks": [{"kind": "heading"}, {"kind": "text"}, {"kind": "button"}]}
"""What somebody begins with who begins anew."""
_WENT: Final = {"undo": "layouts.undo_done", "redo": "layouts.redo_done"}
_NO_LETTERS: Final = re.compile("[^a-z0-9]+")


class Edited(Struct):
    """What is worked on: a template's layout in a language, or one that is new. ``tag`` is the state it rests on."""

    name: str
    category: Category
    language: str = ANY_LANGUAGE
    view: "TemplateView | None" = None
    tag: str = ""

    @property
    def template_id(self) -> str:
        """The id in the address of the page."""
        return NEW if self.view is None else self.view.version.template_id

    @property
    def path(self) -> str:
        """Where the layout stands in what is saved."""
        return f"contents.{self.language}.layout" if self.language else "layout"

    @property
    def languages(self) -> Sequence[str]:
        """Those in which the template says something else each."""
        return [each for each in self.view.version.contents if each] if self.view is not None else []

    @property
    def saved(self) -> Mapping[str, Any] | None:
        """The layout as it was saved; ``None`` where there is none yet."""
        return self.view.version.layouts.get(self.language) if self.view is not None else None

    def version(self, typed: LayoutTyped, before: "TemplateVersion | None" = None) -> NewVersion:
        """The version that is to be saved, in place of one ``before``."""
        layout = FromLayout(typed.document())
        version = before or (self.view.version if self.view is not None else None)
        if version is None:
            contents = {ANY_LANGUAGE: layout}
            return NewVersion(
                name=self.name, channel=Channel.EMAIL, category=self.category, variables={}, contents=contents
            )
        again = NewVersion.again(version)
        return replace(again, name=self.name, contents={**again.contents, self.language: layout})


def begin(visit: Visit) -> PageAnswer:
    """An editor of a layout that is not there yet."""
    return _editor(visit, Edited("", Category.MARKETING), typed_layout(_FIRST))


def show(visit: Visit, template_id: str) -> PageAnswer:
    """The editor of a template's layout; of its draft, if there is one."""
    edited = _found(visit, template_id, visit.request.query)
    typed = typed_layout(edited.saved or _FIRST)
    just = visit.request.query.one("done")
    if just == "saved":
        # Whoever has just saved is told what had better be mended.
        _check(visit, edited, typed)
    return _editor(visit, edited, typed, just=just)


def work_on_new(visit: Visit) -> PageAnswer:
    """What the form of a new layout asks for."""
    return work_on(visit, NEW)


def work_on(visit: Visit, template_id: str) -> PageAnswer:
    """What the form asks for."""
    form = visit.request.form
    edited, typed = _typed(visit, template_id)
    history, what = History.of(form.one("history"), typed), form.one("do")
    if what in _WENT:
        typed = (history.undo() if what == "undo" else history.redo()) or typed
        return _editor(visit, edited, typed, history, said=Done(_WENT[what], focus=what))
    if what == "test":
        return _tried(visit, edited, typed, history)
    if what in ("save", "autosave", "publish", "over"):
        return _saved(visit, edited, typed, history, what)
    said = done(typed, what, form)
    if said is not None:
        history.step(typed)
    elif what != "check":
        said = Done("layouts.stays")
    elif _check(visit, edited, typed):
        said = Done("layouts.is_right")
    status = HTTPStatus.OK if what != "check" or said is not None else HTTPStatus.UNPROCESSABLE_ENTITY
    return _editor(visit, edited, typed, history, status, said=said)


def show_in_frame(visit: Visit, template_id: str) -> PageAnswer:
    """The document of a frame: what stands in the form, as somebody made up would get it."""
    edited, typed = _typed(visit, template_id)
    try:
        asked = WhatToShow(variables={}, language=edited.language or None)
        shown = visit.behind.preview_template.unsaved(visit.business_id, edited.version(typed), asked)
    except InvalidInputError as error:
        _tell(edited, typed, error.errors)
        return framed_flaws([visit.words("layouts.no_preview"), "", *(said for _, said in _flaws(visit, typed))])
    return framed(shown.html or "")


def show_style(visit: Visit) -> PageAnswer:
    """The document of a frame: an email in the style that stands in the settings' form."""
    form = visit.request.form

    def words(key: str) -> str:
        return str(visit.words(key))

    names = (*(each.name for each in STYLE), *WEB_FONT)
    style = style_of({name: form.one(f"layout_style.{name}") for name in names})
    said = [
        {"kind": "heading", "text": words("layouts.style_heading")},
        {"kind": "text", "parts": read_typed(words("layouts.style_text"))["parts"]},
        {"kind": "button", "text": words("layouts.style_button"), "link": "https://example.com"},
        {"kind": "voucher", "title": words("layouts.kind.voucher"), "code": "ABC-123"},
    ]
    layout = FromLayout({"subject": "-", "style": style, "blocks": said})
    new = NewVersion(
        name="-", channel=Channel.EMAIL, category=Category.MARKETING, variables={}, contents={ANY_LANGUAGE: layout}
    )
    try:
        shown = visit.behind.preview_template.unsaved(visit.business_id, new, WhatToShow(variables={}))
    except InvalidInputError as error:
        named = [f"{_label_of_style(visit, each.field)}: {visit.words.said(each.message)}" for each in error.errors]
        return framed_flaws([words("layouts.no_preview"), "", *named])
    return framed(shown.html or "")


def _label_of_style(visit: Visit, field: str) -> str:
    """What the settings call the option of a style that something is wrong with."""
    key = f"settings.layout_style-{field.partition('style.')[2].replace('.', '-')}"
    return str(visit.words(key)) if visit.words.has(key) else field


def _found(visit: Visit, template_id: str, fields: Form) -> Edited:
    """What is worked on, as it was saved. Raises ``NotFoundError``."""
    if template_id == NEW:
        return Edited("", Category.MARKETING)
    view = visit.behind.template_service.latest(visit.business_id, template_id)
    version = view.version
    if version.channel is not Channel.EMAIL:
        raise NotFoundError("layout")
    usual = visit.business.language if visit.business is not None else ""
    wanted = (fields.one("language"), usual, *version.contents)
    language = next(each for each in wanted if each in version.contents)
    return Edited(version.name, version.category, language, view, view.template.tag)


def _typed(visit: Visit, template_id: str) -> tuple[Edited, LayoutTyped]:
    """What is worked on, as the form has it; it rests on the state from which the form was made."""
    form = visit.request.form
    edited = _found(visit, template_id, Form({"language": form.all("at_language")}))
    edited.name, edited.tag = form.one("name"), form.one("tag")
    if edited.view is None and form.one("category") in set(Category):
        edited.category = Category(form.one("category"))
    return edited, read_form(form)


def _check(visit: Visit, edited: Edited, typed: LayoutTyped) -> bool:
    """Write to a layout what is wrong with it, or what had better be mended; whether it can be saved."""
    asked = WhatToShow(variables={}, language=edited.language or None)
    try:
        shown = visit.behind.preview_template.unsaved(visit.business_id, edited.version(typed), asked)
        _check_name(edited)
    except InvalidInputError as error:
        _tell(edited, typed, error.errors)
        return False
    _tell(edited, typed, shown.warnings, is_warning=True)
    return True


def _check_name(edited: Edited) -> None:
    if not 0 < len(edited.name) <= MAX_NAME:
        raise InvalidInputError(FieldError("name", f"Must have 1 to {MAX_NAME} characters."))


def _tell(edited: Edited, typed: LayoutTyped, errors: Sequence[FieldError], *, is_warning: bool = False) -> None:
    for each in errors:
        _, is_ours, within = each.field.partition(f"{edited.path}.")
        is_known = is_ours or each.field in ("name", edited.path)
        message = each.message if is_known else f"{each.field}: {each.message}"
        typed.tell(within if is_ours else each.field if each.field == "name" else "", message, is_warning=is_warning)


def _flaws(visit: Visit, typed: LayoutTyped) -> list[tuple[str, str]]:
    """All that is wrong, each with the block that it is about, behind the place to mend it."""
    words = visit.words
    said = [("about", words.said(each)) for several in typed.wrong.values() for each in several]
    for place, block in typed.placed():
        where = f"{words(f'layouts.kind.{block.kind}')} {_number_of(place)}"
        said += [(place, f"{where}: {words.said(each)}") for several in block.wrong.values() for each in several]
    return said


def _number_of(place: str) -> str:
    """The number of a block as people count."""
    return ".".join(str(int(each) + 1) for each in place.split(".")[1:])


def _saved(visit: Visit, edited: Edited, typed: LayoutTyped, history: History, what: str) -> PageAnswer:
    """Save the draft, and perhaps publish it; what cannot be saved stays in the form."""
    service, business_id = visit.behind.template_service, visit.business_id
    if what == "over":
        edited.tag = visit.request.form.one("theirs")
    try:
        _check_name(edited)
        if edited.view is None:
            template_id = f"{_NO_LETTERS.sub('-', edited.name.lower()).strip('-')[:40] or 'email'}-{uuid4().hex[:6]}"
            new = replace(edited.version(typed), is_draft=True)
            view = service.put(business_id, template_id, new, Expected(is_new=True))
        else:
            template_id, expected = edited.template_id, Expected((edited.tag,))
            view = service.change(
                business_id, template_id, lambda before: edited.version(typed, before), expected, is_draft=True
            )
        if what == "publish":
            service.publish(business_id, template_id, Expected((view.template.tag,)))
    except InvalidInputError as error:
        _tell(edited, typed, error.errors)
        return _editor(visit, edited, typed, history, HTTPStatus.UNPROCESSABLE_ENTITY)
    except ChangedMeanwhileError:
        theirs = service.get(business_id, edited.template_id).template.tag
        return _editor(visit, edited, typed, history, HTTPStatus.CONFLICT, theirs=theirs)
    deed = Deed.TEMPLATE_PUBLISHED if what == "publish" else Deed.TEMPLATE_DRAFT_SAVED
    visit.did(deed, of=template_id, name=edited.name, once=what == "autosave")
    if visit.request.by_script and edited.view is not None:
        _tell(edited, typed, view.warnings, is_warning=True)
        edited.view, edited.tag = view, view.template.tag
        return _editor(visit, edited, typed, history, just="saved", said=Done("layouts.saved", focus="save"))
    return _see(visit, template_id, edited, "published" if what == "publish" else "saved")


def _see(visit: Visit, template_id: str, edited: Edited, just: str) -> PageAnswer:
    language = {"language": edited.language} if edited.language else {}
    return see(visit.request.link("layouts", template_id, query={**language, "done": just}))


def _tried(visit: Visit, edited: Edited, typed: LayoutTyped, history: History) -> PageAnswer:
    """Send what stands in the form to whoever asks."""
    status, said = HTTPStatus.UNPROCESSABLE_ENTITY, None
    try:
        visit.behind.send_template_test.unsaved(
            visit.business_id, edited.version(typed), edited.language, visit.me.email
        )
    except InvalidInputError as error:
        _tell(edited, typed, error.errors)
    except (ConflictError, TooSoonError) as error:
        typed.tell("", str(error))
        status = HTTPStatus.CONFLICT
    else:
        visit.did(Deed.TEMPLATE_TEST_SENT, name=edited.name)
        status, said = HTTPStatus.OK, Done("layouts.tried", {"email": visit.me.email}, "test")
    return _editor(visit, edited, typed, history, status, said=said)


def _editor(
    visit: Visit,
    edited: Edited,
    typed: LayoutTyped,
    history: History | None = None,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    said: Done | None = None,
    just: str = "",
    theirs: str | None = None,
) -> PageAnswer:
    filled = dict(said.filled) if said is not None else {}
    if "kind" in filled:
        filled["kind"] = visit.words(f"layouts.kind.{filled['kind']}")
    declared = () if edited.view is None else tuple(edited.view.version.variables)
    return visit.page(
        "layouts",
        status,
        edited=edited,
        typed=typed,
        history=history or History(typed.document()),
        can_edit=visit.may(Right.EDIT_TEMPLATES),
        said=visit.words(said.words, **filled) if said is not None else "",
        focus=said.focus if said is not None else "",
        just=just,
        theirs=theirs,
        flaws=_flaws(visit, typed),
        kinds=tuple(INPUTS),
        in_columns=IN_COLUMNS,
        inputs=INPUTS,
        networks=NETWORKS,
        style=STYLE,
        fonts=FONTS,
        web_font=WEB_FONT,
        top=TOP,
        number_of=_number_of,
        categories=tuple(Category),
        all_languages=LANGUAGES,
        variables=tuple(dict.fromkeys((*declared, *variables_of_bodies(edited.category)))),
        is_fresh=visit.request.method == "GET",
    )
