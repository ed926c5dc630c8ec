"""Previews what a send would do: while a request waits, or as a job when there are too many customers for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct, convert, field, to_builtins

from rebound.businesses.application.timing import FARTHEST_SCHEDULE, Timing
from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.customers.domain import Customer
from rebound.eligibility.application.audience import Foreseeing, Screening, matching, supposed_mailing
from rebound.eligibility.application.frequency_reservations import known_frequencies
from rebound.eligibility.application.pieces import Named, read_piece
from rebound.eligibility.application.shared_addresses import FindSharers
from rebound.eligibility.domain.eligibility import Decision, Hold
from rebound.jobs.application.run_job import beyond, completed
from rebound.jobs.domain import EXCLUDED, LOOKED_AT, MATCHED, OF_VARIANT, Job, JobProgress
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.ids import CUSTOMER_IDS, bounds
from rebound.kernel.pages import Page, read_cursor, write_cursor
from rebound.messages.application.load_content import loaded
from rebound.messages.domain.by_tier import parts_of
from rebound.messages.domain.mailing import Mailing, in_both_lists
from rebound.messages.domain.variants import Split, read_split, shares_alone, written_split
from rebound.segments.application.find_customers import LONGEST_COUNT, PAGE, next_after
from rebound.segments.application.reading_once import ReadOnce, ReadOnceOf
from rebound.segments.domain.matching import Moment
from rebound.segments.domain.selections import Selection, meant_by
from rebound.templates.domain.content import Said, read_said, written_said
from rebound.templates.domain.rendering import check_given
from rebound.templates.domain.variables import of_vouchers

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.application.audience import Selected
    from rebound.eligibility.ports import BulkDayBook, FrequencyBook
    from rebound.jobs.ports import JobLedger
    from rebound.platform.ports import Clock
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.templates.application.template_contents import TemplateContents

MOST_FORESEEN: Final = 5_000
"""For a business with more customers, whoever posts a campaign is not told at once whom it will reach: it takes some
seconds to look at so many, and whether there is an answer must not depend on how fast that goes."""


class Question(Struct, frozen=True):
    """Asks which customers that match ``filter`` would get a message of this category on this channel.

    ``filter`` has the segments that it names (``pinned``). ``segment_id`` names the saved segment that it comes from;
    some caps count messages of each segment apart. ``as_of`` is the moment at which the filter is asked, where a
    condition asks for it: when the message would start.
    Without ``content``, nobody is foreseen to be left out because of what the message says. ``contents`` is what is
    said to each loyalty tier in its place; templates in it say what is published when it is asked. ``customer_ids``
    are asked about in place of those who match. ``split`` is how they are divided, with the draws of its campaign.
    """

    filter: Mapping[str, Any]
    channel: Channel
    category: Category
    exclude_failed: bool = True
    include_customer_ids: frozenset[str] = frozenset()
    segment_id: str | None = None
    content: Said | None = None
    timing: Timing = field(default_factory=Timing)
    as_of: Moment | None = None
    exclude_customer_ids: frozenset[str] = frozenset()
    contents: Mapping[str, Said] | None = None
    customer_ids: tuple[str, ...] | None = None
    split: Split | None = None

    def supposed(self, business_id: str) -> Mailing:
        """The mailing to decide about, which is never sent."""
        return supposed_mailing(
            business_id,
            self.channel,
            self.category,
            selection=Selection(self.segment_id, self.filter, self.customer_ids, as_of=self.as_of),
            exclude_failed=self.exclude_failed,
            include_customer_ids=self.include_customer_ids,
            exclude_customer_ids=self.exclude_customer_ids,
            content=self.content,
            contents=self.contents,
            timing=self.timing,
            split=self.split,
        )

    def written(self) -> Mapping[str, Any]:
        """The question in the form in which a job's request stores it."""
        return {
            "filter": self.filter,
            "channel": self.channel,
            "category": self.category,
            "exclude_failed": self.exclude_failed,
            "include_customer_ids": sorted(self.include_customer_ids),
            "exclude_customer_ids": sorted(self.exclude_customer_ids),
            "segment_id": self.segment_id,
            "content": None if self.content is None else written_said(self.content),
            "timing": to_builtins(self.timing),
            "as_of": to_builtins(self.as_of),
            **self._written_of_campaign(),
        }

    def _written_of_campaign(self) -> Mapping[str, Any]:
        """What only campaigns have, where they have it."""
        given: dict[str, Any] = {"customer_ids": self.customer_ids}
        if self.contents is not None:
            given["contents"] = {tier: written_said(each) for tier, each in self.contents.items()}
        if self.split is not None:
            given["split"] = written_split(self.split)
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def read(cls, request: Mapping[str, Any]) -> Question:
        """The question that a job's request stores."""
        content, contents, listed, split = (
            request.get(name) for name in ("content", "contents", "customer_ids", "split")
        )
        read: dict[str, Any] = {
            "channel": Channel(request["channel"]),
            "category": Category(request["category"]),
            "include_customer_ids": frozenset(request["include_customer_ids"]),
            "exclude_customer_ids": frozenset(request.get("exclude_customer_ids", ())),
            "content": None if content is None else read_said(content),
            "contents": None if contents is None else {tier: read_said(each) for tier, each in contents.items()},
            "customer_ids": None if listed is None else tuple(listed),
            "split": None if split is None else read_split(split),
            "timing": convert(request.get("timing", {}), Timing),
            "as_of": convert(request.get("as_of"), Moment | None),
        }
        return cls(**{**request, **read})


def _all_said(question: Question) -> Mapping[str, Said]:
    """All that is said, each by what comes before the name of its field."""
    variants = () if question.split is None else question.split.variants
    said = {f"variants[{number}].": each.content for number, each in enumerate(variants)} or {"": question.content}
    return {where: each for where, each in said.items() if each is not None}


class Foreseen(Struct, frozen=True):
    """A customer who is meant, and whether the message would reach them.

    ``missing_variables`` are those that the message's template requires and that say nothing for them.
    """

    customer: Customer
    decision: Decision
    missing_variables: tuple[str, ...] = ()

    def is_because_of(self, reason: str | None) -> bool:
        """Whether they are left out, or have to wait, for this reason; ``None`` is true of everybody."""
        of = self.decision.because if isinstance(self.decision, Hold) else self.decision
        return reason is None or (isinstance(of, str) and of == reason)


class LookedThrough(Page[Foreseen], frozen=True):
    """A page of customers who are meant; ``looked_at`` customers were looked at for it."""

    looked_at: int = 0


class FirstLook(Struct, frozen=True):
    """Who is meant among the customers that were looked at; ``everybody`` who is meant, if these were all."""

    meant: Sequence[Customer]
    everybody: Sequence[Foreseen] | None = None


class PreviewAudience(Struct, frozen=True, kw_only=True):
    """Previews an audience while the request waits."""

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    frequencies: FrequencyBook
    businesses: BusinessDirectory
    clock: Clock
    whereabouts: Whereabouts
    bulk_days: BulkDayBook
    template_contents: TemplateContents
    pin_filters: PinFilters
    longest: timedelta = LONGEST_COUNT

    def __call__(self, business_id: str, question: Question) -> Audience | None:
        """How many would be meant, left out by reason, and targeted; ``None`` when time is up.

        As of the time at which it would start (``Mailing.starts_at``), if nothing changed until then.

        Raises ``InvalidInputError`` when the filter is wrong.
        """
        audience, pages = Audience(), self.pages(business_id, question)
        until = self.clock.now() + self.longest
        while self.clock.now() < until:
            page = next(pages, None)
            if page is None:
                return audience
            audience = audience.plus(page.audience)
        return None

    def check(self, business_id: str, question: Question) -> None:
        """Raise ``InvalidInputError`` for content, a time or lists with which a campaign would be refused."""
        errors = in_both_lists(question.include_customer_ids, question.exclude_customer_ids)
        for where, said in _all_said(question).items():
            try:
                check_given(said, question.category, of_vouchers())
            except InvalidInputError as error:
                errors.extend(replace(each, field=f"{where}{each.field}") for each in error.errors)
        business = self.businesses.get(business_id)
        errors.extend(question.timing.problems(business, self.clock.now(), FARTHEST_SCHEDULE))
        if errors:
            raise InvalidInputError(*errors)

    def recipients(
        self,
        business_id: str,
        question: Question,
        *,
        limit: int,
        cursor: str | None,
        reason: str | None = None,
        most: int | None = None,
        business: Business | None = None,
    ) -> LookedThrough:
        """Customers who are meant, sorted by id, with the decision about each; only those of one ``reason`` if given.

        A page has as many as are asked for, unless it would take as long as nobody waits to find them, or ``most``
        customers have been looked at for it; it still has a cursor then. Customers on different pages who share a
        flagged address are decided about apart, as in ``PreviewWork``.
        """
        after = read_cursor(cursor, CUSTOMER_IDS)
        business, now = business or self.businesses.get(business_id), self.clock.now()
        parts = self._foreseen_parts(question.supposed(business_id), business)
        listed, until = question.customer_ids, now + self.longest
        found: list[Foreseen] = []
        # As many as would do if everybody were meant; then as many as memory has room for.
        size, looked_at = min(limit + 1, PAGE) if most is None else most, 0
        while True:
            looked, behind = read_piece(self.customers, business_id, listed, bounds(0, 1), after, size)
            decided = parts(looked, now)
            for customer_id, one in decided.items():
                if not one.is_because_of(reason):
                    continue
                if len(found) == limit:
                    seen = sum(1 for each in looked if each < customer_id)
                    return LookedThrough(found, write_cursor(found[-1].customer.customer_id), looked_at + seen)
                found.append(one)
            looked_at += len(looked)
            if behind is None:
                return LookedThrough(found, None, looked_at)
            after, size = behind, PAGE
            if self.clock.now() >= until or (most is not None and looked_at >= most):
                return LookedThrough(found, write_cursor(after), looked_at)

    def _foreseen_parts(
        self, mailing: Mailing, business: Business
    ) -> Callable[[Mapping[str, Customer | None], datetime], Mapping[str, Foreseen]]:
        """Decides about customers who were looked at, by whichever part of a mailing means each; in order of ids.

        What several parts ask about the same customers is read once.
        """
        books = ReadOnce(self.contacts), ReadOnceOf(self.summaries), ReadOnceOf(self.frequencies)
        once = replace(
            self,
            contacts=cast("ContactBook", books[0]),
            summaries=cast("SummaryBook", books[1]),
            frequencies=cast("FrequencyBook", books[2]),
        )
        parts = [once.limited(part, business) for part in self.parts_at_their_time(mailing)]
        deciding = [(part, once._foreseeing(part, business)) for part in parts]  # noqa: SLF001 - its own kind

        def decide(looked: Mapping[str, Customer | None], now: datetime) -> Mapping[str, Foreseen]:
            found: dict[str, Foreseen] = {}
            for book in books:
                book.forget()
            known = [customer for customer in looked.values() if customer is not None]
            if len(parts) > 1:
                known_frequencies(once.frequencies, business, parts[0], list(looked), consistent=False)
            for part, foreseeing in deciding:
                meant = matching(known, meant_by(part.selection), once.contacts, once.summaries)
                for id_, decision in foreseeing(meant, part.starts_at(now)).decisions.items():
                    found[id_] = Foreseen(meant[id_], decision, foreseeing.missing_for(meant[id_], decision))
            return dict(sorted(found.items()))

        return decide

    def first_look(self, business: Business, mailing: Mailing, most: int) -> FirstLook:
        """Decide about everybody whom a campaign means, its filter filled in, where they are few.

        That is where no more than ``most`` customers have to be looked at; of more, the first that are meant are named.
        """
        business_id, listed = mailing.business_id, mailing.selection.customer_ids
        mailing = self._at_its_time(mailing)
        if listed is not None:
            customers = list(self.customers.get_many(business_id, listed[: most + 1]).values())
        else:
            customers = list(self.customers.read_range(business_id, *bounds(0, 1), None, most + 1))
        meant = matching(customers, meant_by(mailing.selection), self.contacts, self.summaries)
        if max(len(customers), len(listed or ())) > most:
            return FirstLook(list(meant.values()))
        mailing = self.limited(mailing, business)
        foreseeing = self._foreseeing(mailing, business)
        decisions = foreseeing(meant, mailing.starts_at(self.clock.now())).decisions
        found = [
            Foreseen(meant[id_], decision, foreseeing.missing_for(meant[id_], decision))
            for id_, decision in decisions.items()
        ]
        return FirstLook(list(meant.values()), found)

    def foresee(self, mailing: Mailing) -> Audience | None:
        """Preview a campaign that is about to be accepted, with its filter filled in.

        ``None`` when the business has more than ``MOST_FORESEEN`` customers, unless they are named one by one.
        """
        audience, left, mailing = Audience(), MOST_FORESEEN, self.limited(self._at_its_time(mailing))
        now, foreseeing = mailing.starts_at(self.clock.now()), self._foreseeing(mailing)
        for looked_at, customers in self._meant(mailing):
            left -= looked_at
            if left < 0:
                return None
            audience = audience.plus(foreseeing(customers, now).audience)
        return audience

    def pages(self, business_id: str, question: Question) -> Iterator[Selected]:
        """The decisions about the customers who are meant, page by page."""
        for part in self.parts_at_their_time(question.supposed(business_id)):
            yield from self._decided(self.limited(part))

    def pin(self, business_id: str, question: Question, *, is_next_page: bool = False) -> Question:
        """The question as of the time at which the message would start, where its filter asks for that."""
        first, *_ = self.parts_at_their_time(question.supposed(business_id), is_next_page=is_next_page)
        return replace(question, as_of=first.selection.as_of)

    def parts_at_their_time(self, mailing: Mailing, *, is_next_page: bool = False) -> Sequence[Mailing]:
        """A mailing by its parts (``parts_of``), all as of one moment and one ranking."""
        first, *others = parts_of(mailing)
        first = self._at_its_time(first, is_next_page=is_next_page)
        as_of = first.selection.as_of
        return [first, *(replace(each, selection=replace(each.selection, as_of=as_of)) for each in others)]

    def _at_its_time(self, mailing: Mailing, *, is_next_page: bool = False) -> Mailing:
        at, pin = mailing.starts_at(self.clock.now()), self.pin_filters.at
        return replace(mailing, selection=pin(mailing.business_id, mailing.selection, at, is_next_page=is_next_page))

    def limited(self, mailing: Mailing, business: Business | None = None) -> Mailing:
        """The mailing, marked if the business may not reach so many on the day on which it would begin.

        Nothing is read for a ``business`` that has no limit.
        """
        business = business or self.businesses.get(mailing.business_id)
        limit = business.recipient_limit(mailing.channel, mailing.category)
        if limit is None or mailing.single:
            return mailing
        day = business.local_day(mailing.starts_at(self.clock.now()))
        room = limit - self.bulk_days.get(business.business_id, day).reserved
        return replace(mailing, over_limit=self.count_targeted(mailing, room) >= room)

    def count_targeted(self, mailing: Mailing, most: int) -> int:
        """How many a mailing would reach, if they are fewer than ``most``; counting ends there."""
        targeted = 0
        for page in self._decided(mailing):
            targeted += page.audience.targeted
            if targeted >= most:
                break
        return targeted

    def _decided(self, mailing: Mailing) -> Iterator[Selected]:
        now, foreseeing = mailing.starts_at(self.clock.now()), self._foreseeing(mailing)
        for _, customers in self._meant(mailing):
            yield foreseeing(customers, now)

    def _foreseeing(self, mailing: Mailing, business: Business | None = None) -> Foreseeing:
        business = business or self.businesses.get(mailing.business_id)
        try:
            mailing = loaded(mailing, self.template_contents)
        except InvalidInputError:
            # A draft of which the template is deleted says nothing yet.
            mailing = replace(mailing, content=None, split=shares_alone(mailing.split))
        screening = Screening(self.contacts, self.frequencies, business, mailing, self.whereabouts)
        find_sharers = FindSharers(
            self.customers, self.contacts, self.summaries, self.frequencies, business, mailing, self.whereabouts
        )
        return Foreseeing(screening, find_sharers, business, mailing)

    def _meant(self, mailing: Mailing) -> Iterator[tuple[int, Mapping[str, Customer | None]]]:
        """Page by page, how many customers were looked at, and those of them who are meant."""
        business_id, selection = mailing.business_id, mailing.selection
        if selection.customer_ids is not None:
            for ids in batched(selection.customer_ids, PAGE, strict=False):
                found = self.customers.get_many(business_id, ids)
                yield len(ids), {customer_id: found.get(customer_id) for customer_id in ids}
            return
        matcher = meant_by(selection)
        after: str | None = None
        while True:
            customers = self.customers.read_range(business_id, *bounds(0, 1), after, PAGE)
            yield len(customers), matching(customers, matcher, self.contacts, self.summaries)
            after = next_after(customers)
            if after is None:
                return


class PreviewWork(Struct, frozen=True, kw_only=True):
    """Previews an audience as a job, as of the time at which it would start if it were sent when the job was asked for.

    Each page is decided by itself. When customers on different pages share a flagged address whose try is due, each of
    them therefore counts as a recipient, although in the end only the first of them gets the message. One that is about
    a campaign also names those who are left out (``Named``).
    """

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    frequencies: FrequencyBook
    businesses: BusinessDirectory
    ledger: JobLedger
    whereabouts: Whereabouts
    preview: PreviewAudience
    template_contents: TemplateContents

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Decide about one page of customers and commit its counts."""
        question = Question.read(job.request)
        listed, page = question.customer_ids, (progress.cursor, PAGE)
        looked, behind = read_piece(self.customers, job.business_id, listed, within, *page)
        counts, left_out = Counter({LOOKED_AT: len(looked)}), Named()
        for part in parts_of(question.supposed(job.business_id)):
            selected = self._decided(job, part, looked)
            counts[MATCHED] += len(selected.decisions)
            counts.update({f"{EXCLUDED}{reason}": len(ids) for reason, ids in selected.left_out.items()})
            counts.update({f"{OF_VARIANT}{name}": number for name, number in selected.variants.items()})
            left_out = left_out.plus(selected.left_out)
        moved = beyond(progress, counts, behind)
        if job.about is not None:
            moved = replace(moved, spared=Named.of(progress).plus(left_out.by_reason).within(moved.counts))
        self.ledger.commit(moved)

    def _decided(self, job: Job, part: Mailing, looked: Mapping[str, Customer | None]) -> Selected:
        """The decisions about those of the customers whom a part means."""
        business = self.businesses.get(job.business_id)
        supposed = self.preview.limited(loaded(part, self.template_contents))
        screening = Screening(self.contacts, self.frequencies, business, supposed, self.whereabouts)
        find_sharers = FindSharers(
            self.customers, self.contacts, self.summaries, self.frequencies, business, supposed, self.whereabouts
        )
        foreseeing = Foreseeing(screening, find_sharers, business, supposed)
        at = supposed.starts_at(job.created_at)
        selection = self.preview.pin_filters.at(job.business_id, supposed.selection, at)
        known = [customer for customer in looked.values() if customer is not None]
        meant = matching(known, meant_by(selection), self.contacts, self.summaries)
        gone = {id_: None for id_, customer in looked.items() if customer is None}
        return foreseeing({**meant, **gone}, at)

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:  # noqa: ARG002 - the counts are the result
        """Complete the job, which has only one phase."""
        return completed(job)
