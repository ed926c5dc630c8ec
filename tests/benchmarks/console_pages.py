"""Which pages of the console are measured, over one of everything that has a page of its own.

Every GET of ``routes`` is in ``PAGES`` or, with a reason, in ``NOT_MEASURED``.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from rebound.console.http.operations.letters import LETTERS
from rebound.contacts.domain.replies import Meaning, Reply
from rebound.customers.domain import Customer
from rebound.jobs.domain import JobKind
from rebound.kernel.channels import Channel
from rebound.segments.domain.selections import CustomerFilter
from rebound.sequences.domain.waivers import Ask, AskKey, AskState, Posting, Waiver, sequence_of
from rebound.staff.domain import Role, StaffMember
from tests.benchmarks.deployment import EMAIL, LAYOUT, START, Deployment, environment, resources
from tests.fakes import house
from tests.fakes.making import id_of

REPLIES: Final = 60
"""More than a page."""
WAITING: Final = 60
"""In the sequence."""
ENTRIES: Final = 600
"""Of the history: more than one request reads."""
QUEUE: Final = "email"
PAGES: Final[Mapping[str, str]] = {
    "customers": "customers",
    "a customer": "customers/{customer}",
    "family": "customers/{customer}/family",
    "activity": "customers/{customer}/activity",
    "points": "customers/{customer}/points",
    "timeline": "customers/{customer}/timeline",
    "a customer's sequences": "customers/{customer}/sequences",
    "what waits for a customer": "customers/{customer}/waiting",
    "a clean-up": "customers/clean-up/{clean_up}",
    "segments": "segments",
    "a new segment": "segments/new",
    "a segment": "segments/{segment}",
    "a segment's history": "segments/{segment}/history",
    "campaigns": "campaigns",
    "a campaign": "campaigns/{campaign}",
    "its messages": "campaigns/{campaign}/messages",
    "a message": "campaigns/{campaign}/messages/{customer}",
    "who was left out": "campaigns/{campaign}/left-out",
    "a campaign's history": "campaigns/{campaign}/history",
    "a new campaign": "campaigns/new",
    "whom a campaign is for": "campaigns/{draft}/whom",
    "what a campaign says": "campaigns/{draft}/what",
    "when a campaign goes": "campaigns/{draft}/when",
    "a campaign before it goes": "campaigns/{draft}/check",
    "who would get a campaign": "campaigns/{draft}/who",
    "a campaign's content": "campaigns/{draft}/frame",
    "recurring campaigns": "recurring",
    "a new recurring campaign": "recurring/new",
    "a recurring campaign": "recurring/{recurring}",
    "a recurring campaign's history": "recurring/{recurring}/history",
    "sequences": "sequences",
    "a sequence": "sequences/{sequence}",
    "a new sequence": "sequences/new",
    "a sequence's editor": "sequences/{sequence}/edit",
    "who is in a sequence": "sequences/{sequence}/people",
    "how many are in a sequence": "sequences/{sequence}/short",
    "messages of a sequence's step": "sequences/{sequence}/messages/hello",
    "moving who is in a sequence": "sequences/{sequence}/move",
    "a sequence's history": "sequences/{sequence}/history",
    "waivers": "waivers",
    "a waiver": "waivers/{waiver}",
    "how a waiver stands": "waivers/{waiver}/short",
    "a waiver's history": "waivers/{waiver}/history",
    "templates": "templates",
    "a new template": "templates/new",
    "a template": "templates/{template}",
    "a template's history": "templates/{template}/history",
    "a template's content": "templates/{template}/frame",
    "a new layout": "layouts/new",
    "a layout": "layouts/{layout}",
    "replies": "replies",
    "appointments": "appointments",
    "text plan": "text-plan",
    "imports": "imports",
    "a new import": "imports/new",
    "the columns of a file": "imports/new/{draft_import}",
    "an import": "imports/{import}",
    "exports": "exports",
    "an export": "exports/{export}",
    "jobs": "jobs",
    "a job": "jobs/{job}",
    "staff": "staff",
    "history": "history",
    "keys": "keys",
    "settings": "settings",
    "reference": "reference",
    "reference of customers": "reference/customers",
    "operators' alarms": "operations",
    "operators' dead letters": "operations/dead-letters",
    "operators' queue": f"operations/dead-letters/{QUEUE}",
    "operators' costs": "operations/costs",
    "operators' senders": "operations/senders",
    "operators' businesses": "operations/businesses",
    "operators' new business": "operations/businesses/new",
    "operators' business": "operations/businesses/{business}",
    "operators' history of a business": "operations/businesses/{business}/history",
    "operators' plans": "operations/plans",
    "operators' history": "operations/history",
}
"""The path of each page after ``/console/``, by what it shows; in braces what ``one_of_each`` makes."""
NOT_MEASURED: Final[Mapping[str, str]] = {
    "sign-in": "a form before the door, of which nothing is read",
    "sign-in-code": "a form before the door, of which nothing is read",
    "sign-in/*": "a form before the door, of which nothing is read",
    "choose-business": "answered to somebody of several businesses, once after signing in",
    "imports/*/files/*": "leads to a file and shows nothing",
    "exports/*/file": "leads to a file and shows nothing",
}
"""By their addresses, with the reason."""


def one_of_each(deployed: Deployment) -> Mapping[str, str]:
    """The ids of what the pages are about, beside a campaign that ran."""
    behind, business_id = house.use_cases(), deployed.business_id
    (sent,) = deployed.api("GET", "/v1/campaigns")["items"]
    asked = {"category": "marketing", "channel": "email", "content": EMAIL}
    draft = {**asked, "name": "Winter", "filter": {"all": []}, "status": "draft"}
    recurring = {**asked, "name": "Birthdays", "audience": {"birthday": {}}, "at": "09:00"}
    _prepare_sequence(deployed)
    _prepare_waiver(business_id)
    deployed.api("PUT", "/v1/segments/vip", {"name": "VIP", "filter": {"all": [{"tag": "vip"}]}})
    template = {"name": "Spring", "channel": "email"}
    deployed.api("PUT", "/v1/templates/spring", {**template, "content": EMAIL})
    deployed.api("PUT", "/v1/templates/autumn", {**template, "layout": LAYOUT})
    for number in range(1, REPLIES + 1):
        house.ports().replies.add(_reply(house.ports().customers.get(business_id, id_of(number)), number))
    _prepare_for_operators(deployed)
    for place in (business_id, None):
        _prepare_history(place, {"campaign": sent["campaign_id"], "business": business_id})
    draft_import = behind.bring_file.new_id()
    file = b"first_name,last_name\nAda,Silva\n"
    deployed.cloud.objects[f"/ImportsBucket/import-drafts/{business_id}/{draft_import}"] = file
    return {
        "business": business_id,
        "campaign": sent["campaign_id"],
        "clean_up": deployed.api("POST", "/v1/customers/bulk-delete", {"failed": "email", "confirm_count": 0})[
            "job_id"
        ],
        "customer": id_of(1),
        "draft": deployed.api("POST", "/v1/campaigns", draft)["campaign_id"],
        "draft_import": draft_import,
        "export": behind.start_export(business_id, "csv", CustomerFilter()).job.export_id,
        "import": behind.start_import(business_id, "csv", file.decode())[0].job.import_id,
        "job": behind.job_service.start(business_id, JobKind.COUNT, {"wanted": {}}).job.job_id,
        "layout": "autumn",
        "recurring": deployed.api("POST", "/v1/recurring-campaigns", recurring)["recurring_campaign_id"],
        "segment": "vip",
        "sequence": "first",
        "template": "spring",
        "waiver": "rules",
    }


def _prepare_sequence(deployed: Deployment) -> None:
    """One in which some customers wait, all in its first of two versions."""
    said = {"channel": "email", "category": "marketing", "content": EMAIL}
    steps = [{"wait": {"days": 3}}, {"if": {"tag": "vip"}, "then": [{"id": "hello", "send": said}]}]
    given = {"name": "First visit", "trigger": {"kind": "visit"}, "steps": steps, "status": "on"}
    deployed.api("PUT", "/v1/sequences/first", given)
    for number in range(1, WAITING + 1):
        begins = {"customer_id": id_of(number), "entry_key": "1"}
        deployed.api("POST", "/v1/sequences/first/enrolments", begins)
    deployed.api("PUT", "/v1/sequences/first", {**given, "steps": [{"tag": {"add": "new"}}, *steps]})


def _prepare_waiver(business_id: str) -> None:
    """One that some customers were asked to sign."""
    posting = Posting("1", "We have a sauna now.", "https://example.com/rules")
    house.ports().waivers.save(Waiver(business_id=business_id, waiver_id="rules").with_version(posting, START))
    for number in range(1, WAITING + 1):
        key = AskKey(business_id, "rules", id_of(number))
        house.ports().asks.save(Ask.begun(key, 1, Channel.EMAIL, START, None))
    counts = {f"1|{AskState.ASKED}": WAITING}
    house.ports().step_tallies.add(business_id, sequence_of("rules"), "shard", counts, after=None, position="1")


def _prepare_for_operators(deployed: Deployment) -> None:
    """Alarms, and messages that were given up."""
    deployed.cloud.alarms = [
        {
            "AlarmName": f"{environment()['STACK_NAME']}-{name}-1A2B3C",
            "AlarmDescription": str(alarm["Properties"].get("AlarmDescription", "")),
            "StateValue": "OK",
            "StateUpdatedTimestamp": START.timestamp(),
        }
        for name, alarm in resources().items()
        if alarm["Type"] == "AWS::CloudWatch::Alarm"
    ]
    _, dead_letters = json.loads(environment()["DEAD_LETTER_QUEUES"])[QUEUE]
    for _ in range(2 * LETTERS):
        deployed.cloud.put(dead_letters, "{}")


def _prepare_history(business_id: str | None, things: Mapping[str, str]) -> None:
    """Somebody has done a lot to each of these, and is here no more."""
    who = StaffMember(business_id, "gone@example.com", Role.OWNER, "m-gone", START)
    for kind, object_id in things.items():
        for _ in range(ENTRIES // len(things)):
            details = {"number": ["1200"], "fields": ["time_zone", "switches.sms"]}
            house.use_cases().audit_log.write(who, f"{kind}.sent", object_id=object_id, name="Spring", details=details)


def _reply(customer: Customer, number: int) -> Reply:
    key = customer.contact_key(Channel.SMS)
    if key is None:
        raise RuntimeError("Everybody has a number.")
    return Reply(
        key.hashed,
        f"SM{number}",
        START + timedelta(minutes=number),
        "+14155550100",
        Meaning.OTHER,
        customer.mobile_phone,
        "Can I come at three instead of two?",
        customer_id=customer.customer_id,
        needs_staff=True,
    )
