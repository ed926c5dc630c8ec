"""Waivers that customers sign: how they stand, and a form that posts a version of one."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.sequences.listed import just_done
from rebound.console.http.visits import Visit
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.sequences.domain.waivers import MAX_NOTE, MAX_URL, MAX_VERSION, WAIVER_ID, Posting

if TYPE_CHECKING:
    from rebound.sequences.domain.waivers import Waiver

_NOTE: Final = "said"
"""The field of the note; every page has another element of that name."""
_LIMITS: Final = {"version": MAX_VERSION, _NOTE: MAX_NOTE, "url": MAX_URL}
_FIELDS: Final = ("waiver_id", *_LIMITS)


def show_list(visit: Visit) -> PageAnswer:
    """All of them, by id, and the form for a new one."""
    return _list(visit)


def post_new(visit: Visit) -> PageAnswer:
    """Post the first version of a new one."""
    waiver_id = visit.request.form.one("waiver_id").strip()
    wrong: Mapping[str, Sequence[str]] = {}
    if not re.fullmatch(WAIVER_ID, waiver_id):
        wrong = {"waiver_id": [visit.words("waivers.id_wrong")]}
    found = None if wrong else _found(visit, waiver_id)
    version = visit.request.form.one("version").strip()
    if found is not None and found.called(version) is None:
        return _list(visit, HTTPStatus.CONFLICT, {"waiver_id": [visit.words("waivers.id_taken")]})
    wrong, status = _post(visit, waiver_id, found, wrong)
    return _list(visit, status, wrong) if wrong else _onwards(visit, waiver_id)


def show(visit: Visit, waiver_id: str) -> PageAnswer:
    """Its versions with who was asked and who has signed, and the form for another one."""
    return _page(visit, waiver_id)


def post(visit: Visit, waiver_id: str) -> PageAnswer:
    """Post another version. Raises ``NotFoundError``."""
    wrong, status = _post(visit, waiver_id, visit.behind.ports.waivers.get(visit.business_id, waiver_id), {})
    return _page(visit, waiver_id, status, wrong) if wrong else _onwards(visit, waiver_id)


def show_short(visit: Visit, waiver_id: str) -> PageAnswer:
    """How the newest version stands, for the list, which asks for each of its lines once it is seen."""
    return visit.page("waiver_short", **_standing(visit, waiver_id))


def _found(visit: Visit, waiver_id: str) -> "Waiver | None":
    try:
        return visit.behind.ports.waivers.get(visit.business_id, waiver_id)
    except NotFoundError:
        return None


def _post(
    visit: Visit, waiver_id: str, before: "Waiver | None", wrong: Mapping[str, Sequence[str]]
) -> tuple[Mapping[str, Sequence[str]], HTTPStatus]:
    """Post what the form has, unless something is ``wrong``; what is wrong then, by field, and how it is answered."""
    form, found = visit.request.form, dict(wrong)
    if form.one("sure") != "1":
        found["sure"] = [visit.words("waivers.sure_wrong")]
    try:
        posting = Posting.read(form.one("version"), form.one("said").replace("\r\n", "\n"), form.one("url"))
        if found:
            return found, HTTPStatus.UNPROCESSABLE_ENTITY
        counts_now = visit.behind.waiver_service.post(visit.business_id, waiver_id, posting).current
    except InvalidInputError as error:
        named = {_NOTE if field == "note" else field: said for field, said in visit.wrong(error).items()}
        return {**found, **named}, HTTPStatus.UNPROCESSABLE_ENTITY
    except ConflictError as error:
        return {"version" if before is not None else "waiver_id": [str(error)]}, HTTPStatus.CONFLICT
    if counts_now.version != posting.version:
        # Known, and changed nothing: a later one counts.
        return {"version": [visit.words("waivers.version_earlier")]}, HTTPStatus.CONFLICT
    visit.did(of=waiver_id, name=waiver_id, once=True, version=posting.version)
    return {}, HTTPStatus.SEE_OTHER


def _onwards(visit: Visit, waiver_id: str) -> PageAnswer:
    return see(visit.request.link("waivers", waiver_id, query={"done": "posted"}))


def _list(
    visit: Visit, status: HTTPStatus = HTTPStatus.OK, wrong: Mapping[str, Sequence[str]] | None = None
) -> PageAnswer:
    rows = visit.behind.waiver_service.all(visit.business_id)
    return visit.page("waivers", status, rows=rows, **_form(visit, wrong))


def _page(
    visit: Visit, waiver_id: str, status: HTTPStatus = HTTPStatus.OK, wrong: Mapping[str, Sequence[str]] | None = None
) -> PageAnswer:
    done = just_done(visit, ("posted",))
    return visit.page("waiver", status, done=done, **_standing(visit, waiver_id), **_form(visit, wrong))


def _standing(visit: Visit, waiver_id: str) -> Mapping[str, Any]:
    return {"view": visit.behind.waiver_service.get(visit.business_id, waiver_id)}


def _form(visit: Visit, wrong: Mapping[str, Sequence[str]] | None) -> Mapping[str, Any]:
    """What was typed, with what is wrong with it."""
    form = visit.request.form
    return {"typed": {name: form.one(name) for name in _FIELDS}, "limits": _LIMITS, "wrong": wrong or {}}
