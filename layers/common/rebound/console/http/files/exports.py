"""Exports: files of customers, made in the background and kept for some days."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from rebound.console.http.customers import MOST_SEGMENTS, asked_in, wanted_by
from rebound.console.http.files.imports import ENDED, LINK_LASTS, PAGE, before
from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.kernel.errors import InvalidInputError, NotFoundError

FORMATS: Final = ("csv", "jsonl")


def show_list(visit: Visit) -> PageAnswer:
    """The exports, newest first, and the form for another."""
    return _page(visit, Form())


def start(visit: Visit) -> PageAnswer:
    """Have a file made of those whom the form names."""
    form = visit.request.form
    format_ = form.one("format")
    if format_ not in FORMATS:
        wrong = {"format": [visit.words("exports.format_wrong")]}
        return _page(visit, form, HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
    try:
        wanted = wanted_by(visit, asked_in(form))
        begun = visit.behind.start_export(visit.business_id, format_, wanted, by=visit.me.email)
    except InvalidInputError as error:
        return _page(visit, form, HTTPStatus.UNPROCESSABLE_ENTITY, {"": [each.message for each in error.errors]})
    visit.did(of=begun.job.export_id)
    return see(visit.request.link("exports", begun.job.export_id))


def show(visit: Visit, export_id: str) -> PageAnswer:
    """How far an export is, and its file."""
    view = visit.behind.start_export.get(visit.business_id, export_id)
    return visit.page(
        "exports_one",
        job=view.job,
        is_over=view.job.status in ENDED,
        is_there=view.download_url is not None,
        expires_at=view.expires_at,
    )


def download(visit: Visit, export_id: str) -> PageAnswer:
    """The file, by a link that soon ends and that no page shows."""
    url = visit.behind.start_export.file_url(visit.business_id, export_id, LINK_LASTS)
    if url is None:
        raise NotFoundError("export file")
    return see(url)


def _page(
    visit: Visit,
    form: Form,
    status: HTTPStatus = HTTPStatus.OK,
    wrong: Mapping[str, Sequence[str]] | None = None,
) -> PageAnswer:
    found = visit.behind.start_export.newest(visit.business_id, PAGE + 1, before(visit))
    return visit.page(
        "exports",
        status,
        rows=found[:PAGE],
        before=found[PAGE - 1].export_id if len(found) > PAGE else None,
        asked=asked_in(form),
        failures=FAILED_VALUES,
        format=form.one("format") or "csv",
        formats=FORMATS,
        segments=visit.behind.segment_service.page(visit.business_id, MOST_SEGMENTS, None).items,
        wrong=wrong or {},
    )
