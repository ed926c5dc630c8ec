"""The steps of the campaign state machine: plan, expand each key range, wait until drained, close.

Every step may be run again at any time, also at the same time as itself, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.quiet_hours import HoldReason, Whereabouts
from rebound.campaigns.application.campaign_service import counted
from rebound.campaigns.application.choose_winner import awaiting
from rebound.campaigns.domain.by_tier import children_ids, own_part, owner_of, ranges_of
from rebound.campaigns.domain.campaigns import ENDED, Campaign, CampaignStatus
from rebound.campaigns.domain.chunks import CHUNK_SIZE, Chunk, ChunkKey, Held, RangeProgress, chunk_name
from rebound.eligibility.application.audience import Screening, matching
from rebound.eligibility.application.shared_addresses import sharing_now
from rebound.eligibility.domain.eligibility import Exclusion, Hold
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.ids import bounds, estimated_size
from rebound.messages.application.load_content import loaded
from rebound.messages.domain.messages import MessageStatus
from rebound.segments.domain.filters import NO_SUCH_SEGMENT
from rebound.segments.domain.matching import CustomerMatcher
from rebound.segments.domain.selections import Selection, meant_by
from rebound.sending.application.children import add_children, follow
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask, lane_of

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.steer_campaign import CloseCampaign
    from rebound.campaigns.ports import CampaignBook, ChunkLedger, ExpansionLedger, MemberList, TallyBook
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.application.audience import Selected
    from rebound.eligibility.application.limit_recipients import LimitRecipients
    from rebound.eligibility.ports import FrequencyBook
    from rebound.platform.ports import Clock, Ids
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.sending.application.recall_recipients import RecallRecipients
    from rebound.sending.ports import ChunkQueue, DeferredChunkQueue
    from rebound.templates.application.template_contents import TemplateContents

PAGE: Final = 500
"""Customers read at a time; this bounds the memory of an expansion."""
PARTS: Final = 5
"""Parts of an occurrence's members that are read at a time: together they are no more than ``PAGE``."""
SAMPLE: Final = 200
"""Customers that are read to estimate how many a business has."""
WORTH_A_RANGE: Final = 2_500
"""Customers that one invocation reads in a few seconds: for fewer, a range of their own costs more than it saves."""
SHORTEST_WAIT: Final = timedelta(seconds=1)
LONGEST_WAIT: Final = timedelta(minutes=5)
"""A look costs as much as a hundred writes, and a slow sender hands over only one text a second."""
SHORTEST_WAIT_FOR_HOURS: Final = timedelta(minutes=1)
LONGEST_WAIT_FOR_HOURS: Final = timedelta(hours=1)
"""An execution may have 1,500 polls: enough for any number of nights."""
FIRST_GUESS: Final = timedelta(milliseconds=2)
"""The guess for one message, before any has been handed over."""
LONGEST_GUESS: Final = timedelta(seconds=5)
COUNTED_AFTER: Final = timedelta(seconds=2)
"""How long a send is not seen in the counts: the windows of the stream and of the counting function."""
CLOCKS_DIFFER: Final = timedelta(seconds=5)
"""By how much the scheduler's clock may be ahead of a function's."""
MOST_POLLS: Final = 1500
"""A poll takes some ten history events of the 25,000 that an execution may have."""


class PlanCampaign(Struct, frozen=True, kw_only=True):
    """Fixes what the run will do, once: its run id, its filter with the moment at which that is asked, and its ranges.

    A range costs state transitions even when nobody is in it, so a business gets only as many as its size is worth.
    """

    campaigns: CampaignBook
    customers: CustomerBook
    pin_filters: PinFilters
    clock: Clock
    ids: Ids
    close: CloseCampaign
    prepare: Callable[[Campaign, datetime], None]
    """Has goals counted, and a winner chosen in time, for a campaign that has one (``CampaignsUseCases.prepare``)."""
    ranges: int
    worth_a_range: int

    def __call__(self, business_id: str, campaign_id: str) -> Sequence[int]:
        """The ranges to expand; none when the campaign has ended already, or is not due.

        One that has been moved to a later time has a schedule of its own for that (``CampaignRunner.schedule``).
        The campaign ends as failed when a segment that it names has been deleted since it was posted, or has grown too
        large with others, because it cannot go on.
        """
        campaign = self.campaigns.get(business_id, campaign_id)
        if campaign.status in ENDED:
            follow(self.campaigns, campaign)
            return ()
        if campaign.run_id is None and not self._has_come(campaign):
            return ()
        try:
            planned = campaign if campaign.run_id is not None else self._planned(campaign)
        except InvalidInputError as error:
            said = error.errors[0].message
            self.close.fail(business_id, campaign_id, "No such segment." if said == NO_SUCH_SEGMENT else said)
            return ()
        add_children(self.campaigns, self.ids, planned, self.clock.now())
        return range(ranges_of(planned))

    def _has_come(self, campaign: Campaign) -> bool:
        """Whether the campaign's time has come, after the moment by which this clock may be behind its schedule's."""
        now = self.clock.now()
        early = campaign.starts_at(now) - now
        if timedelta() < early <= CLOCKS_DIFFER:
            self.clock.wait(early)
        return campaign.is_due(self.clock.now())

    def _planned(self, campaign: Campaign) -> Campaign:
        """Write the campaign as it will run, and return it. Raises ``InvalidInputError``."""
        business_id, selection, now = campaign.business_id, campaign.selection, self.clock.now()
        if campaign.recurring_id is None:
            selection = self.pin_filters.selection(business_id, selection)
            selection = self.pin_filters.at(business_id, own_part(campaign, selection), now)
        planned = replace(
            campaign,
            run_id=self.ids.ulid(now),
            selection=selection,
            ranges=1
            if selection.customer_ids is not None or campaign.recurring_id is not None
            else self._ranges_of(business_id),
            started_at=now,
            names_left_out=True,
            # A pause from before the time to send still holds when that time comes.
            status=campaign.status if campaign.status is CampaignStatus.PAUSED else CampaignStatus.EXPANDING,
        )
        planned = awaiting(planned, now)
        self.prepare(planned, now)
        self.campaigns.replace(campaign, planned)
        return planned

    def _ranges_of(self, business_id: str) -> int:
        """How many ranges a business's customers are worth, estimated from how dense the first random ids are."""
        sample = self.customers.read_range(business_id, *bounds(0, 1), None, SAMPLE)
        size = len(sample) if len(sample) < SAMPLE else estimated_size(SAMPLE, sample[-1].customer_id)
        return max(1, min(self.ranges, -(-size // self.worth_a_range)))


class ExpandCampaign(Struct, frozen=True, kw_only=True):
    """Turns one key range of customers into chunks on the queue, page by page.

    A page's chunks and the progress past the page are written in one transaction; then the chunks are enqueued. An
    invocation that runs at the same time loses that write and starts over from the stored progress. After a crash, the
    next try enqueues what may be missing; chunks are claimed before they are sent, so enqueueing twice is harmless.

    A chunk in which everybody waits for their hour is held back from the start, so that it takes no turn from others.
    Where the holds are no longer known (of recipients carried over from an earlier invocation), the sender decides.
    """

    campaigns: CampaignBook
    businesses: BusinessDirectory
    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    frequencies: FrequencyBook
    expansion: ExpansionLedger
    queue: ChunkQueue
    clock: Clock
    chunks: ChunkLedger
    held: DeferredChunkQueue
    whereabouts: Whereabouts
    limit: LimitRecipients
    members: MemberList
    template_contents: TemplateContents

    def __call__(self, business_id: str, campaign_id: str, index: int, may_go_on: Callable[[], bool]) -> bool:
        """Expand range ``index`` while there is time; returns whether it is done."""
        campaign = loaded(self.campaigns.get(business_id, campaign_id), self.template_contents)
        if campaign.contents is not None:
            campaign_id, index = owner_of(campaign, index)
            campaign = self.campaigns.get(business_id, campaign_id)
        business = self.businesses.get(business_id)
        if self.limit.refuses(
            business, self._as_counted(business, campaign), campaign_id, campaign.started_at or self.clock.now()
        ):
            campaign = replace(campaign, over_limit=True)
        progress = self.expansion.get(campaign_id, index)
        read = self._reader(campaign, business, index)
        holds: dict[str, Hold] = {}
        while True:
            progress = self._enqueue(campaign, progress)
            if progress.done or campaign.status in ENDED:
                return True
            if not may_go_on():
                return False
            progress = self._page(campaign, business, progress, read, holds)

    def _as_counted(self, business: Business, campaign: Campaign) -> Campaign:
        """The campaign as who counts its recipients sees it: an occurrence goes to its members."""
        if campaign.recurring_id is None or business.recipient_limit(campaign.channel, campaign.category) is None:
            return campaign
        named: list[str] = []
        after: str | None = None
        while parts := self.members.parts(campaign.campaign_id, after, PARTS):
            named.extend(customer_id for part in parts for customer_id in part.customer_ids)
            after = parts[-1].name
        return replace(campaign, selection=Selection(customer_ids=tuple(named)))

    def _reader(self, campaign: Campaign, business: Business, index: int) -> Reader:
        selection = campaign.selection
        screening = Screening(self.contacts, self.frequencies, business, campaign, self.whereabouts)
        if campaign.recurring_id is not None:
            return _MembersReader(self.customers, business, screening, self.clock, self.members, campaign.campaign_id)
        if selection.customer_ids is not None:
            return _ListReader(self.customers, business, screening, self.clock, selection.customer_ids)
        matcher = meant_by(selection)
        within = bounds(index, campaign.ranges)
        return _RangeReader(
            self.customers, self.contacts, self.summaries, business, screening, self.clock, matcher, within
        )

    def _page(
        self,
        campaign: Campaign,
        business: Business,
        progress: RangeProgress,
        read: Reader,
        holds: dict[str, Hold],
    ) -> RangeProgress:
        """Expand one more page; ``holds`` are the known holds of recipients who are in no chunk yet."""
        page = read(progress.cursor)
        holds.update(page.selected.holds)
        waiting = progress.carry + page.selected.recipients
        sharing = sharing_now(self.customers, campaign.business_id, page.selected.shared)
        progress = replace(progress, sharing=(*progress.sharing, *sharing))
        full = len(waiting) if page.cursor is None else len(waiting) - len(waiting) % CHUNK_SIZE
        now = self.clock.now()
        new = [
            self._chunk(campaign, progress, number, waiting[start : min(start + CHUNK_SIZE, full)], now)
            for number, start in enumerate(range(0, full, CHUNK_SIZE), start=progress.chunks)
        ]
        held = {
            number: first
            for number, chunk in enumerate(new, start=progress.chunks)
            if (first := _first_of([holds.pop(c, None) for c in chunk.customer_ids], business.version)) is not None
        }
        new = [
            replace(chunk, not_before=held[number].not_before) if number in held else chunk
            for number, chunk in enumerate(new, start=progress.chunks)
        ]
        found = page.selected.holds.values()
        if noted := {hold.until: hold.because for hold in found if hold.because is not HoldReason.WINNER}:
            self.chunks.note_holds(campaign.campaign_id, noted)
        beyond = replace(
            progress,
            cursor=page.cursor or progress.cursor,
            carry=waiting[full:],
            sharing=tuple(c for c in waiting[full:] if c in progress.sharing),
            chunks=progress.chunks + len(new),
            audience=progress.audience.plus(page.selected.audience),
            done=page.cursor is None,
            held=MappingProxyType(held),
        )
        return self.expansion.commit(beyond, new, page.selected.left_out)

    @staticmethod
    def _chunk(
        campaign: Campaign, progress: RangeProgress, number: int, customer_ids: tuple[str, ...], now: datetime
    ) -> Chunk:
        """A new chunk; who of it shares an address is in ``progress``."""
        key = ChunkKey(campaign.business_id, campaign.campaign_id, chunk_name(progress.index, number))
        sharing = tuple(c for c in customer_ids if c in progress.sharing) if progress.sharing else ()
        return Chunk(key, customer_ids, customer_ids, created_at=now, sharing=sharing)

    @staticmethod
    def _task(campaign: Campaign, progress: RangeProgress, number: int) -> ChunkTask:
        """The task for a chunk of a range, in which all chunks but the last are full."""
        key = ChunkKey(campaign.business_id, campaign.campaign_id, chunk_name(progress.index, number))
        behind = progress.audience.targeted - number * CHUNK_SIZE
        size = progress.held[number].size if number in progress.held else min(behind, CHUNK_SIZE)
        return ChunkTask(key, size, lane_of(campaign))

    def _enqueue(self, campaign: Campaign, progress: RangeProgress) -> RangeProgress:
        if progress.enqueued == progress.chunks:
            return progress
        tasks = {n: self._task(campaign, progress, n) for n in range(progress.enqueued, progress.chunks)}
        held = progress.held
        if held:
            now = self.clock.now()
            waiting = [
                DeferredChunkTask(campaign.channel, tasks[n], first.not_before, now, first.version)
                for n, first in held.items()
            ]
            self.held.put(waiting, now)
            if self.campaigns.get(campaign.business_id, campaign.campaign_id).status is CampaignStatus.CANCELLED:
                # The cancellation may have looked for chunks before these were there: enqueue them now.
                held = {}
        self.queue.put(campaign.channel, [task for n, task in tasks.items() if n not in held])
        enqueued = replace(progress, enqueued=progress.chunks, held=MappingProxyType({}))
        # While the range goes on, the next page's commit writes this too; only the last page needs a write of its own.
        return self.expansion.commit(enqueued) if progress.done else enqueued


def _first_of(holds: Sequence[Hold | None], version: int) -> Held | None:
    """When a chunk may first be handed over, and to how many recipients then; ``None`` when some need not wait.

    Also where all wait for the winner: the sender sets them aside, because it looks whether that has been chosen.
    """
    if None in holds:
        return None
    untils = [hold.until for hold in holds if hold is not None and hold.because is not HoldReason.WINNER]
    return Held(min(untils), untils.count(min(untils)), version) if untils else None


class ReadPage(Struct, frozen=True):
    """The decisions on a page of customers; ``cursor`` continues after them and is ``None`` when there are no more."""

    selected: Selected
    cursor: str | None


Reader = Callable[[str | None], ReadPage]


class _RangeReader(Struct, frozen=True):
    """Pages of a key range."""

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    business: Business
    screening: Screening
    clock: Clock
    matcher: CustomerMatcher
    bounds: tuple[str, str]

    def __call__(self, cursor: str | None) -> ReadPage:
        first, last = self.bounds
        customers = self.customers.read_range(self.business.business_id, first, last, cursor, PAGE)
        selected = self.screening(matching(customers, self.matcher, self.contacts, self.summaries), self.clock.now())
        return ReadPage(selected, customers[-1].customer_id if len(customers) == PAGE else None)


class _ListReader(Struct, frozen=True):
    """Pages of a list of customers; the cursor is the number of those read."""

    customers: CustomerBook
    business: Business
    screening: Screening
    clock: Clock
    customer_ids: tuple[str, ...]

    def __call__(self, cursor: str | None) -> ReadPage:
        start = int(cursor or 0)
        ids = self.customer_ids[start : start + PAGE]
        found = self.customers.get_many(self.business.business_id, ids)
        selected = self.screening({customer_id: found.get(customer_id) for customer_id in ids}, self.clock.now())
        end = start + len(ids)
        return ReadPage(selected, str(end) if end < len(self.customer_ids) else None)


class _MembersReader(Struct, frozen=True):
    """Pages of the members of an occurrence; the cursor is the name of the last part of them that was read."""

    customers: CustomerBook
    business: Business
    screening: Screening
    clock: Clock
    members: MemberList
    campaign_id: str

    def __call__(self, cursor: str | None) -> ReadPage:
        parts = self.members.parts(self.campaign_id, cursor, PARTS)
        ids = [customer_id for part in parts for customer_id in part.customer_ids]
        found = self.customers.get_many(self.business.business_id, ids) if ids else {}
        selected = self.screening({customer_id: found.get(customer_id) for customer_id in ids}, self.clock.now())
        return ReadPage(selected, parts[-1].name if len(parts) == PARTS else None)


class Drained(Struct, frozen=True):
    """Whether everybody targeted is accounted for, and when to look again; ``ranges`` are those to expand first.

    ``not_due`` is set for a campaign without a run: whoever looks has nothing to do with it.
    """

    drained: bool
    wait_seconds: int
    polls: int
    ranges: tuple[int, ...] = ()
    not_due: bool = False

    @property
    def in_new_execution(self) -> bool:
        """Whether to go on in a new execution, before the history of this one is full."""
        return self.polls >= MOST_POLLS

    def for_the_state_machine(self) -> Mapping[str, object]:
        """The output of the state machine's task."""
        return {
            "expanded": not self.ranges,
            "ranges": list(self.ranges),
            "drained": self.drained,
            "wait_seconds": self.wait_seconds,
            "polls": self.polls,
            "continue": self.in_new_execution,
            **({"not_due": True} if self.not_due else {}),
        }


class LookAtCampaign(Struct, frozen=True, kw_only=True):
    """Looks whether a campaign is fully expanded and has nothing left to hand over."""

    campaigns: CampaignBook
    expansion: ExpansionLedger
    tallies: TallyBook
    clock: Clock
    chunks: ChunkLedger

    def __call__(
        self, business_id: str, campaign_id: str, polls: int, recall: RecallRecipients | None = None
    ) -> Drained:
        """Look once, and say when it will be worth looking again: each look is paid for.

        Where customers made way for others at their address, a look that cannot ``recall`` them ends nothing.

        While somebody waits for their hour the campaign cannot end, so the next look is due when the last of these
        hours has come; but the wait is at most as long as the campaign has run so far, because that hour may change.
        From then on, the wait is what the rest will take at the rate since, but no longer than the time since.
        """
        campaign = self.campaigns.get(business_id, campaign_id)
        if campaign.run_id is None and campaign.status not in ENDED:
            return Drained(drained=False, wait_seconds=0, polls=polls, not_due=True)
        looks = [self._at_one(campaign, polls, recall)]
        looks += [
            self._at_one(self.campaigns.get(business_id, child_id), polls, recall)
            for child_id in (children_ids(campaign) if campaign.status not in ENDED else ())
        ]
        left = tuple(which * campaign.ranges + own for which, look in enumerate(looks) for own in look.ranges)
        waits = [look.wait_seconds for look in looks if not look.drained]
        drained = all(look.drained for look in looks)
        return Drained(drained, 0 if left else max(waits, default=0), polls if left else polls + 1, left)

    def _at_one(self, campaign: Campaign, polls: int, recall: RecallRecipients | None) -> Drained:
        """Look at a campaign without its children."""
        campaign_id = campaign.campaign_id
        ranges = self.expansion.list(campaign_id)
        if campaign.status not in ENDED:
            left = set(range(campaign.ranges)) - {progress.index for progress in ranges if progress.done}
            if left:
                return Drained(drained=False, wait_seconds=0, polls=polls, ranges=tuple(sorted(left)))
        if campaign.status is CampaignStatus.EXPANDING:
            sending = replace(campaign, status=CampaignStatus.SENDING)
            self.campaigns.replace(campaign, sending)
            campaign = replace(sending, version=campaign.version + 1)
        parts = [progress.audience for progress in ranges]
        view = counted(campaign, parts, self.tallies.counts(campaign_id))
        waiting = view.results[MessageStatus.QUEUED]
        left_out_for_another = view.audience.excluded.get(Exclusion.SAME_ADDRESS, 0)
        if campaign.recalling or (waiting == 0 and left_out_for_another and campaign.status not in ENDED):
            # The counts may not have it yet that somebody is queued again.
            waiting = max(waiting, 1 if recall is None else recall(campaign))
        now = self.clock.now()
        began = campaign.started_at or campaign.created_at
        last = max(self.chunks.holds(campaign_id), default=began) if waiting else began
        if waiting and campaign.split is not None and campaign.split.awaited_at is not None:
            last = max(last, campaign.split.awaited_at)
        if last > now:
            # Messages that are held back say nothing about the rate.
            wait = min(last - now, max(now - began, SHORTEST_WAIT_FOR_HOURS), LONGEST_WAIT_FOR_HOURS)
        else:
            wait = wait_for_the_rest(now - max(began, last), waiting, view.audience.targeted - waiting)
        return Drained(waiting == 0 or campaign.status in ENDED, ceil(wait.total_seconds()), polls + 1)


class DrainCampaign(Struct, frozen=True, kw_only=True):
    """Looks at a campaign, and recalls who made way for another customer at their address in vain."""

    look: LookAtCampaign
    recall: RecallRecipients

    def __call__(self, business_id: str, campaign_id: str, polls: int) -> Drained:
        """Look once, as ``LookAtCampaign`` does."""
        return self.look(business_id, campaign_id, polls, self.recall)


def wait_for_the_rest(took: timedelta, waiting: int, handled: int) -> timedelta:
    """How long the rest will take at the rate so far; before anything is handled, a guess that grows with time."""
    if handled:
        wait = min(took * waiting / handled + COUNTED_AFTER, took)
    else:
        wait = max(min(FIRST_GUESS * waiting + COUNTED_AFTER, LONGEST_GUESS), took / 10)
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)
