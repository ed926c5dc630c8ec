"""Posting campaigns, and reading how they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from rebound.businesses.application.timing import FARTHEST_SCHEDULE, Timing
from rebound.businesses.domain.business import EMAIL_ACCOUNT, Business
from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.campaigns.application.barriers import check_barrier
from rebound.campaigns.application.check_contents import (
    about_voucher,
    all_said,
    check_parts,
    tier_problems,
    unpinned,
    variant_problems,
    winner_problems,
)
from rebound.campaigns.domain.by_tier import children_ids
from rebound.campaigns.domain.campaigns import ENDED, RUNNING, Campaign, CampaignStatus, all_named
from rebound.campaigns.domain.goal_results import GoalResults, goal_results
from rebound.campaigns.domain.over_time import SpanResults, added, results_over_time
from rebound.campaigns.domain.redemptions import Totals, summed
from rebound.campaigns.domain.results import VariantResults, results_by_variant, results_of
from rebound.campaigns.domain.sizes import check_fits
from rebound.campaigns.domain.variant_outcomes import VariantOutcomes, variant_outcomes
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.pages import Page
from rebound.messages.application.load_content import loaded
from rebound.messages.domain.by_tier import parts_of
from rebound.messages.domain.goals import Goal
from rebound.messages.domain.labels import FELL_BACK
from rebound.messages.domain.mailing import in_both_lists
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.variants import Variant, split_of
from rebound.messages.domain.vouchers import Voucher, checked, variables_of
from rebound.messages.domain.winners import WinnerRule
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import UNWRITTEN, Said
from rebound.templates.domain.rendering import check_said, warnings_about

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.ports import (
        CampaignBook,
        CampaignRunner,
        ChunkLedger,
        ExpansionLedger,
        TallyBook,
        VoucherBook,
    )
    from rebound.platform.ports import Clock, Ids, RequestIds
    from rebound.rates.ports import RateBook
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.templates.application.template_contents import TemplateContents


class CampaignView(Struct, frozen=True):
    """A campaign with its counts, which add up at every moment (truth 9).

    A recipient who is left out by the second decision, right before the send, counts as excluded and not as targeted.
    ``queued`` counts those targeted but not handed over, so it is zero only when everybody is accounted for.
    """

    campaign: Campaign
    audience: Audience
    results: Mapping[MessageStatus, int]
    foreseen: Audience | None = None
    """Whom a campaign that has just been posted would reach if it were sent now, where that could be told quickly."""
    held_until: datetime | None = None
    """Some or all recipients are not handed over before this time; ``held_because`` says why."""
    held_because: HoldReason | None = None
    warnings: tuple[FieldError, ...] = ()
    """What the business had better set right, as its settings and templates are now."""
    children: tuple[CampaignView, ...] = ()
    """Those of a campaign that says something else to each loyalty tier; its counts have theirs in them."""
    fell_back_to_email: int = 0
    brought_in: Totals | None = None
    """Of those targeted, to how many it goes by email in place of a text: the text plan had no room for them."""
    is_expanded: bool = True
    """Whether everybody has been looked at: while not, the counts are of those looked at so far."""
    reward_percent: int = 0
    """Of what its vouchers brought in, ``brought_in``, which is ``None`` for a campaign without vouchers."""
    variants: tuple[VariantResults, ...] = ()
    """The results by variant, of a campaign with variants."""
    outcomes: VariantOutcomes | None = None
    """By how much the variants differ in what became of their messages, of a campaign with variants."""
    goal: GoalResults | None = None
    """Who reached the goal, of a campaign with one."""
    over_time: Sequence[SpanResults] | None = ()
    """When the results came in; ``None`` where some were counted by a version that did not keep that."""


class NewCampaign(Struct, frozen=True):
    """A campaign as a client posts it, with values of the right types.

    Customers are added back whom ``include_customer_ids`` names, and whom ``include_external_ids`` does; likewise those
    whom ``exclude_customer_ids`` and ``exclude_external_ids`` name are taken out.
    """

    name: str
    category: Category
    channel: Channel
    selection: Selection
    content: Said
    exclude_failed: bool = True
    include_customer_ids: frozenset[str] = frozenset()
    include_external_ids: frozenset[str] = frozenset()
    exclude_customer_ids: frozenset[str] = frozenset()
    exclude_external_ids: frozenset[str] = frozenset()
    timing: Timing = field(default_factory=Timing)
    is_draft: bool = False
    contents: Mapping[str, Said] | None = None
    """In place of what is said to everybody: what is said to whom of each loyalty tier."""
    voucher: Voucher | None = None
    variants: tuple[Variant, ...] = ()
    """In place of what is said to everybody, which is then what the first of them says."""
    holdout: int = 0
    """In hundredths of a percent."""
    goal: Goal | None = None
    winner: WinnerRule | None = None


class CampaignsWanted(Struct, frozen=True):
    """Which campaigns a list is about: those that meet every condition that is given.

    ``q`` has words that must all occur in the name.
    """

    status: CampaignStatus | None = None
    category: Category | None = None
    q: str | None = None

    def compiled(self) -> Callable[[Campaign], bool] | None:
        """The predicate; ``None`` for all campaigns. Raises ``InvalidInputError``."""
        if self == CampaignsWanted():
            return None
        search = None
        if self.q is not None:
            from rebound.kernel.search import NOTHING_SEEN, compile_search, is_unseen  # noqa: PLC0415 - few lists search

            if is_unseen(self.q):
                raise InvalidInputError(FieldError("q", NOTHING_SEEN))
            search = compile_search(self.q)
        return lambda campaign: (
            self.status in (None, campaign.status)
            and self.category in (None, campaign.category)
            and (search is None or search((campaign.name,), ()))
        )


ALL_CAMPAIGNS: Final = CampaignsWanted()


class CampaignService(Struct, frozen=True, kw_only=True):
    """The campaigns of one business at a time."""

    campaigns: CampaignBook
    runner: CampaignRunner
    pin_filters: PinFilters
    businesses: BusinessDirectory
    expansion: ExpansionLedger
    tallies: TallyBook
    chunks: ChunkLedger
    clock: Clock
    ids: Ids
    request_ids: RequestIds
    rates: RateBook
    voucher_book: VoucherBook
    template_contents: TemplateContents
    foresee: Callable[[Campaign], Audience | None]
    judge: Callable[[Business, Category], None]
    space_out: Callable[[Campaign], None]
    """Raises ``ConflictError`` where another campaign to the same people is too close (``ClaimLoyaltyWeek``)."""

    def post(
        self, business_id: str, new: NewCampaign, request: str | None = None, *, foresees: bool = True
    ) -> CampaignView:
        """Accept a campaign and start or schedule it. Raises ``InvalidInputError`` and ``ConflictError``.

        ``request`` names the client's request: trying it again after a crash goes on with the same campaign. A draft
        may be ``UNWRITTEN``. Whoever does not ask whom it would reach (``foresees``) waits for no look at customers.
        """
        business = self.businesses.get(business_id)
        added = all_named(business_id, new.include_customer_ids, new.include_external_ids)
        taken_out = all_named(business_id, new.exclude_customer_ids, new.exclude_external_ids)
        both = in_both_lists(added, taken_out)
        meant = self.check(
            business,
            new.selection,
            None if new.contents or new.variants or (new.is_draft and new.content in UNWRITTEN) else new.content,
            new.category,
            new.timing,
            (
                *both,
                *tier_problems(new, business),
                *variant_problems(new, new.variants, business),
                *winner_problems(new, split_of("", new.variants, 0, new.winner), new.timing.local_time),
            ),
            new.voucher,
        )
        check_parts(meant, new.contents)
        voucher = self.checked_voucher(business, new.voucher, new.timing.starts_at)
        if not new.is_draft:
            check_barrier(business, new.channel)
            self.judge(business, new.category)
        now = self.clock.now()
        proposed = self.ids.ulid(now)
        campaign_id = proposed if request is None else self.request_ids.id_for(business_id, request, proposed)
        campaign = Campaign(
            business_id=business_id,
            campaign_id=campaign_id,
            name=new.name,
            category=new.category,
            channel=new.channel,
            selection=new.selection,
            content=new.content,
            contents=new.contents,
            created_at=now,
            status=CampaignStatus.DRAFT if new.is_draft else status_when_announced(new.timing.starts_at, now),
            exclude_failed=new.exclude_failed,
            include_customer_ids=added,
            include_external_ids=new.include_external_ids,
            exclude_customer_ids=taken_out,
            exclude_external_ids=new.exclude_external_ids,
            send_at=new.timing.starts_at,
            local_time=new.timing.local_time,
            expires_at=new.timing.expires_at,
            voucher=voucher,
            split=split_of(campaign_id, new.variants, new.holdout, new.winner),
            goal=new.goal,
        )
        if new.is_draft:
            campaign = campaign.with_said(unpinned)
        # Before the campaign is stored: a failure here leaves nothing behind, and no send has changed the answer yet.
        foreseen = self.foreseen(replace(campaign, selection=meant)) if foresees else None
        campaign = self._added(self.with_number(campaign), request)
        # As it is stored: whoever tries again may find that it was edited since.
        if campaign.status is CampaignStatus.SCHEDULED and campaign.send_at is not None:
            self.runner.schedule(business_id, campaign.campaign_id, campaign.send_at)
        elif campaign.status is CampaignStatus.EXPANDING:
            self.runner.start(business_id, campaign.campaign_id)
        return self.accepted(business, campaign, foreseen)

    def _added(self, campaign: Campaign, request: str | None) -> Campaign:
        """The campaign as it is stored, which it may be since a request that is tried again."""
        if campaign.category.traits.is_spaced and campaign.status is not CampaignStatus.DRAFT:
            if request is not None:
                with suppress(NotFoundError):
                    return self.campaigns.get(campaign.business_id, campaign.campaign_id)
            self.space_out(campaign)
        try:
            self.campaigns.add(campaign)
        except ConcurrentChangeError:
            return self.campaigns.get(campaign.business_id, campaign.campaign_id)
        return campaign

    def post_made(self, campaign: Campaign, *, spaced: bool) -> Campaign:
        """Accept an occurrence of a recurring campaign, and start it; doing it again goes on with the same.

        ``spaced`` is one that other campaigns to the same people keep away from. One that would be refused if a client
        posted it is kept as failed, with the reason: nobody is there to be told.
        """
        business = self.businesses.get(campaign.business_id)
        if campaign.status not in ENDED:
            try:
                voucher = campaign.voucher
                self.check(business, campaign.selection, campaign.content, campaign.category, None, voucher=voucher)
                voucher = self.checked_voucher(business, voucher, campaign.send_at)
                campaign = self.with_number(replace(campaign, voucher=voucher))
                check_barrier(business, campaign.channel)
                self.judge(business, campaign.category)
                if spaced and campaign.category.traits.is_spaced:
                    self.space_out(campaign)
            except (ConflictError, InvalidInputError) as error:
                campaign = campaign.failed(str(error), self.clock.now())
        try:
            self.campaigns.add(campaign)
        except ConcurrentChangeError:
            campaign = self.campaigns.get(campaign.business_id, campaign.campaign_id)
        if campaign.status is CampaignStatus.EXPANDING and campaign.run_id is None:
            self.runner.start(campaign.business_id, campaign.campaign_id)
        return campaign

    def accepted(self, business: Business, campaign: Campaign, foreseen: Audience | None) -> CampaignView:
        """A campaign of which nothing has been sent, and whom it would reach."""
        view = CampaignView(
            campaign, Audience(), results_of({}, 0), foreseen, warnings=self._warnings(business, campaign)
        )
        return view if campaign.voucher is None else replace(view, brought_in={})

    def get(self, business_id: str, campaign_id: str) -> CampaignView:
        """The campaign with its counts and what holds it back. Raises ``NotFoundError``."""
        campaign = self.find(business_id, campaign_id)
        return self._with_hold(self.view(campaign))

    def _with_hold(self, view: CampaignView) -> CampaignView:
        """The view with what holds all of the campaign back, or else some of it, if anything does."""
        campaign, now = view.campaign, self.clock.now()
        if campaign.status not in RUNNING:
            return view
        if campaign.channel is Channel.EMAIL:
            until = self.rates.current(EMAIL_ACCOUNT.name, now).stopped_until(now)
            if until is not None:
                return replace(view, held_until=until, held_because=HoldReason.DAILY_QUOTA)
        if view.results[MessageStatus.QUEUED] == 0:
            return view
        holds = {until: why for until, why in self.chunks.holds(campaign.campaign_id).items() if until > now}
        if HoldReason.QUIET_HOURS in holds.values() and not self._has_quiet_hours(view):
            # Quiet hours have been switched off since, and the messages that waited for their end are on their way.
            holds = {until: why for until, why in holds.items() if why is not HoldReason.QUIET_HOURS}
        if campaign.split is not None and (chosen_at := campaign.split.awaited_at) is not None and chosen_at > now:
            holds[chosen_at] = HoldReason.WINNER
        return replace(view, held_until=min(holds), held_because=holds[min(holds)]) if holds else view

    def _has_quiet_hours(self, view: CampaignView) -> bool:
        campaign = view.campaign
        hours = self.businesses.get(campaign.business_id).quiet_hours
        channels = {campaign.channel, Channel.EMAIL} if view.fell_back_to_email else {campaign.channel}
        return any(hours.window(channel, campaign.category) is not None for channel in channels)

    def view(self, campaign: Campaign) -> CampaignView:
        """The campaign with its counts now."""
        counts = self.tallies.counts(campaign.campaign_id)
        progress = self.expansion.list(campaign.campaign_id)
        business = self.businesses.get(campaign.business_id)
        view = counted(campaign, [part.audience for part in progress], counts)
        over_time = results_over_time(counts, campaign.run_id)
        is_expanded = len(progress) == campaign.ranges and all(part.done for part in progress)
        warnings = self._warnings(business, campaign)
        now = self.clock.now()
        goal, outcomes = goal_results(campaign, counts, now), variant_outcomes(campaign, counts, now)
        view = replace(view, warnings=warnings, is_expanded=is_expanded, over_time=over_time)
        view = replace(view, goal=goal, outcomes=outcomes)
        if campaign.voucher is not None:
            brought_in = self.voucher_book.totals(campaign.business_id, campaign.campaign_id)
            view = replace(view, brought_in=brought_in, reward_percent=business.voucher_reward_percent)
        children = tuple(self.view(child) for child in self.children(campaign))
        return view if not children else _together(view, children)

    def _warnings(self, business: Business, campaign: Campaign) -> tuple[FieldError, ...]:
        warnings = warnings_about(business, campaign.category, campaign.channel)
        if campaign.voucher is None:
            return warnings
        return (*warnings, *about_voucher(all_said(self._loaded(campaign))))

    def _loaded(self, campaign: Campaign) -> Campaign:
        """The campaign with what it says, also where that is kept with its template."""
        try:
            return loaded(campaign, self.template_contents)
        except InvalidInputError:
            # A draft whose template is deleted says nothing.
            return campaign

    def children(self, campaign: Campaign) -> Sequence[Campaign]:
        """The children that there are of a campaign; nothing is read for one that has none."""
        found: list[Campaign] = []
        for child_id in children_ids(campaign) if campaign.run_id is not None else ():
            with suppress(NotFoundError):
                found.append(self.campaigns.get(campaign.business_id, child_id))
        return found

    def foreseen(self, campaign: Campaign) -> Audience | None:
        """Whom the campaign would reach, if that can be told quickly."""
        total = Audience()
        for part in parts_of(campaign):
            audience = self.foresee(part)
            if audience is None:
                return None
            total = total.plus(audience)
        return total

    def page(
        self, business_id: str, limit: int, cursor: str | None, wanted: CampaignsWanted = ALL_CAMPAIGNS
    ) -> Page[CampaignView]:
        """The business's campaigns, newest first. Raises ``InvalidInputError`` when what is wanted is nothing."""
        page = self.listed(business_id, limit, cursor, wanted)
        return Page([self.view(campaign) for campaign in page.items], page.next_cursor)

    def listed(
        self, business_id: str, limit: int, cursor: str | None, wanted: CampaignsWanted = ALL_CAMPAIGNS
    ) -> Page[Campaign]:
        """The same without their counts, which are read for each campaign. Raises as ``page`` does."""
        return self.campaigns.page(business_id, limit, cursor, wanted.compiled())

    def find(self, business_id: str, campaign_id: str) -> Campaign:
        """The campaign alone. Raises ``NotFoundError``, also for what only carries messages."""
        campaign = self.campaigns.get(business_id, campaign_id)
        if campaign.is_carrier:
            raise NotFoundError("campaign")
        return campaign

    def check(
        self,
        business: Business,
        selection: Selection,
        content: Said | None,
        category: Category,
        timing: Timing | None,
        wrong: Sequence[FieldError] = (),
        voucher: Voucher | None = None,
    ) -> Selection:
        """Check what is given; returns whom it means, with the filters of saved segments as they are now.

        ``wrong`` is what is known to be wrong besides. Raises ``InvalidInputError`` with everything that is wrong.
        """
        errors = [*wrong]
        meant = selection
        try:
            if content is not None:
                check_said(content, category, business, variables_of(voucher))
        except InvalidInputError as error:
            errors.extend(error.errors)
        try:
            meant = self.pin_filters.selection(business.business_id, selection)
        except InvalidInputError as error:
            errors.extend(error.errors)
        if timing is not None:
            errors.extend(timing.problems(business, self.clock.now(), FARTHEST_SCHEDULE))
        if errors:
            raise InvalidInputError(*errors)
        return meant

    def checked_voucher(
        self, business: Business, voucher: Voucher | None, starts_at: datetime | None
    ) -> Voucher | None:
        """The voucher as it is kept. Raises ``InvalidInputError`` for one that nobody could use."""
        if voucher is None:
            return None
        now = self.clock.now()
        return checked(voucher, business.time_zone, max(now, starts_at or now))

    def with_number(self, campaign: Campaign) -> Campaign:
        """The campaign, whose voucher has a number: given before it is written. Raises ``InvalidInputError``."""
        check_fits(campaign)
        voucher = campaign.voucher
        if voucher is None or voucher.number:
            return campaign
        number = self.voucher_book.number(campaign.business_id, campaign.campaign_id)
        return replace(campaign, voucher=replace(voucher, number=number))


def _together(view: CampaignView, children: tuple[CampaignView, ...]) -> CampaignView:
    """The view of a campaign with the counts of its children in it, and with what their vouchers brought in."""
    audience, results, fell_back = view.audience, dict(view.results), view.fell_back_to_email
    brought_in = view.brought_in
    for child in children:
        audience = audience.plus(child.audience)
        fell_back += child.fell_back_to_email
        if brought_in is not None and child.brought_in is not None:
            brought_in = summed(brought_in, child.brought_in)
        for status, count in child.results.items():
            results[status] += count
    return replace(
        view,
        audience=audience,
        results=MappingProxyType(results),
        fell_back_to_email=fell_back,
        brought_in=brought_in,
        over_time=added(each.over_time for each in (view, *children)),
        is_expanded=view.is_expanded and all(child.is_expanded for child in children),
        children=children,
    )


def status_when_announced(starts_at: datetime | None, now: datetime) -> CampaignStatus:
    """Where a campaign stands that is no draft and has not begun."""
    return CampaignStatus.SCHEDULED if starts_at is not None and starts_at > now else CampaignStatus.EXPANDING


def counted(campaign: Campaign, parts: Sequence[Audience], counts: Mapping[str, int]) -> CampaignView:
    """Put the counts together: those of the expansion and those of the messages."""
    audience = Audience()
    for part in parts:
        audience = audience.plus(part)
    left_out = {
        reason: count for status, count in counts.items() if (reason := status.removeprefix("excluded:")) != status
    }
    by_variant = results_by_variant(campaign.split, audience.variants, counts)
    targeted = MappingProxyType({each.name: each.targeted for each in by_variant})
    audience = audience.plus(Audience(0, MappingProxyType(left_out)))
    audience = replace(audience, variants=targeted)
    return CampaignView(
        campaign,
        audience,
        results_of(counts, audience.targeted),
        fell_back_to_email=counts.get(FELL_BACK, 0),
        variants=by_variant,
    )
