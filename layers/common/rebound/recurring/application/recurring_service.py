"""Recurring campaigns: making, changing, reading and removing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.campaigns.application.check_contents import about_voucher
from rebound.kernel.errors import (
    ChangedMeanwhileError,
    ConcurrentChangeError,
    FieldError,
    InvalidInputError,
    NotFoundError,
)
from rebound.kernel.pages import Page
from rebound.kernel.retrying import retried
from rebound.recurring.domain.recurring_campaigns import GUARD, RecurringCampaign, Regular, timer_for
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import Said, TemplateContent
from rebound.templates.domain.rendering import warnings_about

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.campaign_service import CampaignService, CampaignView
    from rebound.platform.ports import Clock, Ids, RequestIds
    from rebound.recurring.application.count_recurring import CountRecurring
    from rebound.recurring.domain.days import Window
    from rebound.recurring.domain.looks import Insight
    from rebound.recurring.ports import Occurrences, RecurringBook
    from rebound.segments.domain.segments import SavedSegments
    from rebound.segments.ports import SegmentBook
    from rebound.templates.application.template_contents import TemplateContents
    from rebound.timers.ports import TimerBook

NO_SEGMENT: Final = FieldError(
    "audience.segment_id", "There is no such segment any more: nothing is sent until another is given."
)


UNTIL_MENDED: Final = "Occurrences fail until that is mended, or another template is given."


class RecurringView(Struct, frozen=True):
    """A recurring campaign, its next occurrence on the business's clock, and what it would have been so far.

    ``warnings`` say what had better be set right.
    """

    recurring: RecurringCampaign
    coming: Window | None
    insight: Insight
    warnings: tuple[FieldError, ...] = ()


Change = Callable[[RecurringCampaign], RecurringCampaign]
"""Gives a recurring campaign as a client would have it, not checked. Raises ``InvalidInputError``."""


class RecurringService(Struct, frozen=True, kw_only=True):
    """The recurring campaigns of one business at a time.

    While one is on there is a timer for its next look. It is written before the recurring campaign is, and so far off
    that it does not wake before that; if the write fails, whoever is woken finds nothing to do.
    """

    recurring: RecurringBook
    occurrences: Occurrences
    businesses: BusinessDirectory
    segments: SegmentBook
    campaign_service: CampaignService
    count: CountRecurring
    template_contents: TemplateContents
    timers: TimerBook
    clock: Clock
    ids: Ids
    request_ids: RequestIds

    def post(self, new: RecurringCampaign, request: str | None = None) -> RecurringView:
        """Accept one, whose id and times are not set yet. Raises ``InvalidInputError``.

        ``request`` names the client's request: trying it again after a crash goes on with the same.
        """
        business, now = self.businesses.get(new.business_id), self.clock.now()
        self._checked(business, new)
        proposed = self.ids.ulid(now)
        id_ = proposed if request is None else self.request_ids.id_for(new.business_id, request, proposed)

        def write() -> None:
            segments = self._segments_for(new, None)
            made = replace(self._checked(business, new), recurring_id=id_, created_at=now, updated_at=now)
            made = replace(made, content=_unpinned(made.content)).switched(None, now)
            self._wake(business, made, now)
            try:
                self.recurring.add(made, segments if made.segments else None)
            except ConcurrentChangeError:
                # The same request has made it before, or somebody has written a segment meanwhile.
                if not self._is_there(new.business_id, id_):
                    raise

        retried(write)
        return self.get(new.business_id, id_)

    def change(self, business_id: str, recurring_id: str, change: Change, tags: Sequence[str] | None) -> RecurringView:
        """Change one; what was sent stays. ``tags`` are those that a client takes for its state (``tag_of``).

        Raises ``NotFoundError``, ``InvalidInputError`` and ``ChangedMeanwhileError``.
        """
        business = self.businesses.get(business_id)

        def write() -> None:
            before, now = self._expected(business_id, recurring_id, tags), self.clock.now()
            after = change(before)
            segments = self._segments_for(after, before)
            after = self._checked(business, after, before)
            after = replace(after, updated_at=now, content=_unpinned(after.content)).switched(before, now)
            self._wake(business, after, now)
            self.recurring.replace(before, after, segments if after.segments else None)

        _once_more(write, tags)
        return self.get(business_id, recurring_id)

    def delete(self, business_id: str, recurring_id: str, tags: Sequence[str] | None) -> None:
        """Remove one; what was sent stays. Raises ``NotFoundError`` and ``ChangedMeanwhileError``."""
        _once_more(lambda: self.recurring.delete(self._expected(business_id, recurring_id, tags)), tags)

    def get(self, business_id: str, recurring_id: str) -> RecurringView:
        """One, and what it would have been. Raises ``NotFoundError``."""
        view = self._view(self.recurring.get(business_id, recurring_id))
        counted = self.count.now(view.recurring, view.insight)
        return view if counted is None else replace(view, insight=counted)

    def find(self, business: Business, recurring_id: str) -> RecurringView:
        """The same without warnings, and as it was counted last: two requests. Raises ``NotFoundError``."""
        recurring = self.recurring.get(business.business_id, recurring_id)
        insight = self.occurrences.insight(business.business_id, recurring_id)
        return RecurringView(
            recurring, recurring.next_occurrence(self.clock.now(), business, insight.looked_at), insight
        )

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[RecurringView]:
        """Those of a business, the oldest first."""
        page = self.recurring.page(business_id, limit, cursor)
        return Page([self._view(each) for each in page.items], page.next_cursor)

    def occurrences_of(self, business_id: str, recurring_id: str, limit: int, cursor: str | None) -> Page[CampaignView]:
        """The campaigns that came of one, newest first; also of one that has been removed since.

        Raises ``NotFoundError`` for one that never was.
        """
        page = self.occurrences.page(business_id, recurring_id, limit, cursor)
        if not page.items:
            self.recurring.get(business_id, recurring_id)
        views: list[CampaignView] = []
        for campaign_id in page.items:
            try:
                views.append(self.campaign_service.view(self.campaign_service.find(business_id, campaign_id)))
            except NotFoundError:
                # It is noted a moment before it is made.
                continue
        return Page(views, page.next_cursor)

    def _view(self, recurring: RecurringCampaign) -> RecurringView:
        business = self.businesses.get(recurring.business_id)
        insight = self.occurrences.insight(recurring.business_id, recurring.recurring_id)
        warnings = warnings_about(business, recurring.category, recurring.channel)
        if isinstance(recurring.audience, Regular) and not self._has_segment(recurring, recurring.audience.selection):
            warnings = (*warnings, NO_SEGMENT)
        warnings = (*warnings, *self._of_what_is_said(recurring))
        return RecurringView(
            recurring,
            recurring.next_occurrence(self.clock.now(), business, insight.looked_at),
            insight,
            tuple(warnings),
        )

    def _is_there(self, business_id: str, recurring_id: str) -> bool:
        try:
            self.recurring.get(business_id, recurring_id)
        except NotFoundError:
            return False
        return True

    def _segments_for(self, after: RecurringCampaign, before: RecurringCampaign | None) -> SavedSegments | None:
        """The segments of the business, if others may be used from now on; read before these are checked."""
        if not isinstance(after.audience, Regular) or (before is not None and after.audience == before.audience):
            return None
        return self.segments.all(after.business_id)

    def _of_what_is_said(self, recurring: RecurringCampaign) -> Sequence[FieldError]:
        """Why an occurrence could not be made of the template as it is now, or would not show its voucher."""
        said = recurring.content
        if isinstance(said, TemplateContent):
            made = partial(self.template_contents.made, recurring.business_id, said.made_from)
            try:
                said = made(recurring.channel, recurring.category)
            except InvalidInputError as error:
                return [replace(each, message=f"{each.message} {UNTIL_MENDED}") for each in error.errors]
        return () if recurring.voucher is None else tuple(about_voucher({"content": said}))

    def _has_segment(self, recurring: RecurringCampaign, selection: Selection) -> bool:
        if selection.segment_id is None:
            return True
        try:
            self.segments.get(recurring.business_id, selection.segment_id)
        except NotFoundError:
            return False
        return True

    def _expected(self, business_id: str, recurring_id: str, tags: Sequence[str] | None) -> RecurringCampaign:
        found = self.recurring.get(business_id, recurring_id)
        if tags is not None and "*" not in tags and tag_of(found) not in tags:
            raise ChangedMeanwhileError("The recurring campaign has been changed since it was read.")
        return found

    def _checked(
        self, business: Business, after: RecurringCampaign, before: RecurringCampaign | None = None
    ) -> RecurringCampaign:
        """What is given, or changed, as it is kept. Raises ``InvalidInputError`` with paths as in requests."""
        says = before is None or (after.content, after.category, after.voucher) != (
            before.content,
            before.category,
            before.voucher,
        )
        asks = isinstance(after.audience, Regular) and (before is None or after.audience != before.audience)
        selection = (
            after.audience.selection if asks and isinstance(after.audience, Regular) else Selection(filter={"all": []})
        )
        try:
            self.campaign_service.check(
                business, selection, after.content if says else None, after.category, None, voucher=after.voucher
            )
        except InvalidInputError as error:
            raise InvalidInputError(*map(_below_audience, error.errors)) from None
        if before is not None and after.voucher == before.voucher:
            return after
        return replace(after, voucher=self.campaign_service.checked_voucher(business, after.voucher, None))

    def _wake(self, business: Business, recurring: RecurringCampaign, now: datetime) -> None:
        """Have somebody look soon, because who is due may be others now, and at the next hour, if that is sooner."""
        look = recurring.next_look(now, business)
        if look is not None:
            looks = {now + GUARD, min(look, now + GUARD)}
            self.timers.put([timer_for(recurring, each) for each in sorted(looks)])


def tag_of(recurring: RecurringCampaign) -> str:
    """By what a client knows the state of a recurring campaign."""
    return str(recurring.version)


def _once_more(write: Callable[[], None], tags: Sequence[str] | None) -> None:
    """Write what has to be as it was read; who names a state is told at once when it is another."""
    if tags is None:
        retried(write)
        return
    retried(write, attempts=2)


def _unpinned(said: Said) -> Said:
    """What each occurrence says as its template is published then."""
    return said.unpinned if isinstance(said, TemplateContent) else said


def _below_audience(error: FieldError) -> FieldError:
    below = error.field.split(".")[0].split("[")[0] in {"segment_id", "filter"}
    return replace(error, field=f"audience.{error.field}") if below else error
