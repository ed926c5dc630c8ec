"""How each thing is done that forms of the console do: what is sent, and what has to be there before.

A new name in a route's ``does`` needs a row of ``DOING``; ``test_history`` says which is missing.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from rebound.businesses.domain.holds import AccountHold
from rebound.console.domain.deeds import Deed
from rebound.console.http.routes import ROUTES, Route
from rebound.console.wiring import use_cases
from rebound.jobs.domain import JobStatus
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import MessageStatus
from rebound.sequences.domain.enrolments import EnrolmentKey
from rebound.sequences.domain.sequences import SequenceStatus
from rebound.staff.domain import Role
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, NOON, message
from tests.integration.console.crawl import MARK, Made
from tests.integration.console.desk import ORIGIN, Seen
from tests.integration.console.test_layouts import Fields

COLLEAGUE: Final = "bo@example.com"
DONE: Final = [(route, deed) for route in ROUTES for deed in route.does]
_CAMPAIGN: Final = {
    "name": "Spring",
    "channel": "email",
    "category": "marketing",
    "segment_id": "*everybody",
    "exclude_failed": "1",
    "once": "1",
}
_RECURRING: Final = {
    "name": "Birthdays",
    "channel": "email",
    "category": "marketing",
    "whom": "birthday",
    "days_before": "0",
    "at": "09:00",
    "exclude_failed": "1",
    "say": "own",
    "subject": "Hello",
    "text": "Hi",
    "once": "1",
    "do": "save",
}
_SEGMENT: Final = {"do": "save", "name": "VIP", "n.kind": "all", "n.0.kind": "tag", "n.0.value": "vip"}
_TEMPLATE: Final = {"name": "Summer", "any.subject": "Hello", "any.text": "Hi", "category": "marketing"}
_LAYOUT: Final = {
    "name": "Winter",
    "subject": "Hello",
    "b.0.text": "Hello",
    "b.1.text": "Hi",
    "b.2.text": "Book",
    "b.2.link": "https://example.com",
}
_WAIVER: Final = {"waiver_id": "terms", "version": "9", "said": "", "url": "https://example.com/terms", "sure": "1"}
_PRICE: Final = {"country": "US", "provider": "twilio", "price": "0.0083", "currency": "USD"}

type Sent = Mapping[str, str | Sequence[str]]


def _of_page(page: str, **typed: str) -> Callable[[Made], Sent]:
    """The form of a page as a browser sends it, but for what is typed; in names two underscores are a dot."""

    def read(made: Made) -> Sent:
        fields = Fields(made.desk(Role.OWNER).get(f"/console/{page}").text).found
        fields.pop("csrf", None)
        return {**fields, **{name.replace("__", "."): value for name, value in typed.items()}}

    return read


def _colleague(made: Made) -> None:
    use_cases().invite(BUSINESS_ID, COLLEAGUE, Role.VIEWER, console_url=f"{ORIGIN}/console")


def _sending(made: Made) -> Sent:
    """What the last step of a campaign has shown, whose one reader is the customer."""
    path = f"/console/campaigns/{made.id('campaigns')}/check"
    shown = made.desk(Role.OWNER).get(path).text
    fields = {name: re.findall(rf'name="{name}" value="(\w*)"', shown)[0] for name in ("version", "who")}
    return {**fields, "do": "send", "number": "1"}


def _in_two_days(_: Made) -> Mapping[str, str]:
    at = use_cases().ports.clock.now() + timedelta(days=2)
    return {"when": "at", "send_at": f"{at:%Y-%m-%dT%H:%M}", "do": "on"}


def _later(made: Made) -> None:
    path = f"/console/campaigns/{made.id('campaigns')}/when"
    assert made.desk(Role.OWNER).post(path, _in_two_days(made)).status == 303


def _paused(made: Made) -> None:
    use_cases().steer_campaign.pause(BUSINESS_ID, made.id("campaigns of sent"))


def _left_out(made: Made) -> Sent:
    """Somebody to whom the campaign that was sent did not come, and who is still there."""
    customer, ports = made.id("customers"), use_cases().ports
    campaign = ports.campaigns.get(BUSINESS_ID, made.id("campaigns of sent"))
    key = MessageKey(BUSINESS_ID, customer, campaign.message_id(customer))
    ports.messages.record([message(1, MessageStatus.FAILED, key=key, reason="gone")])
    return {"customer": [customer], "number": "1"}


def _off(made: Made) -> None:
    path = f"/console/recurring/{made.id('recurring')}/switch"
    assert made.desk(Role.OWNER).post(path, {"do": "off"}).status == 303


def _sequence_off(made: Made) -> None:
    use_cases().sequence_service.switch(BUSINESS_ID, made.id("sequences"), SequenceStatus.OFF)


def _sequence_tag(made: Made) -> Sent:
    shown = made.desk(Role.OWNER).get(f"/console/sequences/{made.id('sequences')}").text
    return {"tag": re.findall(r'name="tag" value="([^"]*)"', shown)[0]}


def _edited(made: Made) -> Sent:
    return _of_page(f"sequences/{made.id('sequences')}/edit", name="Another", do="save")(made)


def _nobody_inside(made: Made) -> None:
    book = house.ports().enrolments
    key = EnrolmentKey(BUSINESS_ID, made.id("customers"), made.id("sequences"))
    for found in book.get_many([key]).values():
        book.forget(found)


def _who(made: Made) -> Sent:
    return {"customer": made.id("customers"), "once": "2"}


def _drafted(made: Made) -> None:
    content = {"subject": "Later", "text": "Hi"}
    template = {"name": "Spring", "channel": "email", "content": content, "status": "draft"}
    assert made.stack.api("PUT", f"/v1/templates/{made.id('templates')}", template).status == 200


def _tag(made: Made) -> Sent:
    shown = made.desk(Role.OWNER).get(f"/console/templates/{made.id('templates')}").text
    return {"tag": re.findall(r'name="tag" value="([^"]*)"', shown)[0]}


def _overwritten(made: Made) -> None:
    """A template that came with Rebound, and that somebody has written anew."""
    made.ids["templates"] = "reminder.sms"
    said = {"body": "See you ##{{appointment_date}} ##{{appointment_time}} ##{{service}}"}
    body = {"name": "Reminder", "channel": "sms", "category": "reminder", "content": said}
    assert made.stack.api("PUT", "/v1/templates/reminder.sms", body).status == 200


def _columns(made: Made) -> Sent:
    return {"column": ["first_name", "last_name"], "field.0": "first_name", "field.1": "last_name"}


def _paused_job(made: Made) -> None:
    jobs = use_cases().ports.jobs
    jobs.replace(replace(jobs.get(BUSINESS_ID, made.id("jobs")), status=JobStatus.PAUSED, reason="Something failed."))


def _held(made: Made) -> None:
    businesses = house.ports().businesses
    held = AccountHold(NOON, bulk=9000, single=10, contact="desk")
    businesses.replace(replace(businesses.get(BUSINESS_ID), hold=held))


def _granted(made: Made) -> None:
    use_cases().sender_grants.add(BUSINESS_ID, "desk@salon.example.com")


def _priced(made: Made) -> None:
    use_cases().text_price_table.set(**_PRICE)


def _given_up(made: Made) -> None:
    [_, url] = json.loads(made.stack.settings["DEAD_LETTER_QUEUES"])["email"]
    made.stack.sqs.send_message(QueueUrl=url, MessageBody="{}")


def _is(**fields: Any) -> Callable[[Made], Sent]:
    return lambda _: {name.replace("__", "."): value for name, value in fields.items()}


_NOTHING: Final[Callable[[Made], object]] = lambda _: None  # noqa: E731

DOING: Final[Mapping[tuple[str, Deed], tuple[Callable[[Made], object], Callable[[Made], Sent]]]] = {
    ("replies/*", Deed.REPLY_SETTLED): (_NOTHING, _is(decision="keep")),
    ("staff", Deed.STAFF_INVITED): (_NOTHING, _is(email=COLLEAGUE, role="viewer")),
    ("staff/change", Deed.STAFF_CHANGED): (_colleague, _is(email=COLLEAGUE, role="staff", was_role="viewer")),
    ("staff/remove", Deed.STAFF_REMOVED): (_colleague, _is(email=COLLEAGUE)),
    ("settings", Deed.SETTINGS_CHANGED): (_NOTHING, _is(name="Elm", was_name="x")),
    ("keys", Deed.KEY_CREATED): (_NOTHING, _is(label="Till", scope="customers:read", once="1")),
    ("keys/*/rotate", Deed.KEY_ROTATED): (_NOTHING, _is(once="1")),
    ("keys/*/revoke", Deed.KEY_REVOKED): (_NOTHING, _is()),
    ("segments/new", Deed.SEGMENT_CREATED): (_NOTHING, lambda _: _SEGMENT),
    ("segments/*", Deed.SEGMENT_CHANGED): (_NOTHING, lambda _: _SEGMENT),
    ("segments/*/delete", Deed.SEGMENT_DELETED): (_NOTHING, _is()),
    ("campaigns/new", Deed.CAMPAIGN_BEGUN): (_NOTHING, lambda _: _CAMPAIGN),
    ("campaigns/*/whom", Deed.CAMPAIGN_WHOM_CHANGED): (_NOTHING, lambda _: {**_CAMPAIGN, "do": "on"}),
    ("campaigns/*/by-hand", Deed.CAMPAIGN_BY_HAND_CHANGED): (
        _NOTHING,
        lambda made: {"do": f"take_out:{made.id('customers')}"},
    ),
    ("campaigns/*/what", Deed.CAMPAIGN_CONTENT_CHANGED): (
        _NOTHING,
        _is(say="own", subject="Hello", text="Hi again", do="on"),
    ),
    ("campaigns/*/when", Deed.CAMPAIGN_TIME_CHANGED): (_NOTHING, _in_two_days),
    ("campaigns/*/check", Deed.CAMPAIGN_SENT): (_NOTHING, _sending),
    ("campaigns/*/check", Deed.CAMPAIGN_SCHEDULED): (_later, _sending),
    ("recurring/new", Deed.RECURRING_CREATED): (_NOTHING, lambda _: _RECURRING),
    ("recurring/*", Deed.RECURRING_CHANGED): (_NOTHING, lambda _: _RECURRING),
    ("recurring/*/switch", Deed.RECURRING_SWITCHED_OFF): (_NOTHING, _is(do="off")),
    ("recurring/*/switch", Deed.RECURRING_SWITCHED_ON): (_off, _is(do="on")),
    ("recurring/*/delete", Deed.RECURRING_DELETED): (_off, _is()),
    ("templates/new", Deed.TEMPLATE_DRAFT_SAVED): (_NOTHING, lambda made: {**_new_template(made), "do": "draft"}),
    ("templates/new", Deed.TEMPLATE_PUBLISHED): (_NOTHING, lambda made: {**_new_template(made), "do": "publish"}),
    ("templates/*", Deed.TEMPLATE_DRAFT_SAVED): (_NOTHING, _of_page("templates/spring", name="Later", do="draft")),
    ("templates/*", Deed.TEMPLATE_PUBLISHED): (_NOTHING, _of_page("templates/spring", name="Now", do="publish")),
    ("templates/*/copy", Deed.TEMPLATE_COPIED): (_NOTHING, _is()),
    ("templates/*/publish", Deed.TEMPLATE_PUBLISHED): (_drafted, _tag),
    ("templates/*/reset", Deed.TEMPLATE_RESET): (_overwritten, _tag),
    ("templates/*/delete", Deed.TEMPLATE_DELETED): (_NOTHING, _tag),
    ("templates/*/delete", Deed.TEMPLATE_DRAFT_REMOVED): (_drafted, lambda made: {**_tag(made), "what": "draft"}),
    ("templates/*/test", Deed.TEMPLATE_TEST_SENT): (_NOTHING, _is(to="owner@salon.example.com", number="1")),
    ("layouts/new", Deed.TEMPLATE_DRAFT_SAVED): (_NOTHING, lambda made: {**_new_layout(made), "do": "save"}),
    ("layouts/new", Deed.TEMPLATE_PUBLISHED): (_NOTHING, lambda made: {**_new_layout(made), "do": "publish"}),
    ("layouts/new", Deed.TEMPLATE_TEST_SENT): (_NOTHING, lambda made: {**_new_layout(made), "do": "test"}),
    ("layouts/*", Deed.TEMPLATE_DRAFT_SAVED): (_NOTHING, _of_page("layouts/autumn", b__0__text="New", do="save")),
    ("layouts/*", Deed.TEMPLATE_PUBLISHED): (_NOTHING, _of_page("layouts/autumn", b__0__text="New", do="publish")),
    ("layouts/*", Deed.TEMPLATE_TEST_SENT): (_NOTHING, _of_page("layouts/autumn", b__0__text="New", do="test")),
    ("campaigns/*/pause", Deed.CAMPAIGN_PAUSED): (_NOTHING, _is()),
    ("campaigns/*/resume", Deed.CAMPAIGN_RESUMED): (_paused, _is()),
    ("campaigns/*/cancel", Deed.CAMPAIGN_CANCELLED): (_NOTHING, _is()),
    ("campaigns/*/winner", Deed.CAMPAIGN_WINNER_CHOSEN): (_NOTHING, _is(variant=f"{MARK} B")),
    ("campaigns/*/copy", Deed.CAMPAIGN_COPIED): (_NOTHING, _is(once="1")),
    ("campaigns/*/roll-back", Deed.CAMPAIGN_ROLLED_BACK): (_NOTHING, _is(number="1")),
    ("campaigns/*/send-again", Deed.CAMPAIGN_SENT_AGAIN): (_NOTHING, _left_out),
    ("sequences/new", Deed.SEQUENCE_CREATED): (_NOTHING, _of_page("sequences/new?from=missed_call", do="save")),
    ("sequences/*/edit", Deed.SEQUENCE_CHANGED): (
        _NOTHING,
        _edited,
    ),
    ("sequences/*/switch", Deed.SEQUENCE_SWITCHED_OFF): (_NOTHING, _is(do="off")),
    ("sequences/*/switch", Deed.SEQUENCE_SWITCHED_ON): (_sequence_off, _is(do="on", late="lapse")),
    ("sequences/*/delete", Deed.SEQUENCE_DELETED): (_NOTHING, lambda made: {**_sequence_tag(made), "sure": "1"}),
    ("sequences/*/move", Deed.SEQUENCE_MOVED): (_NOTHING, _is(version="1", once="1")),
    ("sequences/*/begin", Deed.SEQUENCE_BEGUN): (_nobody_inside, _who),
    ("sequences/*/take-out", Deed.SEQUENCE_TAKEN_OUT): (_NOTHING, _who),
    ("waivers", Deed.WAIVER_POSTED): (_NOTHING, lambda _: _WAIVER),
    ("waivers/*", Deed.WAIVER_POSTED): (_NOTHING, lambda _: _WAIVER),
    ("customers/clean-up-begun", Deed.CLEAN_UP_BEGUN): (
        _NOTHING,
        lambda made: {"customer": made.id("customers"), "number": "1", "once": "1"},
    ),
    ("customers/export", Deed.EXPORT_BEGUN): (_NOTHING, _is(q="Berg")),
    ("exports", Deed.EXPORT_BEGUN): (_NOTHING, _is(format="csv")),
    ("imports/new/*", Deed.IMPORT_BEGUN): (_NOTHING, _columns),
    ("jobs/*/resume", Deed.JOB_RESUMED): (_paused_job, _is()),
    ("customers/*", Deed.CUSTOMER_CHANGED): (_NOTHING, _is(first_name="Amara", was_first_name="x")),
    ("customers/*/confirm", Deed.CUSTOMER_CONFIRMED): (_NOTHING, _is(channel="email")),
    ("customers/*/consent", Deed.CUSTOMER_CONSENT_STATED): (
        _NOTHING,
        _is(channel="email", scope="marketing", to="out"),
    ),
    ("customers/*/ask", Deed.CUSTOMER_ASKED): (_NOTHING, _is()),
    ("customers/*/family", Deed.CUSTOMER_FAMILY_CHANGED): (_NOTHING, _is(name="Kim", relationship="sister", once="1")),
    ("customers/*/points", Deed.CUSTOMER_POINTS_BOOKED): (_NOTHING, _is(delta="5", reason="Sorry", once="1")),
    ("operations/businesses/new", Deed.BUSINESS_CREATED): (
        _NOTHING,
        _is(name="Elm", country="US", time_zone="America/New_York", once="1"),
    ),
    ("operations/businesses/*/booked", Deed.BUSINESS_BOOKED): (_NOTHING, _is(text_rate="2.5", was_text_rate="")),
    ("operations/businesses/*/text-plan", Deed.BUSINESS_PLAN_SET): (_NOTHING, _is(included="500")),
    ("operations/businesses/*/text-plan", Deed.BUSINESS_PLAN_OFF): (_NOTHING, _is(off="1")),
    ("operations/businesses/*/lift-hold", Deed.BUSINESS_HOLD_LIFTED): (_held, _is(reason="Spoke to them")),
    ("operations/businesses/*/senders", Deed.BUSINESS_SENDER_GRANTED): (_NOTHING, _is(sender="desk@salon.example.com")),
    ("operations/businesses/*/senders/remove", Deed.BUSINESS_SENDER_REMOVED): (
        _granted,
        _is(sender="desk@salon.example.com"),
    ),
    ("operations/plans/holds", Deed.STACK_HOLDS_SET): (_NOTHING, _is(share="0.9", volume="1000", contact="desk")),
    ("operations/plans/holds", Deed.STACK_HOLDS_OFF): (_NOTHING, _is(off="1")),
    ("operations/plans/prices", Deed.STACK_PRICE_SET): (_NOTHING, lambda _: _PRICE),
    ("operations/plans/prices/remove", Deed.STACK_PRICE_REMOVED): (_priced, _is(country="US", provider="twilio")),
    ("operations/dead-letters/*", Deed.DEAD_LETTERS_PUT_BACK): (_given_up, _is(number="1")),
}
"""By the address of the form and what it does: what happens before, and what is sent."""


def _new_template(made: Made) -> Sent:
    return {**_of_page("templates/new")(made), **_TEMPLATE}


def _new_layout(made: Made) -> Sent:
    return {**_of_page("layouts/new")(made), **_LAYOUT, "b.2.text": "Book", "b.2.link": "https://example.com"}


def prepare(made: Made, route: Route, deed: Deed) -> Callable[[], Seen]:
    """All that has to be there, and then what does it, as the first who may."""
    before, fields = DOING[route.address, deed]
    made.path(route)
    before(made)
    path, desk = made.path(route), made.allowed(route)
    form = urlencode({"csrf": desk.csrf, **fields(made)}, doseq=True)
    return lambda: desk.send(path, form)
