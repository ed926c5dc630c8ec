"""The last step of a campaign: how it looks, who gets it and who does not, and sending it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.json import encode

from rebound.campaigns.application.edit_campaign import timing_of
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.console.domain.deeds import Deed
from rebound.console.http.campaigns.compared import winner
from rebound.console.http.campaigns.compose import business_of, campaign_page, found, in_frame, segment_of
from rebound.console.http.campaigns.content import with_templates
from rebound.console.http.preview_frames import framed, framed_flaws, framed_text
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.typed import confirms, whole_number
from rebound.console.http.visits import Visit
from rebound.customers.domain import Customer, made_up_customer
from rebound.eligibility.application.preview_audience import FirstLook, Question
from rebound.eligibility.domain.eligibility import Exclusion, Hold, Send
from rebound.eligibility.domain.exclusion_words import WORDS
from rebound.jobs.domain import LOOKED_AT, STANDING, JobKind, JobStatus, audience_of
from rebound.kernel.audiences import Audience
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ChangedMeanwhileError, ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.ids import ULIDS
from rebound.messages.application.load_content import loaded
from rebound.messages.domain.by_tier import parts_of
from rebound.messages.domain.variants import REST, in_percent
from rebound.segments.domain.selections import Selection, meant_by
from rebound.templates.domain.content import UNWRITTEN
from rebound.templates.domain.rendering import warnings_about
from rebound.templates.domain.text_size import size_of_text

if TYPE_CHECKING:
    from rebound.eligibility.application.preview_audience import Foreseen
    from rebound.jobs.application.job_service import JobView
    from rebound.jobs.domain import Job
    from rebound.segments.domain.segments import Segment
    from rebound.templates.application.preview_template import Preview

MOST_NAMED: Final = 100
"""Where no more customers have to be looked at, all of them are for the page itself."""
COUNT_LASTS: Final = timedelta(hours=1)
"""Since it was asked for: for so long a count in the background says who gets it."""
_NAMES: Final = {Channel.EMAIL: "alex@example.com", Channel.SMS: "+15005550006"}


class Person(Struct, frozen=True):
    """Somebody who is meant, and whether they get it. ``hand`` says what was done by hand: added, taken or nothing."""

    customer_id: str
    name: str
    decision: str
    """``send``, ``held`` or ``excluded``."""
    why: str | None = None
    hand: str = ""
    may_be_added: bool = False


class Reach(Struct, frozen=True):
    """Whom it reaches: the counts once they are known; ``job_id`` where they are counted in the background.

    ``people`` are all who are meant, where they are few. ``flaws`` say why nobody can be counted. ``is_of_others`` says
    that what was counted is something else than what would be sent now.
    """

    audience: Audience | None = None
    meant: Sequence[Customer] = ()
    """Some of those who are meant; all whom it reaches are among them where ``people`` are known."""
    people: Sequence[Person] | None = None
    job: "JobView | None" = None
    flaws: Sequence[str] = ()
    is_of_others: bool = False

    @property
    def who(self) -> str:
        """A digest of those who get it, where all are known; empty otherwise."""
        if self.people is None:
            return ""
        got = sorted(each.customer_id for each in self.people if each.decision != "excluded")
        return sha256(" ".join(got).encode()).hexdigest()

    @property
    def is_counting(self) -> bool:
        """Whether the background still counts."""
        return self.job is not None and self.job.job.status not in STANDING

    @property
    def looked_at(self) -> int:
        """How many customers the background has looked at so far."""
        return 0 if self.job is None else self.job.counts[0].get(LOOKED_AT, 0)

    @property
    def number(self) -> int | None:
        """How many get it, if that is known."""
        return None if self.audience is None else self.audience.targeted


class Shown(Struct, frozen=True):
    """The preview: whose it is, and what they would get. ``segments`` is how many texts it is, 0 for an email.

    ``variant`` is the index of the variant that is shown, and ``theirs`` of the one that they get; ``None`` for none.
    """

    customer: Customer
    preview: "Preview | None" = None
    flaws: Sequence[str] = ()
    segments: int = 0
    variant: int | None = None
    theirs: int | None = None


def show(visit: Visit, campaign_id: str) -> PageAnswer:
    """The whole campaign, before it is sent."""
    campaign = found(visit, campaign_id)
    return campaign_page(visit, campaign) or _page(visit, campaign, visit.request.query.given("count"))


def decide(visit: Visit, campaign_id: str) -> PageAnswer:
    """Count who gets it; or send it, if the number that was typed is right. Sent twice, it is sent once."""
    form, behind, campaign = visit.request.form, visit.behind, found(visit, campaign_id)
    if form.one("do") != "send":
        return _counting(visit, campaign)
    if campaign.status is not CampaignStatus.DRAFT:
        return see(visit.request.link("campaigns", campaign_id))
    typed, job_id = form.one("number"), form.given("count")
    if form.one("version") != str(campaign.version):
        return _page(visit, campaign, None, HTTPStatus.CONFLICT, typed=typed, is_changed=True)
    reach = reach_of(visit, campaign, segment_of(visit, campaign), job_id)
    if reach.who and form.one("who") != reach.who:
        wrong: dict[str, Sequence[str]] = {"number": [visit.words("compose.others_now")]}
        return _page(visit, campaign, None, HTTPStatus.CONFLICT, reach=reach, wrong=wrong)
    if reach.number is None or not confirms(typed, reach.number):
        name, n = ("wrong_number", reach.number) if reach.number is not None else ("count_first", 0)
        wrong = {"number": [visit.words(f"compose.{name}", n=n)]}
        return _page(visit, campaign, job_id, HTTPStatus.UNPROCESSABLE_ENTITY, reach=reach, typed=typed, wrong=wrong)
    try:
        behind.edit_campaign.announce(visit.business_id, campaign_id, version=campaign.version)
    except ChangedMeanwhileError:
        campaign = found(visit, campaign_id)
        return _page(visit, campaign, None, HTTPStatus.CONFLICT, typed=typed, is_changed=True)
    except InvalidInputError as error:
        wrong = {"": [each.message for each in error.errors]}
        return _page(visit, campaign, job_id, HTTPStatus.UNPROCESSABLE_ENTITY, reach=reach, typed=typed, wrong=wrong)
    except ConflictError as error:
        wrong = {"": [str(error)]}
        return _page(visit, campaign, job_id, HTTPStatus.CONFLICT, reach=reach, typed=typed, wrong=wrong)
    is_later = campaign.send_at is not None or campaign.local_time is not None
    deed = Deed.CAMPAIGN_SCHEDULED if is_later else Deed.CAMPAIGN_SENT
    visit.did(deed, name=campaign.name, number=str(reach.number))
    return see(visit.request.link("campaigns", campaign_id))


def show_in_frame(visit: Visit, campaign_id: str) -> PageAnswer:
    """The document of a frame: what it says to the ``customer`` of the query, or to somebody made up."""
    campaign = found(visit, campaign_id)
    customer = _customer(visit, campaign, visit.request.query.given("customer"))
    shown = _shown_to(visit, campaign, customer, visit.request.query.one("variant"))
    if shown.preview is None:
        return framed_flaws(map(visit.words.said, shown.flaws))
    return framed(shown.preview.html) if shown.preview.html is not None else framed_text(shown.preview.text)


def reach_of(visit: Visit, campaign: Campaign, segment: "Segment | None", job_id: str | None) -> Reach:
    """Whom a campaign reaches, as far as that is known at once, or by the job that counted it."""
    behind = visit.behind
    try:
        meant = replace(campaign, selection=_pinned(visit, campaign, segment))
        # What nobody has written yet leaves nobody out.
        mailing = replace(meant, content=None) if campaign.content in UNWRITTEN else meant  # type: ignore[arg-type]
        # Where a tier is asked for, customers are ranked first.
        is_ranked = any(meant_by(part.selection).is_ranked for part in parts_of(meant))
        look = (
            FirstLook(()) if is_ranked else behind.preview_audience.first_look(business_of(visit), mailing, MOST_NAMED)
        )
    except InvalidInputError as error:
        return Reach(flaws=[each.message for each in error.errors])
    except ConflictError as error:
        return Reach(flaws=[str(error)])
    if look.everybody is not None:
        reasons = Counter(str(each.decision) for each in look.everybody if not isinstance(each.decision, Send | Hold))
        people = [person_of(visit, campaign, each) for each in look.everybody]
        people.sort(key=lambda each: (each.decision != "excluded", each.name))
        got = [each.customer for each in look.everybody if isinstance(each.decision, Send | Hold)]
        got.sort(key=lambda customer: customer.full_name)
        counts = {} if campaign.split is None else campaign.split.counts([each.customer_id for each in got])
        return Reach(Audience(len(people), reasons, variants=counts), got, people)
    view = count_of(visit, job_id)
    if view is None:
        return Reach(meant=look.meant)
    if not _is_counted_for(visit, view.job, campaign, meant.selection):
        return Reach(meant=look.meant, is_of_others=True)
    return Reach(audience_of(view.counts[0]) if is_known(view) else None, look.meant, job=view)


def count_of(visit: Visit, job_id: str | None) -> "JobView | None":
    """The count of who would get something that a job makes; ``None`` where there is none."""
    if job_id is None or not ULIDS.fullmatch(job_id):
        return None
    try:
        view = visit.behind.job_service.get(visit.business_id, job_id)
    except NotFoundError:
        return None
    return view if view.job.kind is JobKind.PREVIEW else None


def is_known(view: "JobView") -> bool:
    """Whether a count has come to its end."""
    return view.job.status is JobStatus.COMPLETED


def _is_counted_for(visit: Visit, job: "Job", campaign: Campaign, selection: Selection) -> bool:
    """Whether a count was asked for lately, and for just what the campaign would be sent to if it were sent now."""
    if visit.behind.ports.clock.now() - job.created_at > COUNT_LASTS:
        return False
    try:
        question = _question(visit, campaign, selection)
    except InvalidInputError:
        return False
    # Asked again, it would be as of another moment.
    asked, now = ({**each, "as_of": None} for each in (Question.read(job.request).written(), question.written()))
    return encode(asked, order="deterministic") == encode(now, order="deterministic")


def question_of(visit: Visit, campaign: Campaign, *, is_next_page: bool = False) -> Question:
    """What a count of a campaign asks. Raises ``InvalidInputError`` and ``ConflictError``."""
    question = _question(visit, campaign, _pinned(visit, campaign, segment_of(visit, campaign)))
    return visit.behind.preview_audience.pin(visit.business_id, question, is_next_page=is_next_page)


def _question(visit: Visit, campaign: Campaign, selection: Selection) -> Question:
    campaign = loaded(campaign, visit.behind.template_contents)
    said = campaign.content
    return Question(
        selection.filter or {"all": []},
        campaign.channel,
        campaign.category,
        campaign.exclude_failed,
        campaign.include_customer_ids,
        selection.segment_id,
        None if said in UNWRITTEN else said,
        timing_of(campaign),
        exclude_customer_ids=campaign.exclude_customer_ids,
        contents=campaign.contents,
        customer_ids=selection.customer_ids,
        split=campaign.split,
    )


def _pinned(visit: Visit, campaign: Campaign, segment: "Segment | None") -> Selection:
    """Whom it means now; the ``segment`` is its own, read before. Raises ``InvalidInputError``."""
    selection, pin = campaign.selection, visit.behind.pin_filters
    if segment is None:
        return pin.selection(visit.business_id, selection)
    return replace(selection, filter=pin.filter(visit.business_id, segment.filter, "segment_id"))


def _counting(visit: Visit, campaign: Campaign) -> PageAnswer:
    try:
        question = question_of(visit, campaign)
        visit.behind.preview_audience.check(visit.business_id, question)
    except InvalidInputError as error:
        wrong = {"": [each.message for each in error.errors]}
        return _page(visit, campaign, None, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=wrong)
    request = f"console#count#{campaign.campaign_id}#{visit.request.form.one('once')}"
    view = visit.behind.job_service.start(
        visit.business_id,
        JobKind.PREVIEW,
        question.written(),
        request=request,
        by=visit.me.email,
        about=campaign.campaign_id,
    )
    query = {"count": view.job.job_id}
    return see(visit.request.link("campaigns", campaign.campaign_id, "check", query=query))


def hand_of(campaign: Campaign, customer_id: str) -> str:
    """What was done by hand about a customer: added, taken or nothing."""
    if customer_id in campaign.include_customer_ids:
        return "added"
    return "taken" if customer_id in campaign.exclude_customer_ids else ""


def person_of(visit: Visit, campaign: Campaign, foreseen: "Foreseen") -> Person:
    """Somebody who is meant, as pages show them."""
    customer, decision = foreseen.customer, foreseen.decision
    id_ = customer.customer_id
    hand = hand_of(campaign, id_)
    match decision:
        case Send():
            return Person(id_, customer.full_name, "send", hand=hand)
        case Hold(until, because):
            held = visit.words(f"compose.held_until.{because}", until=visit.words.time(until))
            return Person(id_, customer.full_name, "held", held, hand)
    why = reason_in_words(visit, decision)
    if foreseen.missing_variables:
        why = f"{why} ({', '.join(foreseen.missing_variables)})"
    may_be_added = decision in (Exclusion.INVALID_CONTACT, Exclusion.WAITING_FOR_RETRY)
    return Person(id_, customer.full_name, "excluded", why, hand, may_be_added)


def reason_in_words(visit: Visit, reason: str) -> str:
    """Why somebody is left out."""
    name = f"campaign.reason.{reason}"
    if visit.words.has(name):
        return visit.words(name)
    words = WORDS[Exclusion(reason)].left_out
    return words[:1].upper() + words[1:]


def _customer(visit: Visit, campaign: Campaign, customer_id: str | None) -> Customer:
    """The customer to whom it is shown; somebody made up where there is none."""
    behind = visit.behind
    if customer_id is not None:
        try:
            return behind.ports.customers.get(visit.business_id, customer_id)
        except NotFoundError:
            pass
    channel = campaign.channel
    return made_up_customer(visit.business_id, channel, _NAMES[channel], behind.ports.clock.now())


def _shown_to(visit: Visit, campaign: Campaign, customer: Customer, variant: str) -> Shown:
    """What a customer gets; or what the ``variant`` of an index says, also to who gets another one."""
    split = campaign.split
    theirs = wanted = None
    if split is not None and split.variants:
        # Who gets the best is shown the first, as long as nobody knows which that is.
        drawn = split.drawn_by(customer.customer_id)
        theirs = next((index for index, each in enumerate(split.variants) if each == drawn), None)
        at = whole_number(variant, len(split.variants) - 1)
        wanted = theirs if at is None else at
        said = split.variants[wanted or 0].content or campaign.content
        theirs = None if split.variant_of(customer.customer_id) in (None, REST) else theirs
        # Only what is shown has to be read.
        campaign = replace(campaign, content=said, split=None)
    of: dict[str, Any] = {"variant": wanted, "theirs": theirs}
    if campaign.content in UNWRITTEN:
        return Shown(customer, flaws=[visit.words("compose.unwritten")], **of)
    try:
        preview = visit.behind.preview_campaign(campaign, customer, business_of(visit))
    except InvalidInputError as error:
        return Shown(customer, flaws=[each.message for each in error.errors], **of)
    segments = 0 if preview.html is not None else size_of_text(preview.text).segments
    return Shown(customer, preview, segments=segments, **of)


def _by_variant(visit: Visit, campaign: Campaign, reach: Reach) -> Sequence[tuple[str, float | None, int | None]]:
    """The variants, each with its share in percent and how many get it, as far as that is known; and the others."""
    split = campaign.split
    if split is None or not split.variants:
        return []
    known = {} if reach.audience is None else reach.audience.variants
    counts = [known.get(name, 0) if reach.audience is not None else None for name in split.names]
    shares: list[float | None] = [in_percent(each.share) for each in split.variants]
    names = [each.name for each in split.variants]
    if split.winner is not None:
        names, shares = [*names, visit.words("campaign.the_rest")], [*shares, None]
    return list(zip(names, shares, counts, strict=True))


def _page(
    visit: Visit,
    campaign: Campaign,
    job_id: str | None,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    reach: Reach | None = None,
    typed: str = "",
    wrong: Mapping[str, Sequence[str]] | None = None,
    is_changed: bool = False,
) -> PageAnswer:
    behind, campaign = visit.behind, with_templates(visit, campaign)
    segment = segment_of(visit, campaign)
    reach = reach_of(visit, campaign, segment, job_id) if reach is None else reach
    people, wanted = reach.people or (), visit.request.query.given("customer")
    customer = next((each for each in reach.meant if wanted in (None, each.customer_id)), None)
    customer = customer or _customer(visit, campaign, wanted)
    reasons: Mapping[str, int] = {} if reach.audience is None else reach.audience.excluded
    return visit.page(
        "compose_check",
        status,
        **in_frame(campaign, "check", is_changed=is_changed, wrong=wrong or {}),
        lacks=warnings_about(business_of(visit), campaign.category, campaign.channel),
        reach=reach,
        reasons=[
            (reason, reason_in_words(visit, reason), n)
            for reason, n in sorted(reasons.items(), key=lambda each: -each[1])
        ],
        shown=_shown_to(visit, campaign, customer, visit.request.query.one("variant")),
        by_variant=_by_variant(visit, campaign, reach),
        holdout=0 if campaign.split is None else in_percent(campaign.split.holdout),
        winner=winner(campaign),
        segment=segment,
        people=people,
        choices=sorted(((each.customer_id, each.full_name) for each in reach.meant), key=itemgetter(1)),
        is_unwritten=campaign.contents is None and campaign.content in UNWRITTEN,
        typed=typed,
        job_id=job_id,
        back="check",
        count=job_id or "",
        once=behind.ports.ids.ulid(behind.ports.clock.now()),
    )
