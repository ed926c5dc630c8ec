"""Listing and counting the customers that match a filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct, convert, to_builtins
from msgspec.structs import asdict

from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.customers.application.customer_service import views_of
from rebound.customers.application.finding import read_typed
from rebound.customers.domain import SORTS, Customer, Question, has_failed
from rebound.jobs.application.run_job import beyond, completed
from rebound.jobs.domain import COUNT, LOOKED_AT, Job, JobProgress
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError
from rebound.kernel.ids import bounds
from rebound.kernel.pages import Page, not_a_cursor, read_bound_cursor, write_bound_cursor
from rebound.segments.application.matching import among, by_pages
from rebound.segments.application.reading_once import ReadOnce
from rebound.segments.domain.selections import CustomerFilter

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.application.customer_service import CustomerView
    from rebound.customers.domain import PageMatcher
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.ports import JobLedger
    from rebound.platform.ports import Clock
    from rebound.segments.domain.matching import Moment


DIRECTIONS: Final = ("asc", "desc")


class Order(Struct, frozen=True):
    """What a list is sorted by (``SORTS``), and which way."""

    sort: str
    descending: bool = False


def read_order(sort: str | None, direction: str | None) -> Order | None:
    """The order that is asked for; ``None`` for none. Raises ``InvalidInputError``."""
    if sort is None:
        if direction is not None:
            raise InvalidInputError(FieldError("order", "Is for a list with sort."))
        return None
    if sort not in SORTS:
        raise InvalidInputError(FieldError("sort", f"Must be one of {', '.join(SORTS)}."))
    if direction is not None and direction not in DIRECTIONS:
        raise InvalidInputError(FieldError("order", f"Must be one of {', '.join(DIRECTIONS)}."))
    return Order(sort, direction == "desc")


FEW: Final = 50
"""Customers of whom one request reads all contacts."""
LOOKS: Final = (51, 150, 1_000)
"""Customers whom each request reads where little else is read: many filters match most, and a page is full at once."""
INDEX_LOOKS: Final = 2
"""Requests for rows of the index and for their customers."""


class ShortPage(Page["CustomerView"], frozen=True):
    """A page of a list that looks at some customers only; at ``looked_at``, where it is short and goes on."""

    looked_at: int | None = None


class ListCustomers(Struct, frozen=True, kw_only=True):
    """Lists the customers of one business at a time.

    What is asked alone of failed contacts, of what somebody typed, or of an order, an index answers. Everything else is
    looked for among all customers, as is everything while a business's index is not filled yet.
    """

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    businesses: BusinessDirectory

    def __call__(
        self,
        business_id: str,
        wanted: CustomerFilter,
        *,
        limit: int,
        cursor: str | None = None,
        order: Order | None = None,
        business: Business | None = None,
    ) -> Page[CustomerView]:
        """The customers that match; sorted as asked, else in an order that means nothing.

        ``business`` has its settings, where they are known. What is asked of a location alone, or beside what the index
        answers, is answered by who was at the location, or by the index: there ``q`` finds by beginnings.

        Raises ``InvalidInputError`` when the filter is wrong, and ``ConflictError`` when the index that sorts them is
        not filled yet.
        """
        matching = by_pages(wanted.compiled(), self.contacts, self.summaries)
        if order is not None and wanted.q:
            raise InvalidInputError(FieldError("sort", "Cannot be given with q, which finds in an order of its own."))
        business = business or self.businesses.get(business_id)
        if order is not None and not business.customers_indexed:
            raise ConflictError(
                "index_not_filled", "Customers can be sorted once all of them are in the index, which takes a while."
            )
        page = self._page(business, wanted, matching, limit, cursor, order)
        return Page(views_of(page.items, self.contacts, business), page.next_cursor)

    def in_few_requests(
        self, business: Business, wanted: CustomerFilter, *, limit: int, cursor: str | None = None
    ) -> ShortPage:
        """The same in an order that means nothing, in at most four requests; five where what they did is asked.

        So pages of a filter that few match are short or empty, and go on. ``limit`` is at most 50.
        """
        matcher = wanted.compiled()
        asks_more = bool(matcher.channels) or matcher.asks_activity
        contacts = cast("ContactBook", ReadOnce(self.contacts))
        once = replace(self, contacts=contacts)
        matching = by_pages(matcher, contacts, self.summaries)
        looks = [FEW] if asks_more else list(LOOKS)
        # Rows of the index are read by the hundred: too many to ask for all that is known of each.
        is_light = not (matcher.channels and matcher.asks_activity)
        if business.customers_indexed and wanted.failed is not None and not wanted.q and is_light:
            requests = INDEX_LOOKS if asks_more else INDEX_LOOKS + 1
            question = Question(failed=wanted.failed)
            is_all = wanted == CustomerFilter(failed=wanted.failed)
            page = self.customers.find(
                business.business_id,
                question,
                limit=limit,
                cursor=cursor,
                matching=None if is_all else matching,
                requests=requests,
            )
            return ShortPage(views_of(page.items, contacts, business), page.next_cursor)
        page = once._page(business, wanted, matching, limit, cursor, None, looks)  # noqa: SLF001 - its own kind
        is_short = page.next_cursor is not None and len(page.items) < limit
        looked_at = sum(looks) if is_short else None
        return ShortPage(views_of(page.items, contacts, business), page.next_cursor, looked_at)

    def _page(
        self,
        business: Business,
        wanted: CustomerFilter,
        matching: PageMatcher,
        limit: int,
        cursor: str | None,
        order: Order | None,
        looks: Sequence[int] | None = None,
    ) -> Page[Customer]:
        business_id = business.business_id
        if wanted.is_everybody and order is None:
            return self.customers.page(business_id, limit=limit, cursor=cursor)
        # Whatever a saved segment is by then: it may be changed while its list is read.
        asked = str(replace(wanted, segment=None, as_of=None))
        at = CustomerFilter(location_id=wanted.location_id, as_of=wanted.as_of)
        if wanted.location_id is not None and order is None and wanted == at:
            return self._at_location(business_id, wanted.location_id, wanted.as_of, limit, cursor, asked)
        scanned = _scanned(cursor, asked)
        question = _question(wanted, order) if business.customers_indexed else None
        if question is not None and scanned is None:
            also = matching if order is not None and not wanted.is_everybody else None
            if wanted.location_id is not None and order is None:
                also = by_pages(at.compiled(), self.contacts, self.summaries)
            # Of customers who are asked where they were, a request more reads what they did.
            few = INDEX_LOOKS if also is not None and looks is not None else None
            return self.customers.find(business_id, question, limit=limit, cursor=cursor, matching=also, requests=few)
        if scanned is None and cursor is not None:
            raise not_a_cursor()
        page = self.customers.page(business_id, limit=limit, cursor=scanned, matching=matching, looks=looks)
        more = page.next_cursor
        return Page(page.items, None if more is None else write_bound_cursor(asked, more))

    def _at_location(
        self, business_id: str, location_id: str, as_of: Moment | None, limit: int, cursor: str | None, asked: str
    ) -> Page[Customer]:
        """Who visited a location or has a booking there: two requests at any size. A page may be short."""
        if as_of is None:
            raise ValueError("the list asks for a day, and was fixed for none")
        after = read_bound_cursor(cursor, asked)
        size = limit * ROWS_OF_ONE
        placed = self.summaries.at_location(business_id, location_id, after, size)
        there = [each for each in placed if each.until is None or each.until >= as_of.now]
        shown = there[:limit]
        found = self.customers.get_many(business_id, [each.customer_id for each in shown], as_of_now=True)
        last = shown[-1] if len(there) > limit else placed[-1] if len(placed) == size else None
        more = None if last is None else write_bound_cursor(asked, last.customer_id)
        return Page([found[each.customer_id] for each in shown if each.customer_id in found], more)


ROWS_OF_ONE: Final = 4
"""Rows of a location that are read for a customer of a page: some had a booking there that is over, and no visit."""


def _scanned(cursor: str | None, asked: str) -> str | None:
    """The cursor of a list that looks at all customers; one that was begun before the index was filled goes on so."""
    try:
        return read_bound_cursor(cursor, asked)
    except InvalidInputError:
        return None


def _question(wanted: CustomerFilter, order: Order | None) -> Question | None:
    """What the index is asked; ``None`` where it does not know the answer."""
    if order is not None:
        return Question(sort=order.sort, descending=order.descending)
    if wanted.location_id is not None:
        wanted = replace(wanted, location_id=None, as_of=None)
    if wanted == CustomerFilter(failed=wanted.failed):
        return Question(failed=wanted.failed)
    if wanted.q and wanted == CustomerFilter(q=wanted.q):
        typed = read_typed(wanted.q)
        return Question(typed=typed) if typed.is_by_beginnings else None
    return None


PAGE: Final = 500
"""Customers in memory at a time."""
LONGEST_COUNT: Final = timedelta(seconds=20)
"""How long a count may take; the API gateway waits 29 seconds."""


class Counted(Struct, frozen=True):
    """``counts`` as of a job that counts, and who was counted, by id; ``None`` where they are too many to name.

    ``mark`` is that of all who were counted, however many they are: see ``mark_of``.
    """

    counts: Mapping[str, int]
    customer_ids: Sequence[str] | None
    mark: int


class CountCustomers(Struct, frozen=True, kw_only=True):
    """Counts the customers of a filter within one request."""

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    clock: Clock
    longest: timedelta = LONGEST_COUNT

    def __call__(self, business_id: str, wanted: CustomerFilter) -> Mapping[str, int] | None:
        """``count``, and how many of these have which contacts failed; ``None`` when time runs out before the end.

        Raises ``InvalidInputError`` when the filter is wrong.
        """
        counted = self.counted(business_id, wanted, 0)
        return None if counted is None else counted.counts

    def counted(self, business_id: str, wanted: CustomerFilter, most: int) -> Counted | None:
        """The same, with the ids of who was counted where these are at most ``most``."""
        matcher = wanted.compiled()
        ids: list[str] = []
        deadline = self.clock.now() + self.longest
        first, last = bounds(0, 1)
        counts: Counter[str] = Counter()
        after: str | None = None
        mark = 0
        while self.clock.now() < deadline:
            customers = self.customers.read_range(business_id, first, last, after, PAGE)
            matched = among(customers, matcher, self.contacts, self.summaries, consistent=False)
            counts.update(tally(customers, matched))
            mark += mark_of(matched)
            ids += [each.customer_id for each in matched[: max(0, most + 1 - len(ids))]]
            if len(customers) < PAGE:
                named = ids if len(ids) <= most and len(ids) == counts[COUNT] else None
                return Counted(counts, named, mark)
            after = customers[-1].customer_id
        return None


class CountingWork(Struct, frozen=True, kw_only=True):
    """Counts the customers of a filter as a job."""

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    ledger: JobLedger

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Count one page of customers."""
        customers = self.customers.read_range(job.business_id, *within, progress.cursor, PAGE)
        matched = among(customers, read_filter(job.request).compiled(), self.contacts, self.summaries, consistent=False)
        counts = tally(customers, matched)
        self.ledger.commit(beyond(progress, counts, next_after(customers)))

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:  # noqa: ARG002 - the counts are the result
        """Complete the job after its only phase."""
        return completed(job)


def next_after(customers: Sequence[Customer]) -> str | None:
    """The cursor that continues after a page; ``None`` when it was the last."""
    return customers[-1].customer_id if len(customers) == PAGE else None


def mark_of(customers: Iterable[Customer]) -> int:
    """What tells one set of customers from another: the sum of a hash of each id, 128 bits long.

    It is the same in whatever order, and by whatever pages, the customers are read; the marks of parts are added.
    """
    return sum(int(sha256(each.customer_id.encode()).hexdigest()[:32], 16) for each in customers)


def tally(customers: Sequence[Customer], matched: Sequence[Customer]) -> Mapping[str, int]:
    """The counts of one page."""
    return {LOOKED_AT: len(customers), COUNT: len(matched), **failed_among(matched)}


def failed_among(customers: Iterable[Customer]) -> Mapping[str, int]:
    """How many of the customers have which contacts failed (``FAILED_VALUES``)."""
    listed = list(customers)
    return {which: sum(has_failed(customer, which) for customer in listed) for which in FAILED_VALUES}


def write_filter(wanted: CustomerFilter) -> dict[str, Any]:
    """A filter as it is stored in the request of a job."""
    given = {name: value for name, value in asdict(wanted).items() if value is not None}
    return {**given, **{name: to_builtins(given[name]) for name in ("updated_since", "as_of") if name in given}}


def read_filter(request: Mapping[str, Any]) -> CustomerFilter:
    """The filter of a job's request."""
    return convert(request["wanted"], CustomerFilter)
