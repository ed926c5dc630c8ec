"""Editing campaigns that have not begun, copying any, and announcing drafts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType

from rebound.businesses.application.timing import Timing
from rebound.campaigns.application.barriers import check_barrier
from rebound.campaigns.application.campaign_service import status_when_announced
from rebound.campaigns.application.check_contents import (
    NEEDS_VARIANTS,
    check_parts,
    tier_problems,
    unpinned,
    variant_problems,
    winner_problems,
)
from rebound.campaigns.domain.by_tier import as_posted
from rebound.campaigns.domain.campaigns import ENDED, Campaign, CampaignStatus, all_named
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.errors import (
    ChangedMeanwhileError,
    ConcurrentChangeError,
    ConflictError,
    FieldError,
    InvalidInputError,
)
from rebound.kernel.retrying import retried
from rebound.messages.domain.goals import Goal
from rebound.messages.domain.mailing import in_both_lists
from rebound.messages.domain.variants import Split, Variant, drawn_anew, split_of
from rebound.messages.domain.vouchers import Voucher
from rebound.messages.domain.winners import WinnerRule
from rebound.segments.domain.filters import NO_SUCH_SEGMENT
from rebound.segments.domain.selections import Selection, as_asked
from rebound.templates.domain.content import UNWRITTEN, Said, TemplateContent

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.campaign_service import CampaignService, CampaignView
    from rebound.campaigns.ports import CampaignBook, CampaignRunner
    from rebound.platform.ports import Clock, Ids, RequestIds
    from rebound.templates.application.template_contents import TemplateContents


class CampaignChange(Struct, frozen=True):
    """What is to change; what is ``None`` stays. A ``voucher`` of ``None`` takes it away.

    Content is made for the campaign as it is changed otherwise, and the time of the one that it has. Raises what these
    raise.
    """

    name: str | None = None
    category: Category | None = None
    selection: Callable[[Selection], Selection] | None = None
    content: Callable[[Campaign], Said] | None = None
    contents: Callable[[Campaign], Mapping[str, Said]] | None = None
    exclude_failed: bool | None = None
    include_customer_ids: frozenset[str] | None = None
    include_external_ids: frozenset[str] | None = None
    exclude_customer_ids: frozenset[str] | None = None
    exclude_external_ids: frozenset[str] | None = None
    timing: Callable[[Timing], Timing] | None = None
    voucher: Voucher | UnsetType | None = UNSET
    variants: Callable[[Campaign], tuple[Variant, ...]] | None = None
    holdout: int | None = None
    goal: Goal | UnsetType | None = UNSET
    winner: WinnerRule | UnsetType | None = UNSET

    def applied_to(self, campaign: Campaign) -> Campaign:
        """The campaign with the change, not checked."""
        given = {name: getattr(self, name) for name in ("name", "category", "exclude_failed")}
        changed = replace(campaign, **{name: value for name, value in given.items() if value is not None})
        changed = self._with_lists(changed)
        if self.selection is not None:
            changed = replace(changed, selection=self.selection(campaign.selection))
        if not isinstance(self.voucher, UnsetType):
            changed = replace(changed, voucher=_numbered_as(campaign, self.voucher))
        if self.content is not None:
            changed = replace(changed, content=self.content(changed), contents=None)
            changed = _divided(changed, variants=())
        if self.contents is not None:
            contents = self.contents(changed)
            changed = replace(changed, content=next(iter(contents.values())), contents=contents, split=None, goal=None)
        if self.variants is not None:
            variants = self.variants(changed)
            changed = _divided(changed, variants=variants)
            if variants:
                changed = replace(changed, content=variants[0].content or changed.content, contents=None)
        changed = _divided(changed, holdout=self.holdout, winner=self.winner)
        if not isinstance(self.goal, UnsetType):
            changed = replace(changed, goal=self.goal)
        if self.timing is not None:
            timing = self.timing(timing_of(campaign))
            changed = replace(
                changed, send_at=timing.starts_at, local_time=timing.local_time, expires_at=timing.expires_at
            )
        return changed

    def _with_lists(self, campaign: Campaign) -> Campaign:
        """Of those to add and of those to take out, whom the list names that is not to change stays."""
        ours, theirs = self.include_customer_ids, self.include_external_ids
        ours = campaign.named_to_include if ours is None else ours
        theirs = campaign.include_external_ids if theirs is None else theirs
        added = all_named(campaign.business_id, ours, theirs)
        campaign = replace(campaign, include_customer_ids=added, include_external_ids=theirs)
        ours, theirs = self.exclude_customer_ids, self.exclude_external_ids
        ours = campaign.named_to_exclude if ours is None else ours
        theirs = campaign.exclude_external_ids if theirs is None else theirs
        taken_out = all_named(campaign.business_id, ours, theirs)
        return replace(campaign, exclude_customer_ids=taken_out, exclude_external_ids=theirs)

    @property
    def says_something(self) -> bool:
        """Whether the change is about what is said."""
        return self.content is not None or self.variants is not None


NO_CHANGE = CampaignChange()


class EditCampaign(Struct, frozen=True, kw_only=True):
    """Edits, copies and announces campaigns.

    The row is written on the condition that it is as it was read, and so is the plan of the run: an edit is in what is
    sent as a whole, or it is refused and not in it at all. A campaign that waits for a time has a schedule for it
    before its row says so; a schedule for another time starts nothing (``PlanCampaign``).
    """

    campaigns: CampaignBook
    runner: CampaignRunner
    view: CampaignService
    businesses: BusinessDirectory
    clock: Clock
    ids: Ids
    request_ids: RequestIds
    template_contents: TemplateContents
    space_out: Callable[[Campaign], None]

    def change(
        self,
        business_id: str,
        campaign_id: str,
        wanted: CampaignChange | Callable[[Campaign], CampaignChange],
        *,
        version: int | None = None,
        foresees: bool = True,
    ) -> CampaignView:
        """Change a draft, or a campaign that has not begun; one whose time is then over begins at once.

        What is ``wanted`` may depend on the campaign as it is when it is written: nobody else's change is lost then.
        What that raises is raised. With a ``version`` only as it was then. ``foresees`` is as in
        ``CampaignService.post``. Raises ``NotFoundError``, ``InvalidInputError``, ``ConflictError`` when it has begun,
        and ``ChangedMeanwhileError``.
        """
        foreseen: list[Audience | None] = []

        def write() -> Campaign:
            campaign = self.view.find(business_id, campaign_id)
            if not campaign.is_editable:
                raise begun(campaign)
            change = wanted if isinstance(wanted, CampaignChange) else wanted(campaign)
            _check_version(campaign, version)
            changed, meant = self._checked(campaign, change)
            if change.timing is not None and campaign.status is CampaignStatus.SCHEDULED:
                changed = replace(changed, status=status_when_announced(changed.send_at, self.clock.now()))
            if not foreseen:
                # Before anything is sent; a change that loses a race against another one is foreseen by the first read.
                foreseen.append(self.view.foreseen(replace(changed, selection=meant)) if foresees else None)
            if changed.status is not CampaignStatus.DRAFT and _is_for(changed) != _is_for(campaign):
                self.space_out(changed)
            return self._written(campaign, changed)

        changed = retried(write)
        self._begin(changed)
        return self.view.accepted(self.businesses.get(business_id), changed, foreseen[0])

    def announce(self, business_id: str, campaign_id: str, *, version: int | None = None) -> CampaignView:
        """Send a draft, now or at its time. For a campaign that has been announced it only makes sure of that.

        With a ``version`` only a draft as it was then. Raises ``NotFoundError``, ``InvalidInputError``,
        ``ConflictError`` and ``ChangedMeanwhileError``.
        """
        business = self.businesses.get(business_id)

        def write() -> Campaign:
            campaign = self.view.find(business_id, campaign_id)
            if campaign.status in ENDED:
                raise ConflictError(
                    "campaign_ended", f"The campaign is {campaign.status}.", campaign_status=campaign.status
                )
            if campaign.status is not CampaignStatus.DRAFT:
                return campaign
            _check_version(campaign, version)
            pinned = self._for_kind(campaign)
            variants = _variants_of(pinned)
            wrong = [*tier_problems(campaign, business), *variant_problems(pinned, variants, business)]
            meant = self.view.check(
                business,
                campaign.selection,
                pinned.content if campaign.contents is None and not variants else None,
                campaign.category,
                timing_of(campaign),
                wrong,
                campaign.voucher,
            )
            check_parts(meant, campaign.contents)
            self.view.checked_voucher(business, campaign.voucher, campaign.send_at)
            check_barrier(business, campaign.channel)
            self.view.judge(business, campaign.category)
            status = status_when_announced(campaign.send_at, self.clock.now())
            announced = replace(pinned, status=status)
            self.space_out(announced)
            return self._written(campaign, announced)

        self._begin(retried(write))
        return self.view.get(business_id, campaign_id)

    def copy(
        self,
        business_id: str,
        campaign_id: str,
        change: CampaignChange = NO_CHANGE,
        request: str | None = None,
        *,
        draws_anew: bool = True,
    ) -> CampaignView:
        """A draft that says the same to the same audience, with the change; it has no time unless that gives one.

        ``request`` names the client's request, as in ``CampaignService.post``. Unless it ``draws_anew``, everybody has
        the variant that they had, and the same are held out. Raises ``NotFoundError`` and
        ``InvalidInputError``.
        """
        campaign, now = self.view.find(business_id, campaign_id), self.clock.now()
        proposed = self.ids.ulid(now)
        campaign_id = proposed if request is None else self.request_ids.id_for(business_id, request, proposed)
        draft = Campaign(
            business_id=business_id,
            campaign_id=campaign_id,
            name=campaign.name,
            category=campaign.category,
            channel=campaign.channel,
            # The filters of saved segments are those of the time at which a campaign begins.
            selection=as_asked(as_posted(campaign)),
            content=campaign.content,
            contents=campaign.contents,
            created_at=now,
            status=CampaignStatus.DRAFT,
            exclude_failed=campaign.exclude_failed,
            include_customer_ids=campaign.include_customer_ids,
            include_external_ids=campaign.include_external_ids,
            exclude_customer_ids=campaign.exclude_customer_ids,
            exclude_external_ids=campaign.exclude_external_ids,
            voucher=None if campaign.voucher is None else replace(campaign.voucher, number=0),
            split=drawn_anew(campaign.split, campaign_id) if draws_anew else campaign.split,
            goal=campaign.goal,
        )
        copied, meant = self._checked(draft, change)
        foreseen = self.view.foreseen(replace(copied, selection=meant))
        copied = self.view.with_number(copied)
        try:
            self.campaigns.add(copied)
        except ConcurrentChangeError:
            copied = self.campaigns.get(business_id, copied.campaign_id)
        return self.view.accepted(self.businesses.get(business_id), copied, foreseen)

    def _checked(self, campaign: Campaign, change: CampaignChange) -> tuple[Campaign, Selection]:
        """The changed campaign, and whom it means. Raises ``InvalidInputError`` for what the change names."""
        changed = change.applied_to(campaign)
        both = in_both_lists(changed.include_customer_ids, changed.exclude_customer_ids)
        is_given_anew = not isinstance(change.voucher, UnsetType)
        is_said_anew = change.says_something or change.category is not None or is_given_anew
        is_unwritten = changed.status is CampaignStatus.DRAFT and changed.content in UNWRITTEN
        is_said_anew = is_said_anew and changed.contents is None and not is_unwritten
        if change.category is not None and not change.says_something:
            changed = self._for_kind(changed)
        business, variants = self.businesses.get(campaign.business_id), _variants_of(changed)
        divided = [
            FieldError(name, "Give either this or contents, by tier.")
            for name, given in (("holdout", changed.split), ("goal", changed.goal))
            if changed.contents is not None and given is not None
        ]
        divided += variant_problems(changed, variants if is_said_anew else (), business)
        divided += winner_problems(changed, changed.split, changed.local_time)
        try:
            meant = self.view.check(
                business,
                changed.selection,
                changed.content if is_said_anew and not variants else None,
                changed.category,
                None if change.timing is None else timing_of(changed),
                (*both, *tier_problems(changed, business), *divided),
                changed.voucher,
            )
            check_parts(meant, changed.contents)
        except InvalidInputError as error:
            # A segment that has been deleted since is no fault of a change that is about something else.
            wrong = [each for each in error.errors if change.selection is not None or not _is_about_segment(each)]
            if wrong:
                raise InvalidInputError(*wrong) from None
            meant = Selection(filter={"any": []})
        if is_given_anew or change.timing is not None:
            changed = replace(changed, voucher=self.view.checked_voucher(business, changed.voucher, changed.send_at))
        if changed.status is CampaignStatus.DRAFT:
            changed = changed.with_said(unpinned)
        return changed, meant

    def _for_kind(self, campaign: Campaign) -> Campaign:
        """A campaign with the versions of its templates that it has then. Raises ``InvalidInputError``."""
        business_id, channel, category = campaign.business_id, campaign.channel, campaign.category

        def made(said: Said) -> Said:
            if not isinstance(said, TemplateContent):
                return said
            return self.template_contents.made(business_id, said.made_from, channel, category)

        return campaign.with_said(made)

    def _written(self, before: Campaign, after: Campaign) -> Campaign:
        after = self.view.with_number(after)
        if after.status is CampaignStatus.SCHEDULED or after.status is CampaignStatus.PAUSED:
            self._schedule(after)
        self.campaigns.replace(before, after)
        return replace(after, version=before.version + 1)

    def _schedule(self, campaign: Campaign) -> None:
        at: datetime | None = campaign.send_at
        if at is not None and at > self.clock.now():
            self.runner.schedule(campaign.business_id, campaign.campaign_id, at)

    def _begin(self, campaign: Campaign) -> None:
        begin(campaign, self.runner)


def _check_version(campaign: Campaign, version: int | None) -> None:
    if version is not None and campaign.version != version:
        raise ChangedMeanwhileError("The campaign has been changed since it was read.")


def _is_for(campaign: Campaign) -> tuple[object, ...]:
    """What decides which other campaigns it has to keep away from."""
    return campaign.category, campaign.selection, campaign.send_at, frozenset(campaign.contents or ())


def begin(campaign: Campaign, runner: CampaignRunner) -> None:
    """Start a campaign that is to begin now and has no run yet; doing it again does nothing."""
    if campaign.status is CampaignStatus.EXPANDING and campaign.run_id is None:
        # It may have been started, and found not due, before.
        runner.start(campaign.business_id, campaign.campaign_id, f"{campaign.campaign_id}-{campaign.version}")


def _variants_of(campaign: Campaign) -> tuple[Variant, ...]:
    return () if campaign.split is None else campaign.split.variants


def _divided(
    campaign: Campaign,
    *,
    variants: tuple[Variant, ...] | None = None,
    holdout: int | None = None,
    winner: WinnerRule | UnsetType | None = UNSET,
) -> Campaign:
    """The campaign with other variants, another holdout, or another rule for the winner."""
    if variants is None and holdout is None and isinstance(winner, UnsetType):
        return campaign
    before = campaign.split or Split(campaign.campaign_id)
    variants = before.variants if variants is None else variants
    rule = before.winner if isinstance(winner, UnsetType) else winner
    if isinstance(winner, WinnerRule) and not variants:
        raise InvalidInputError(FieldError("winner", NEEDS_VARIANTS))
    split = split_of(before.test_id, variants, before.holdout if holdout is None else holdout, rule)
    return replace(campaign, split=split)


def timing_of(campaign: Campaign) -> Timing:
    """When a campaign is to be sent, as a client asks for it."""
    if campaign.local_time is not None:
        return Timing(local_time=campaign.local_time, expires_at=campaign.expires_at)
    return Timing(campaign.send_at, expires_at=campaign.expires_at)


def begun(campaign: Campaign) -> ConflictError:
    """The error for an edit that comes too late."""
    if campaign.status in ENDED:
        return ConflictError("campaign_ended", f"The campaign is {campaign.status}.", campaign_status=campaign.status)
    return ConflictError(
        "campaign_begun",
        f"The campaign has begun ({campaign.status}): what it says and to whom is fixed. A copy can say more.",
        campaign_status=campaign.status,
    )


def _numbered_as(campaign: Campaign, voucher: Voucher | None) -> Voucher | None:
    """The voucher, with the number that the campaign has already."""
    if voucher is None or campaign.voucher is None:
        return voucher
    return replace(voucher, number=campaign.voucher.number)


def _is_about_segment(error: FieldError) -> bool:
    return error.field == "segment_id" or error.message == NO_SUCH_SEGMENT
