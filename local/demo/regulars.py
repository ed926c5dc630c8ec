"""What comes of knowing what customers did: campaigns that go out by themselves, a gift that is redeemed, tiers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import batched
from typing import Any, Final
from zoneinfo import ZoneInfo

from local.demo.api import BroughtIn, Campaign, Rebound, Recurring, Redemption, Tiers
from local.demo.errors import DemoError
from local.demo.progress import Progress, campaign_line
from local.demo.sample import parse
from local.samples.salon_year import CURRENCY, LOST_AFTER_DAYS, MEMBERSHIP, Year, year_until

BATCH: Final = 500
POLL_SECONDS: Final = 1.0
APPLIED_SECONDS: Final = 120.0
"""How long what customers did may take until it is applied."""
OCCURRED_SECONDS: Final = 400.0
"""How long an occurrence may take: until its minute, the look of that minute, and a midnight that is near."""
FINAL_SECONDS: Final = 60.0
"""How long the final words about a small campaign may take."""
ORDER_AMOUNT: Final = "80.00"
_LEAD: Final = timedelta(seconds=8)
_NEARLY_MIDNIGHT: Final = timedelta(minutes=5)
_OPEN_STATUSES: Final = ("scheduled", "expanding", "sending")

_BIRTHDAYS: Final[Mapping[str, Any]] = {
    "name": "Birthdays",
    "audience": {"birthday": {"days_before": 0}},
    "content": {
        "subject": "Happy birthday, ##{{first_name}}",
        "text": "Dear ##{{first_name}},\n\na glass of something good is waiting for you today.\n\nJuniper & Vale",
    },
}
_LOST: Final[Mapping[str, Any]] = {
    "name": "We miss you",
    "audience": {"lost_customer": {"after_days": LOST_AFTER_DAYS}},
    "content": {
        "subject": "Long time no see, ##{{first_name}}",
        "text": "Dear ##{{first_name}},\n\nyour chair is still here. Come back soon.\n\nJuniper & Vale",
    },
}
_CAME: Final = "came"
_RETURNED: Final = "returned"
_MEMBERS: Final = "members"
_GIFT: Final[Mapping[str, Any]] = {
    "name": "A gift for our members",
    "category": "marketing",
    "channel": "email",
    "segment_id": _MEMBERS,
    "voucher": {"kind": "percent", "value": "10", "currency": CURRENCY, "valid_days": 30},
    "content": {
        "subject": "A gift for you, ##{{first_name}}",
        "text": "##{{voucher_value}} off with the code ##{{voucher_code}}, until ##{{voucher_until}}.",
    },
}


@dataclass(frozen=True)
class Occurred:
    """An occurrence of a recurring campaign, and how that stands."""

    recurring: Recurring
    day: str
    campaign: Campaign


@dataclass(frozen=True)
class Gift:
    """A campaign with a voucher, of which one customer's was redeemed."""

    campaign: Campaign
    name: str
    redemption: Redemption
    brought_in: BroughtIn


@dataclass
class Regular:
    """What the report tells of this; all numbers are the API's, except what was ``told`` and is ``expected``."""

    told: int = 0
    taken: int = 0
    families: int = 0
    birthdays: Occurred | None = None
    lost: Occurred | None = None
    gift: Gift | None = None
    tiers: Tiers | None = None
    expected: Mapping[str, int] = field(default_factory=dict)


def next_hour(now: datetime, day: date) -> datetime:
    """The next full minute that a request is surely in time for, on a local day or later."""
    soon = now + _LEAD
    minute = soon.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return max(minute, datetime.combine(day, time.min, now.tzinfo))


def day_of_this(now: datetime) -> date:
    """Today, or tomorrow if the day is over before a birthday's emails are out."""
    return (now + _NEARLY_MIDNIGHT).date()


class Regulars:
    """Begins what goes out by itself as early as can be, and looks at it when everything else is done."""

    def __init__(
        self,
        rebound: Rebound,
        progress: Progress,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
        run: str,
    ) -> None:
        self._rebound = rebound
        self._progress = progress
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._run = run
        self._zone = ZoneInfo("UTC")
        self._recurring: dict[str, str] = {}

    def year(self, sample_text: str) -> Year:
        """What the customers of the file did until today."""
        self._zone = ZoneInfo(zone := self._rebound.time_zone())
        return year_until(day_of_this(self._now().astimezone(self._zone)), parse(sample_text), zone)

    def begin(self, year: Year) -> Regular:
        """Tell what customers did, and switch on what is to go out by itself."""
        self._progress.step("2. Telling what the customers did within a year, and who belongs together")
        told = Regular(told=len(year.events), taken=self._tell(year.latest), families=len(year.families))
        for external_id in year.favourites:
            self._rebound.choose_favourite(external_id)
        for family in year.families:
            one = self._rebound.customer_of(family.one).customer_id
            # An earlier run may have linked them.
            if not self._rebound.relatives(one):
                self._rebound.relate(one, family.other, family.relationship)
        # Nobody is lost before it is known when everybody came last. What was before that changes nothing of it.
        self._await(_CAME, "Who ever came", {"visits": {"at_least": 1}}, year.visitors)
        self._switch_on(year.until)
        told.taken += self._tell(year.before)
        # Applied now, it does not compete with thousands of emails.
        self._await(_RETURNED, "Who came again", {"visits": {"at_least": 2}}, year.returned)
        self._progress.done(f"{told.taken:,} visits, purchases and more, {told.families} families")
        told.expected = {"birthdays": len(year.birthdays), "lost": len(year.lost), "members": len(year.members)}
        return told

    def _tell(self, events: Sequence[Mapping[str, Any]]) -> int:
        return sum(self._rebound.tell(some) for some in batched(events, BATCH, strict=False))

    def _await(self, segment_id: str, name: str, filter_tree: Mapping[str, Any], least: int) -> None:
        """Wait until what customers did is applied as far as so many are in a segment."""
        self._rebound.save_segment(segment_id, name, filter_tree)
        started = self._clock()
        while self._rebound.preview(segment_id, "email").matched < least:
            self._progress.update("waiting until it is applied")
            self._pause(started, APPLIED_SECONDS, f"{name}: what customers did is not applied")

    def _switch_on(self, today: date) -> None:
        names = {definition["name"] for definition in (_BIRTHDAYS, _LOST)}
        for each in self._rebound.all_recurring():
            if each.name in names:
                # An earlier run's.
                self._rebound.remove_recurring(each.recurring_id)
        for label, definition in (("birthdays", _BIRTHDAYS), ("lost", _LOST)):
            at = next_hour(self._now().astimezone(self._zone), today)
            when = {"channel": "email", "category": "marketing", "at": f"{at:%H:%M}", "backlog": True}
            self._recurring[label] = self._rebound.start_recurring({**definition, **when})
            self._progress.done(f"Switched on: {definition['name']}, each day at {at:%H:%M} in the salon's zone")

    def end(self, told: Regular) -> None:
        """Give the members something, and see what went out by itself meanwhile."""
        self._progress.step("10. A gift for the members: a voucher for each, and one of them comes with it")
        told.gift = self._give(told.expected["members"])
        self._progress.step("11. What went out by itself meanwhile, and who the customers are now")
        # An occurrence without anybody makes no campaign.
        if told.expected["birthdays"]:
            told.birthdays = self._occurred("birthdays")
        if told.expected["lost"]:
            told.lost = self._occurred("lost")
        told.tiers = self._tiers()
        sent = [each.campaign.audience.targeted for each in (told.birthdays, told.lost) if each is not None]
        self._progress.done(f"{sum(sent):,} emails for birthdays and to those who stay away")

    def _tiers(self) -> Tiers:
        """Who is of which tier, once all visits are applied, or nothing comes of waiting for that."""
        started = self._clock()
        while True:
            tiers = self._rebound.tiers()
            if tiers is not None and (all(tiers.tiers.values()) or self._clock() - started >= FINAL_SECONDS):
                return tiers
            self._progress.update("the tiers are being counted")
            self._pause(started, APPLIED_SECONDS, "The tiers are not counted")

    def _give(self, members: int) -> Gift | None:
        self._await(_MEMBERS, "Members", {"membership": {"id": MEMBERSHIP, "is": "active"}}, members)
        campaign = self._through("gift", self._rebound.start_campaign(_GIFT))
        for customer_id in self._rebound.recipients(campaign.campaign_id)[:1]:
            code = self._rebound.vouchers(customer_id)[campaign.campaign_id]
            redemption = self._rebound.redeem(code, customer_id, f"till-{self._run}", ORDER_AMOUNT)
            again = self._rebound.redeem(code, customer_id, f"till-{self._run}", ORDER_AMOUNT)
            if again != redemption:
                raise DemoError(f"The same order was answered with {redemption} and then with {again}.")
            name = self._rebound.customer(customer_id).name
            self._progress.done(f"{name} pays {redemption.discount} {redemption.currency} less with {code}")
            return Gift(campaign, name, redemption, self._rebound.brought_in(campaign.campaign_id))
        return None

    def _occurred(self, label: str) -> Occurred:
        recurring_id, started = self._recurring[label], self._clock()
        while (found := self._rebound.latest_occurrence(recurring_id)) is None:
            self._progress.update(f"{label}: its minute comes · {self._clock() - started:.0f} s")
            self._pause(started, OCCURRED_SECONDS, f"Nothing was sent by itself ({label})")
        campaign_id, day = found
        campaign = self._through(label, campaign_id)
        return Occurred(self._rebound.recurring(recurring_id), day, campaign)

    def _through(self, label: str, campaign_id: str) -> Campaign:
        """A small campaign, once it is completed and all final words are in, or none comes any more."""
        started = self._clock()
        while True:
            campaign = self._rebound.campaign(campaign_id)
            seconds = self._clock() - started
            self._progress.update(campaign_line([(label, campaign)], seconds))
            if campaign.status == "completed":
                if not campaign.without_a_final_word or seconds >= FINAL_SECONDS:
                    return campaign
            elif campaign.status not in _OPEN_STATUSES:
                why = campaign.reason or "the API gives no reason"
                raise DemoError(f"The {label} campaign is {campaign.status}: {why}.")
            self._pause(started, OCCURRED_SECONDS, f"The {label} campaign is not through")

    def _pause(self, started: float, limit: float, what: str) -> None:
        if self._clock() - started >= limit:
            raise DemoError(f"{what} after {limit:.0f} seconds; the stack's logs may say why.")
        self._sleep(POLL_SECONDS)


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


def tenth(amount: str) -> Decimal:
    """The reward for a revenue: a tenth, unless the business says otherwise."""
    return Decimal(amount) / 10
