"""Deleting many customers at once: those who were chosen, or all that were found, once somebody types how many."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from rebound.console.http.customers import asked_in, pairs_of, show_list, wanted_by
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.typed import confirms, whole_number
from rebound.console.http.visits import Visit
from rebound.jobs.domain import COUNT, DELETED, FAILED, FROZEN, SKIPPED, STANDING, JobKind
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.kernel.ids import CUSTOMER_IDS
from rebound.segments.domain.selections import CustomerFilter

_MOST: Final = 10**9
MOST_NAMED: Final = 1000
"""Of those who were found; of more the page has a mark, and nobody is deleted unless it is still that of all."""
_MARK: Final = re.compile(r"[0-9]{1,60}")


def ask(visit: Visit) -> PageAnswer:
    """How many would be deleted, and whether that is meant."""
    form = visit.request.form
    # What the button beside the boxes says, or the one below the list.
    chosen = form.all("customer") if form.one("of") == "chosen" else []
    if form.one("of") == "chosen" and not chosen:
        return show_list(visit, wrong=[visit.words("customers_cleaned.choose_some")])
    return _question(visit, asked_in(form), chosen)


def begin(visit: Visit) -> PageAnswer:
    """Begin when the number is right."""
    form = visit.request.form
    asked, chosen, typed = asked_in(form), form.all("customer"), form.one("number")
    named = _ids(chosen or form.all("found"))
    count = len(named) if named else whole_number(form.one("count"), _MOST)
    mark = int(form.one("mark")) if _MARK.fullmatch(form.one("mark")) else None
    if count is None or not confirms(typed, count) or (not named and mark is None):
        return _question(visit, asked, chosen, typed=typed, is_wrong=True)
    # Of those who were found only who was named on the page goes, and only who is still one of them.
    wanted = CustomerFilter() if chosen else wanted_by(visit, asked)
    request = f"console#clean-up#{form.one('once')}"
    begun = visit.behind.bulk_delete(
        visit.business_id, wanted, named or None, count, request, by=visit.me.email, mark=None if named else mark
    )
    visit.did(of=begun.job.job_id, number=str(count), once=True)
    return see(visit.request.link("customers", "clean-up", begun.job.job_id))


def show(visit: Visit, job_id: str) -> PageAnswer:
    """How far it is, and what became of it."""
    view = visit.behind.job_service.get(visit.business_id, job_id)
    job, counts = view.job, view.counts[-1]
    if job.kind is not JobKind.BULK_DELETE:
        raise NotFoundError("job")
    return visit.page(
        "customers_cleaning",
        job=job,
        is_over=job.status in STANDING,
        total=view.counts[0].get(FROZEN, 0),
        deleted=counts.get(DELETED, 0),
        left={
            name.removeprefix(SKIPPED): number
            for name, number in counts.items()
            if name == FAILED or name.startswith(SKIPPED)
        },
    )


def _ids(given: Sequence[str]) -> list[str]:
    return [each for each in dict.fromkeys(given) if CUSTOMER_IDS.fullmatch(each)]


def _question(
    visit: Visit,
    asked: Mapping[str, str],
    chosen: Sequence[str],
    *,
    typed: str = "",
    is_wrong: bool = False,
) -> PageAnswer:
    said: str | None = None
    count: int | None = len(_ids(chosen))
    found: Sequence[str] = ()
    mark: int | None = None
    if not chosen and not pairs_of(asked):
        said = visit.words("customers_cleaned.narrow")
    elif not chosen:
        try:
            counted = visit.behind.count_customers.counted(visit.business_id, wanted_by(visit, asked), MOST_NAMED)
        except InvalidInputError as error:
            said, counted = error.errors[0].message, None
        else:
            said = None if counted is not None else visit.words("customers_cleaned.too_many")
        count = None if counted is None else counted.counts.get(COUNT, 0)
        if counted is not None:
            found, mark = counted.customer_ids or (), counted.mark if counted.customer_ids is None else None
    if said is None and not count:
        said = visit.words("customers.none_found")
    words = visit.words
    return visit.page(
        "customers_clean_up",
        HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong or said is not None else HTTPStatus.OK,
        said=said,
        count=count or 0,
        asked_pairs=pairs_of(asked),
        chosen=chosen,
        found=found,
        mark=mark,
        typed=typed,
        once=visit.request.form.one("once") or visit.behind.ports.ids.ulid(visit.behind.ports.clock.now()),
        wrong={"number": [words("customers_cleaned.wrong", n=count or 0)]} if is_wrong else {},
    )
