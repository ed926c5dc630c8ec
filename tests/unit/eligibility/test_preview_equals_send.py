"""A preview says, customer by customer, what a send does when nothing changes between."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.business import DoubleOptIn, Switches
from rebound.businesses.domain.frequency import Frequency, FrequencyCap, HandOver
from rebound.businesses.domain.quiet_hours import NIGHT, QuietHours
from rebound.campaigns.application.campaign_service import NewCampaign
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import Chunk, RangeProgress
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import (
    STANDARD_POLICY,
    STRICT_POLICY,
    Cleared,
    ClearedBy,
    Evidence,
    Failure,
    Tried,
)
from rebound.eligibility.application import preview_audience
from rebound.eligibility.application.preview_audience import Question
from rebound.eligibility.domain.eligibility import Decision, Exclusion, Hold, Send
from rebound.jobs.domain import JobKind, audience_of
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.variants import Variant, split_of
from rebound.segments.application import find_customers
from rebound.segments.domain.segments import Segment
from rebound.segments.domain.selections import Selection
from rebound.sending.application import run_campaign
from rebound.templates.application.make_version import NewVersion
from rebound.templates.domain.content import (
    ANY_LANGUAGE,
    Content,
    EmailContent,
    MadeFrom,
    TemplateContent,
    TextContent,
)
from rebound.templates.domain.variables import Variable
from tests.contract.campaigns.fakes import adds_up
from tests.fakes import strategies
from tests.fakes.making import (
    BUSINESS_ID,
    GREETING,
    NO_QUIET_HOURS,
    SHORT_GREETING,
    at,
    business,
    customer,
    everybody,
    id_of,
)
from tests.fakes.world import World

DAY: Final = timedelta(days=1)
ALL_WELL: Final[Mapping[str, Any]] = {}
ALL_OFF: Final = Switches(email=False, sms=False)
CODES: Final[Mapping[Channel, tuple[Provider, str, str, str]]] = {
    Channel.EMAIL: (Provider.SES, "Permanent/NoEmail", "Transient/MailboxFull", "Transient/General"),
    Channel.SMS: (Provider.TWILIO, "30005", "30003", "30006"),
}
WEEKLY: Final = FrequencyCap("Weekly", tuple(Category), at_most=2, within_days=7)
CAPS: Final = st.sampled_from(
    [
        (),
        (WEEKLY,),
        (replace(WEEKLY, per_segment=True, at_most=1),),
        (replace(WEEKLY, channel=Channel.SMS, at_most=1), replace(WEEKLY, categories=(Category.MARKETING,))),
    ]
)
"""What a business may allow itself."""
PAGES: Final = st.sampled_from([1, 2, 5])
LONG: Final = "ÄÖ" * 50
QUOTES: Final = '"' * 100
"""Six characters each where they stand in HTML: such a name makes an email larger than it is for others."""
CONTENTS: Final[Mapping[Channel, tuple[Content, ...]]] = {
    Channel.EMAIL: (
        GREETING,
        GREETING,
        EmailContent("##{{birthday}}", "<p>Hi</p>"),
        EmailContent("##{{gender}} ##{{external_id}}", text="Hi ##{{birthday}}"),
        EmailContent("##{{full_name}} " * 20, text="Hi"),
        EmailContent("Hello", "<p>##{{first_name}}</p>" * 500),
    ),
    Channel.SMS: (
        SHORT_GREETING,
        SHORT_GREETING,
        TextContent("##{{birthday}}"),
        TextContent(" ##{{gender}}\n"),
        TextContent("##{{first_name}} " * 20),
    ),
}
"""What can be said to everybody, and what cannot: without a birthday, without a gender, with a long name."""
HOUR: Final = timedelta(hours=1)
CAMPAIGN_ID: Final = "01KAKZ0000000000000000TEST"
LONGEST_STEP: Final = 2 * HOUR
"""The world's clock leaps while it waits for somebody's morning."""


@st.composite
def timings(draw: st.DrawFn) -> Timing:
    """Now, at an hour of day or night, or by each recipient's clock; of use for long, or not even until the morning."""
    when = Timing()
    match draw(st.sampled_from(["now", "now", "at", "local"])):
        case "at":
            when = Timing(send_at=at(0) + draw(st.sampled_from([0.5, 10, 20, 60])) * HOUR)
        case "local":
            hours = draw(st.sampled_from([3, 9, 22, 33]))
            when = Timing(local_time=datetime(2026, 11, 21) + hours * HOUR)  # noqa: DTZ001 - a wall clock's
    last = when.local_time.replace(tzinfo=UTC) + 12 * HOUR if when.local_time else when.send_at or at(0)
    useful_for = draw(st.sampled_from([None, None, 3, 9, 30]))
    return replace(when, expires_at=None if useful_for is None else last + useful_for * HOUR)


@st.composite
def known_of_an_address(draw: st.DrawFn, channel: Channel) -> list[Evidence | ConsentEvidence]:
    """What there is to know of an address: every reason, and recoveries that have just begun, wait, or are due."""
    provider, gone, first, second = CODES[channel]
    ago = draw(st.sampled_from([0.1, 1.5, 3, 40]))
    times = draw(st.sampled_from([1, 5]))
    passing: list[Evidence] = [
        Failure(at(-n) - ago * DAY, f"m{n}", provider, draw(st.sampled_from([first, second]))) for n in range(times)
    ]
    known: list[Evidence | ConsentEvidence] = []
    match draw(st.sampled_from(["nothing", "gone", "passing", "passing", "passing", "both", "tried", "cleared"])):
        case "gone":
            known = [Failure(at(-9), "m9", provider, gone)]
        case "passing":
            known = [*passing]
        case "both":
            known = [*passing, Failure(at(-9), "m9", provider, gone)]
        case "tried":
            known = [*passing, Tried(at(-60), "another")]
        case "cleared":
            known = [*passing, Cleared(at(-1), ClearedBy.CONFIRMATION)]
    if draw(st.integers(0, 4)) == 0:
        said = ConsentEvidence(at(-5), draw(st.sampled_from(Scope)), opted_out=True, source=ConsentSource.PROVIDER)
        known.append(said)
    return known


@st.composite
def handed_of_late(draw: st.DrawFn, customer_id: str) -> Frequency:
    """What a customer was handed: some of it still counts, by one cap or another."""
    hours = draw(st.lists(st.sampled_from([1, 100, 167, 169]), max_size=3))
    return Frequency(
        BUSINESS_ID,
        customer_id,
        tuple(
            HandOver(
                f"m{number}",
                at(-3600 * ago),
                draw(st.sampled_from(Category)),
                draw(st.sampled_from(Channel)),
                draw(st.sampled_from([None, "saved"])),
            )
            for number, ago in enumerate(hours)
        ),
    )


@dataclass(frozen=True, slots=True)
class Situation:
    """A salon, and what it wants to send to whom."""

    world: World
    new: NewCampaign

    @property
    def filter(self) -> Mapping[str, Any]:
        """Whom it is for."""
        selection = self.new.selection
        if selection.segment_id is None:
            return selection.filter or {}
        return self.world.segments.get(BUSINESS_ID, selection.segment_id).filter

    @property
    def question(self) -> Question:
        """What is asked of the preview with the same fields."""
        return Question(
            dict(self.filter),
            self.new.channel,
            self.new.category,
            self.new.exclude_failed,
            self.new.include_customer_ids,
            self.new.selection.segment_id,
            self.new.content,
            self.new.timing,
            exclude_customer_ids=self.new.exclude_customer_ids,
            split=split_of(CAMPAIGN_ID, self.new.variants, self.new.holdout),
        )


def made(world: World, channel: Channel, category: Category) -> TemplateContent:
    """What a template says that cannot do without a birthday."""
    new = NewVersion(
        name="T",
        channel=channel,
        category=category,
        variables={"birthday": Variable(required=True)},
        contents={ANY_LANGUAGE: CONTENTS[channel][0]},
    )
    world.template_service.put(BUSINESS_ID, "t", new)
    return world.template_contents.made(BUSINESS_ID, MadeFrom("t", None, {}), channel, category)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    channel = draw(st.sampled_from(Channel))
    sender = business(
        policy=draw(st.sampled_from([STANDARD_POLICY, STANDARD_POLICY, STRICT_POLICY])),
        recovery=draw(strategies.recoveries),
        double_opt_in=draw(st.builds(DoubleOptIn, email=st.booleans(), sms=st.booleans())),
        frequency_caps=draw(CAPS),
        quiet_hours=draw(st.sampled_from([NO_QUIET_HOURS, QuietHours(NIGHT, NIGHT)])),
        **draw(st.sampled_from([ALL_WELL] * 9 + [{"email_from": None, "text_from": None}, {"switches": ALL_OFF}])),
    )
    world = World(sender, seed=draw(st.integers(0, 1 << 30)), ranges=draw(st.sampled_from([1, 2, 5])))
    addresses: list[str | None] = [None, *(f"shared{n}@example.com" for n in range(2))]
    numbers: list[str | None] = [None, *(f"+1415557000{n}" for n in range(2))]
    for number in range(1, draw(st.integers(1, 14)) + 1):
        who = customer(
            number,
            gender=draw(st.sampled_from(["f", None])),
            general_tags=tuple(draw(st.sampled_from([(), ("vip",), ("new",)]))),
            birthday=draw(st.sampled_from([None, date(1990, 2, 28), date(2004, 2, 29)])),
            first_name=draw(st.sampled_from(["Ana", "Ana", LONG, QUOTES])),
            time_zone=draw(st.sampled_from([None, None, "Asia/Tokyo", "America/Los_Angeles"])),
        )
        shares = draw(st.integers(0, 8))
        if shares < len(addresses):
            who = replace(who, email=addresses[shares], mobile_phone=numbers[shares])
        world.add(who)
        key, address = who.contact_key(channel), who.address(channel)
        world.frequencies.save(draw(handed_of_late(who.customer_id)), at(0))
        if key is not None and address is not None:
            world.know(key, *draw(known_of_an_address(channel)))
            world.outcomes[address] = ()
        if draw(st.booleans()):
            world.summaries.given[BUSINESS_ID, who.customer_id] = draw(strategies.summaries())
    world.pump_streams()
    chosen = draw(st.just(everybody()) | strategies.filters)
    world.segments.put(Segment(BUSINESS_ID, "saved", "Saved", chosen, at(0)))
    added = frozenset(draw(st.sets(st.integers(1, 14).map(id_of), max_size=3)))
    taken_out = frozenset(draw(st.sets(st.integers(1, 14).map(id_of), max_size=3)))
    category = draw(st.sampled_from(Category))
    said = st.sampled_from(CONTENTS[channel]) | st.builds(made, st.just(world), st.just(channel), st.just(category))
    variants = tuple(
        Variant(name, share, draw(said)) for name, share in draw(st.sampled_from([(), (("A", 3_000), ("B", 7_000))]))
    )
    new = NewCampaign(
        name="Autumn offer",
        category=category,
        channel=channel,
        selection=draw(st.sampled_from([Selection(filter=chosen), Selection(segment_id="saved")])),
        content=draw(said) if not variants else variants[0].content or GREETING,
        variants=variants,
        holdout=draw(st.sampled_from([0, 0, 3_000])),
        timing=draw(timings()),
        exclude_failed=draw(st.sampled_from([True, True, True, False])),
        include_customer_ids=added - taken_out,
        exclude_customer_ids=taken_out,
    )
    return Situation(world, new)


def previewed(situation: Situation) -> dict[str, Decision]:
    """What the preview decides about whom; what it counts is exactly that."""
    decisions = {
        customer_id: decision
        for page in situation.world.preview_audience.pages(BUSINESS_ID, situation.question)
        for customer_id, decision in page.decisions.items()
    }
    counted = situation.world.preview_audience(BUSINESS_ID, situation.question)
    assert counted is not None
    excluded = Counter(str(said) for said in decisions.values() if isinstance(said, Exclusion))
    assert (counted.matched, dict(counted.excluded)) == (len(decisions), dict(excluded))
    targeted = [customer_id for customer_id, said in decisions.items() if isinstance(said, Send | Hold)]
    assert counted.targeted == len(targeted)
    split = situation.question.split
    assert counted.variants == ({} if split is None else split.counts(targeted))
    return decisions


def expanded_and_sent(situation: Situation) -> tuple[dict[str, str], dict[str, str]]:
    """What a real campaign says of whom, at the expansion and at the end: a reason, or ``send``.

    An expansion of one customer a page leaves its word about each in its ledger.
    """
    world = situation.world
    world.request_ids.id_for(BUSINESS_ID, "this", CAMPAIGN_ID)
    campaign_id = world.campaign_service.post(BUSINESS_ID, situation.new, "this").campaign.campaign_id
    assert campaign_id == CAMPAIGN_ID
    at_expansion: dict[str, str] = {}
    commit: Any = world.expansion.commit

    def recorded(progress: RangeProgress, chunks: Sequence[Chunk] = (), *left_out: Any) -> RangeProgress:
        before = world.expansion.get(campaign_id, progress.index).audience
        after: RangeProgress = commit(progress, chunks, *left_out)
        if after.audience.matched > before.matched:
            assert after.audience.matched == before.matched + 1
            more = Counter(after.audience.excluded)
            more.subtract(before.excluded)
            (reason,) = [reason for reason, count in more.items() if count] or ["send"]
            at_expansion[str(after.cursor)] = reason
        return after

    world.expansion.commit = recorded  # type: ignore[method-assign,assignment]
    starts_at = situation.new.timing.starts_at
    if starts_at is not None and starts_at > world.clock.now():
        world.clock.move(starts_at - world.clock.now())
    view = world.run(campaign_id)
    assert adds_up(view)
    assert view.campaign.status is CampaignStatus.COMPLETED
    at_the_end = dict(at_expansion)
    for key, message in world.messages.rows.items():
        if message.status is MessageStatus.EXCLUDED:
            at_the_end[key.customer_id] = str(message.reason)
    targeted = sorted(customer_id for customer_id, said in at_the_end.items() if said == "send")
    assert (
        sorted(row.customer_id for row, m in world.messages.rows.items() if m.status is MessageStatus.SENT) == targeted
    )
    assert view.audience.targeted == len(targeted)
    assert Counter(view.audience.excluded) == Counter(said for said in at_the_end.values() if said != "send")
    assert view.audience.variants == {each.name: sum(each.results.values()) for each in view.variants}
    split = view.campaign.split
    assert view.audience.variants == ({} if split is None else split.counts(targeted))
    return at_expansion, at_the_end


def word(decision: Decision) -> str:
    return "send" if isinstance(decision, Send | Hold) else str(decision)


def is_told_apart(decision: Decision, timing: Timing) -> bool:
    """Whether a message that waits is still of use when the world's clock has leapt past its hour."""
    expires_at = timing.expires_at
    return not isinstance(decision, Hold) or expires_at is None or decision.until + LONGEST_STEP < expires_at


@settings(max_examples=100, deadline=None)
@given(situations(), PAGES)
def test_a_preview_equals_the_send_customer_by_customer(situation: Situation, page: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        for counting in (preview_audience, find_customers):
            patched.setattr(counting, "PAGE", page)
        patched.setattr(run_campaign, "PAGE", 1)
        preview = previewed(situation)
        if situation.world.businesses.get(BUSINESS_ID).barrier(situation.new.channel) is not None:
            assert set(preview.values()) <= {Exclusion.CHANNEL_OFF}
            with pytest.raises(ConflictError):
                situation.world.campaign_service.post(BUSINESS_ID, situation.new)
            return
        assume(all(is_told_apart(decision, situation.new.timing) for decision in preview.values()))
        at_expansion, at_the_end = expanded_and_sent(situation)

    for said in {word(decision) for decision in preview.values()}:
        event(said)
    assert preview.keys() == at_expansion.keys()
    # Of those who share an address with a try that is due one gets it: whoever comes first, in the preview as in life.
    sharing: defaultdict[ContactKey, list[str]] = defaultdict(list)
    for customer_id, decision in preview.items():
        who = situation.world.customers.get(BUSINESS_ID, customer_id)
        key = who.contact_key(situation.new.channel)
        if key is not None and len(situation.world.contacts.rows[key].customer_ids) > 1:
            sharing[key].append(customer_id)
        else:
            found_by_the_sender = decision in (Exclusion.CANNOT_RENDER, Exclusion.HOLDOUT)
            assert (customer_id, "send" if found_by_the_sender else word(decision)) == (
                customer_id,
                at_expansion[customer_id],
            )
            assert (customer_id, word(decision)) == (customer_id, at_the_end[customer_id])
    for customer_ids in sharing.values():
        event("shared")
        if situation.new.category.is_promotional:
            # What goes to each address once goes to the same customer.
            assert {id_: word(preview[id_]) for id_ in customer_ids} == {id_: at_the_end[id_] for id_ in customer_ids}
            assert sum(at_the_end[id_] == "send" for id_ in customer_ids) <= 1
        told = [(word(preview[id_]), at_the_end[id_]) for id_ in customer_ids]
        assert sum(foreseen == "send" for foreseen, _ in told) == sum(came == "send" for _, came in told)
        # Who comes before the one that takes the try is left out for the next reason there is, if there is one.
        by_order = {"send", Exclusion.WAITING_FOR_RETRY}
        assert all(foreseen == came or by_order & {foreseen, came} for foreseen, came in told)


def test_a_preview_adds_back_whom_the_campaign_would_add_back() -> None:
    world = World()
    world.add(customer(1), customer(2))
    for number in (1, 2):
        world.know(
            ContactKey(BUSINESS_ID, Channel.EMAIL, f"ana{number}@example.com"),
            Failure(at(-5), "m", Provider.SES, "Permanent/NoEmail"),
        )
    asked = Question(everybody(), Channel.EMAIL, Category.MARKETING)
    added = replace(asked, include_customer_ids=frozenset({id_of(1)}))
    job = world.run_to_end(world.job_service.start(BUSINESS_ID, JobKind.PREVIEW, added.written()))

    assert world.preview_audience(BUSINESS_ID, asked) == Audience(2, {"invalid_contact": 2})
    assert (
        world.preview_audience(BUSINESS_ID, added) == Audience(2, {"invalid_contact": 1}) == audience_of(job.counts[0])
    )
