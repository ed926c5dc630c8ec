"""Imports: a file is brought, its columns are looked at, it is imported, and what is wrong with it is told by line."""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from rebound.console.http.rendering import policy
from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.console.http.words import LANGUAGES, Words
from rebound.customers.domain import PROFILE, REQUIRED_FIELDS, Kind, fields_of
from rebound.imports_exports.application.bring_file import DATE_FORMATS, FileHead, dates_written
from rebound.imports_exports.application.customer_files import ID_COLUMN, READ_COLUMNS, is_opt_out_list, plain_name
from rebound.imports_exports.application.file_lines import UnreadableFileError
from rebound.imports_exports.domain import BadRow, ImportOptions
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.kernel.ids import ULIDS

PAGE: Final = 25
MOST_SHOWN: Final = 100
"""Problems of each kind; the file has all."""
ENDED: Final = ("completed", "failed")
LINK_LASTS: Final = timedelta(minutes=1)
"""A link to a file is made when somebody follows it."""
FIELDS: Final = (*READ_COLUMNS, ID_COLUMN)
"""What a column can be."""
MATCHED: Final = ("email", "mobile_phone")
DATES: Final = fields_of(Kind.DATE)
PROTECTED: Final = ("edited", "nothing", "chosen")


class ShownProblem(Struct, frozen=True):
    """What is wrong with a line."""

    line: int
    field: str
    message: str


def show_list(visit: Visit) -> PageAnswer:
    """The imports, newest first."""
    found = visit.behind.start_import.newest(visit.business_id, PAGE + 1, before(visit))
    return visit.page("imports", rows=found[:PAGE], before=found[PAGE - 1].import_id if len(found) > PAGE else None)


def before(visit: Visit) -> str | None:
    """The id that a list goes on behind."""
    given = visit.request.query.one("before")
    return given if ULIDS.fullmatch(given) else None


def begin(visit: Visit) -> PageAnswer:
    """The form that takes a file, straight to where files are kept: an API takes none of this size, nor other bytes."""
    draft_id = visit.behind.bring_file.new_id()
    then = f"{visit.behind.ports.console_url(visit.request.api_id)}/imports/new/{draft_id}"
    form = visit.behind.bring_file.form(visit.business_id, draft_id, then)
    answer = visit.page("imports_new", form=form)
    return replace(answer, headers={"Content-Security-Policy": policy(_origin(form.url), _origin(then))})


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def look(visit: Visit, draft_id: str) -> PageAnswer:
    """The columns of a file that was brought, with what each is taken for."""
    if "key" in visit.request.query:
        # S3 adds where it has put the file.
        return see(visit.request.link("imports", "new", draft_id))
    if visit.behind.bring_file.is_imported(visit.business_id, draft_id):
        return see(visit.request.link("imports", draft_id))
    return _columns(visit, draft_id, Form())


def start(visit: Visit, draft_id: str) -> PageAnswer:
    """Import the file as the form says; sent twice it is one import."""
    form = visit.request.form
    try:
        job = visit.behind.bring_file(visit.business_id, draft_id, _options(form), visit.me.email)
    except InvalidInputError as error:
        wrong = visit.wrong(error)
        if "columns" in wrong:
            wrong["columns"] = _wrong_columns(visit, form) or wrong["columns"]
        return _columns(visit, draft_id, form, HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
    visit.did(of=job.import_id, once=True)
    return see(visit.request.link("imports", job.import_id))


def show(visit: Visit, import_id: str) -> PageAnswer:
    """How far an import is, and what became of its rows."""
    view = visit.behind.start_import.get(visit.business_id, import_id, MOST_SHOWN + 1)
    summary = sorted(view.problems.items(), key=lambda item: (item[0].kind, -item[1], item[0]))
    errors, warnings = (
        _by_line(visit, rows, which) for rows, which in ((view.bad_rows, "errors"), (view.incomplete_rows, "warnings"))
    )
    return visit.page(
        "imports_one",
        job=view.job,
        counts=view.counts,
        is_over=view.job.status in ENDED,
        summary=[(problem.kind, _label(visit, problem.field), problem.reason, count) for problem, count in summary],
        errors=errors[:MOST_SHOWN],
        warnings=warnings[:MOST_SHOWN],
        are_all=max(len(errors), len(warnings)) <= MOST_SHOWN,
        files=[name for name in ("errors", "result") if name in view.downloads],
    )


def download(visit: Visit, import_id: str, name: str) -> PageAnswer:
    """A file about an import, by a link that soon ends."""
    url = visit.behind.start_import.file_url(visit.business_id, import_id, name, LINK_LASTS)
    if url is None:
        raise NotFoundError("import file")
    return see(url)


def _by_line(visit: Visit, rows: Sequence[BadRow], which: str) -> Sequence[ShownProblem]:
    return [
        ShownProblem(row.line, _label(visit, problem.field), problem.message)
        for row in rows
        for problem in getattr(row, which)
    ]


def _label(visit: Visit, field: str) -> str:
    """What people call a field; what has no name of its own stays as the file has it."""
    return next(
        (visit.words(key) for key in (f"imports.column_{field}", f"field.{field}") if visit.words.has(key)), field
    )


def _chosen(form: Form) -> Mapping[str, str | None]:
    """What each column of the file is to be."""
    fields = [form.one(f"field.{index}") for index in range(len(form.all("column")))]
    return {name: field if field in FIELDS else None for name, field in zip(form.all("column"), fields, strict=True)}


def _wrong_columns(visit: Visit, form: Form) -> list[str]:
    """Why the columns will not do, in the page's words; none where it is for another reason."""
    chosen = [field for field in _chosen(form).values() if field]
    twice = {field: None for field in chosen if chosen.count(field) > 1}
    lacking = [] if is_opt_out_list(chosen) else [name for name in REQUIRED_FIELDS if name not in chosen]
    return [
        *(visit.words("imports.twice", field=_label(visit, name)) for name in twice),
        *(visit.words("imports.lacks", field=_label(visit, name)) for name in lacking),
    ]


@cache
def _named() -> Mapping[str, str]:
    """The fields by what the console calls them, in any of its languages: so lists of people often do."""
    return {
        plain_name(words(f"field.{name}")): name
        for words in map(Words, LANGUAGES)
        for name in FIELDS
        if words.has(f"field.{name}")
    }


def _options(form: Form) -> ImportOptions:
    protects = form.one("protect")
    return ImportOptions(
        columns=_chosen(form),
        clears=form.one("clears") == "1",
        date_format=form.given("date_format"),
        match_by=tuple(name for name in MATCHED if name in form.all("match_by")),
        protect=None
        if protects not in ("nothing", "chosen")
        else tuple(form.all("kept") if protects == "chosen" else ()),
    )


def _columns(
    visit: Visit,
    draft_id: str,
    form: Form,
    status: HTTPStatus = HTTPStatus.OK,
    wrong: Mapping[str, Sequence[str]] | None = None,
) -> PageAnswer:
    """The page that asks what each column is; ``form`` has what somebody has said already."""
    head, unreadable = FileHead("csv", ()), None
    try:
        head = visit.behind.bring_file.look(visit.business_id, draft_id)
    except UnreadableFileError as error:
        status, unreadable = HTTPStatus.UNPROCESSABLE_ENTITY, str(error)
    except NotFoundError:
        status, unreadable = HTTPStatus.NOT_FOUND, visit.words("imports.not_there")
    chosen = [
        form.one(f"field.{index}") if form.values else column.field or _named().get(plain_name(column.name), "")
        for index, column in enumerate(head.columns)
    ]
    found = wrong or {}
    dates = [
        value for column, name in zip(head.columns, chosen, strict=True) if name in DATES for value in column.values
    ]
    way, example = dates_written(dates, visit.behind.ports.clock.now().date())
    return visit.page(
        "imports_columns",
        status,
        draft_id=draft_id,
        unreadable=unreadable,
        columns=list(zip(head.columns, chosen, strict=True)),
        fields=[(name, _label(visit, name)) for name in FIELDS],
        wrong={name: found[name] for name in ("date_format",) if name in found},
        said=[each for name, several in found.items() if name != "date_format" for each in several],
        form=form,
        is_new=not form.values,
        date_format=form.one("date_format") if form.values else way or "",
        unclear=None if form.values or way else example,
        date_formats=DATE_FORMATS,
        matched=MATCHED,
        protected=PROTECTED,
        protect=form.one("protect") or "edited",
        kept=[(name, _label(visit, name)) for name in PROFILE],
    )
