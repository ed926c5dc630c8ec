"""One customer for each line of the twin's table: what becomes of them in a first campaign, in a second, and later on.

The expectations are written by hand from the public contract (the twin's table) and from the classes of the provider
facts: only class `invalid` flags; `invalid` and `unreachable` count as bounced, every other failure as failed.

Failures that are the sender's own fault stop a campaign when there are ten of them, so those customers are texted in
campaigns of their own, fewer at a time; all the other campaigns are for everybody but them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi, few_at_once, matched_and_targeted
from tests.e2e.surroundings import RUN, Calm, Send, Settled, Twin
from tests.e2e.waiting import until


@dataclass(frozen=True, slots=True)
class Line:
    """What the first message to an address must come to."""

    address: str
    status: str = "delivered"
    reason: str | None = None
    code: str | None = None
    flagged: bool = False
    opted_out: tuple[str, ...] = ()
    accepted: bool = True
    """Whether the provider took it."""

    @property
    def channel(self) -> str:
        return "email" if "@" in self.address else "sms"


SIMULATOR: Final = "simulator.amazonses.com"
TWIN: Final = "twin.example.com"
GONE: Final = "bounce:mailbox_does_not_exist"
FULL: Final = "bounce:mailbox_full"

EMAILS: Final = (
    Line("ana.silva+table@example.com"),
    Line(f"success+table@{SIMULATOR}"),
    Line(f"bounce+table@{SIMULATOR}", "bounced", GONE, "Permanent/NoEmail", flagged=True),
    Line(f"complaint+table@{SIMULATOR}", opted_out=("marketing",)),
    Line(f"suppressionlist+table@{SIMULATOR}", "failed", "bounce:suppressed", "Permanent/OnAccountSuppressionList"),
    Line(f"ooto+table@{SIMULATOR}"),
    Line(f"mailboxfull+table@{TWIN}", "bounced", FULL, "Transient/MailboxFull", flagged=True),
    Line(f"transient+table@{TWIN}", "bounced", "bounce:temporary_failure", "Transient/General"),
    Line(f"contentrejected+table@{TWIN}", "failed", "content:rejected", "Transient/ContentRejected"),
    Line(f"undetermined+table@{TWIN}", "failed", "bounce:undetermined", "Undetermined/Undetermined"),
    Line(f"latebounce+table@{TWIN}", "bounced", "bounce:permanent_failure", "Permanent/General", flagged=True),
    Line(f"recovers+reminded-{RUN}@{TWIN}", "bounced", FULL, "Transient/MailboxFull", flagged=True),
    Line(f"recovers+added-back-{RUN}@{TWIN}", "bounced", FULL, "Transient/MailboxFull", flagged=True),
    Line(f"recovers+not-excluded-{RUN}@{TWIN}", "bounced", FULL, "Transient/MailboxFull", flagged=True),
    # Its bounce comes only after the delivery of a second message.
    Line(f"reordered+table-{RUN}@{TWIN}", "sent"),
    Line(f"throttled+table-{RUN}@{TWIN}"),
)

CRASHING: Final = "+15552050001"
REFUSED: Final = (
    Line("+15005550001", "bounced", "text:invalid_number", "21211", flagged=True, accepted=False),
    Line("+15005550009", "bounced", "text:not_a_mobile_number", "21614", flagged=True, accepted=False),
    Line("+15005550004", "failed", "text:opted_out", "21610", opted_out=("all",), accepted=False),
)
REFUSED_FOR_US: Final = (
    Line("+15005550002", "failed", "sender:no_route", "21612", accepted=False),
    Line("+15005550003", "failed", "sender:region_not_enabled", "21408", accepted=False),
)
INVALID: Final = {
    21211: "text:invalid_number",
    21614: "text:not_a_mobile_number",
    21635: "text:landline",
    30005: "text:unknown_number",
}
UNREACHABLE: Final = {30003: "text:unreachable_handset", 30006: "text:landline_or_unreachable_carrier"}
OPTED_OUT: Final = {21610: "text:opted_out"}
OTHERS: Final = {
    # blocked
    30004: "text:blocked",
    63033: "text:blocked",
    # transient
    20429: "provider:throttled",
    20500: "provider:temporary_failure",
    30001: "provider:queue_full",
    30008: "provider:unknown_error",
    30017: "provider:carrier_congestion",
    30022: "provider:throttled",
    30023: "provider:daily_quota",
    30036: "provider:expired",
    30410: "provider:timed_out",
    30450: "provider:delivery_blocked",
    30500: "provider:temporary_failure",
    21611: "provider:queue_full",
    # in no list at all, and so never a reason to flag
    39999: "unknown:39999",
}
FAULTS: Final = {
    21408: "sender:region_not_enabled",
    21601: "sender:number_cannot_text",
    21606: "sender:number_not_owned",
    21608: "sender:trial_account",
    21612: "sender:no_route",
    21617: "content:too_long",
    21703: "sender:messaging_service_empty",
    21704: "sender:messaging_service_empty",
    30002: "sender:account_suspended",
    30007: "content:filtered",
    30018: "sender:number_not_verified",
    30024: "sender:number_not_provisioned",
    30032: "sender:toll_free_not_verified",
    30033: "sender:campaign_suspended",
    30034: "sender:not_registered",
    30035: "sender:not_registered",
    20003: "sender:authentication",
}


def _coded(code: int) -> str:
    return f"+1555{code}12"


TEXTS: Final = (
    Line("+14155550111"),
    Line("+14155550117"),
    Line("+14155550118"),
    Line(CRASHING),
    *REFUSED,
    *(Line(_coded(code), "bounced", reason, str(code), flagged=True) for code, reason in INVALID.items()),
    *(Line(_coded(code), "bounced", reason, str(code)) for code, reason in UNREACHABLE.items()),
    *(Line(_coded(code), "failed", reason, str(code), opted_out=("all",)) for code, reason in OPTED_OUT.items()),
    *(Line(_coded(code), "failed", reason, str(code)) for code, reason in OTHERS.items()),
)
FAULTY: Final = (
    *REFUSED_FOR_US,
    *(Line(_coded(code), "failed", reason, str(code)) for code, reason in FAULTS.items()),
)
FAULTY_AT_ONCE: Final = 9
CROWD: Final = (*EMAILS, *TEXTS)
LINES: Final = (*CROWD, *FAULTY)
FAULTY_TAG: Final = "faulty"
NOT_FAULTY: Final = {"not": {"tag": FAULTY_TAG}}
BY_CHANNEL: Final[Mapping[str, Sequence[Line]]] = {"email": EMAILS, "sms": TEXTS}
CATEGORIES: Final = {"email": "marketing", "sms": "daily_deal"}
FAULTY_CAMPAIGNS: Final[Mapping[str, Sequence[Line]]] = {
    f"faulty-{number}": lines for number, lines in enumerate(batched(FAULTY, FAULTY_AT_ONCE, strict=False))
}


def _campaign_of(line: Line) -> str:
    """The name of the first campaign to a customer."""
    return next((name for name, lines in FAULTY_CAMPAIGNS.items() if line in lines), line.channel)


def _name(line: object) -> str:
    return line.address.replace(f"-{RUN}", "") if isinstance(line, Line) else str(line)


def _left_out(channel: str) -> dict[str, int]:
    """Who is left out of a marketing campaign after the first one, of the crowd."""
    lines = BY_CHANNEL[channel]
    return {
        "no_address": len(CROWD) - len(lines),
        "opted_out": sum(bool(line.opted_out) for line in lines),
        "invalid_contact": sum(line.flagged for line in lines),
    }


@dataclass(frozen=True, slots=True)
class FirstRun:
    """The first campaigns by channel, or name of a faulty one, and every customer right after them."""

    customer_ids: Mapping[str, str]
    campaigns: Mapping[str, Settled]
    client_logs: Mapping[str, list[Json]]
    contacts: Mapping[str, Json]
    sends: Sequence[Send]


@pytest.fixture(scope="module")
def first(api: ReboundApi, calm: Calm, twin: Twin) -> FirstRun:
    created = few_at_once(
        lambda line: api.new_customer(
            **{"email" if line.channel == "email" else "mobile_phone": line.address},
            general_tags=[FAULTY_TAG] if line in FAULTY else [],
        ),
        LINES,
    )
    ids = dict(zip((line.address for line in LINES), created, strict=True))
    posted = {
        channel: api.new_campaign(channel, category=category, filter=NOT_FAULTY)
        for channel, category in CATEGORIES.items()
    }
    for name, lines in FAULTY_CAMPAIGNS.items():
        customer_ids = [ids[line.address] for line in lines]
        posted[name] = api.new_campaign("sms", category=CATEGORIES["sms"], customer_ids=customer_ids)
    campaigns = {channel: calm.settled(api, campaign_id) for channel, campaign_id in posted.items()}
    logs = few_at_once(api.client_log, created)
    contacts = few_at_once(lambda line: api.contact(ids[line.address], line.channel), LINES)
    return FirstRun(
        customer_ids=ids,
        campaigns=campaigns,
        client_logs=dict(zip(ids, logs, strict=True)),
        contacts=dict(zip(ids, contacts, strict=True)),
        sends=twin.sends_of(api),
    )


@dataclass(frozen=True, slots=True)
class SecondRun:
    """The previews taken after the first campaigns, and the second campaigns, which were posted right then."""

    previews: Mapping[str, Json]
    campaigns: Mapping[str, Settled]


@pytest.fixture(scope="module")
def second(api: ReboundApi, calm: Calm, first: FirstRun) -> SecondRun:
    assert first.campaigns
    previews = {channel: api.preview(channel, category, filter=NOT_FAULTY) for channel, category in CATEGORIES.items()}
    posted = {
        channel: api.new_campaign(channel, category=category, filter=NOT_FAULTY)
        for channel, category in CATEGORIES.items()
    }
    return SecondRun(previews, {channel: calm.settled(api, campaign) for channel, campaign in posted.items()})


@dataclass(frozen=True, slots=True)
class ThirdRun:
    """Three ways back for a flagged contact, tried at the same time on different customers."""

    reminder: Settled
    added_back: Settled
    not_excluded: Settled


@pytest.fixture(scope="module")
def third(api: ReboundApi, calm: Calm, first: FirstRun, second: SecondRun) -> ThirdRun:
    assert second.campaigns
    ids = first.customer_ids
    complaint = ids[f"complaint+table@{SIMULATOR}"]
    reminder = api.new_campaign(
        "email",
        category="reminder",
        customer_ids=[ids[f"recovers+reminded-{RUN}@{TWIN}"], ids[f"latebounce+table@{TWIN}"]],
    )
    added_back = api.new_campaign(
        "email",
        customer_ids=[ids[f"recovers+added-back-{RUN}@{TWIN}"], ids[f"mailboxfull+table@{TWIN}"], complaint],
        include_customer_ids=[ids[f"recovers+added-back-{RUN}@{TWIN}"], complaint],
    )
    not_excluded = api.new_campaign(
        "email",
        customer_ids=[ids[f"recovers+not-excluded-{RUN}@{TWIN}"], ids[f"bounce+table@{SIMULATOR}"], complaint],
        exclude_failed=False,
    )
    return ThirdRun(*(calm.settled(api, campaign) for campaign in (reminder, added_back, not_excluded)))


# --- the first campaigns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", LINES, ids=_name)
def test_the_client_log_tells_what_became_of_the_message(first: FirstRun, line: Line) -> None:
    (message,) = first.client_logs[line.address]
    campaign = first.campaigns[_campaign_of(line)].campaign
    found = {name: message[name] for name in ("status", "reason", "provider_code")}
    assert found == {"status": line.status, "reason": line.reason, "provider_code": line.code}
    assert message["campaign_id"] == campaign["campaign_id"]
    assert (message["channel"], message["category"]) == (line.channel, CATEGORIES[line.channel])
    assert message["address"] == line.address
    assert message["provider"] == ("ses" if line.channel == "email" else "twilio")
    assert message["queued_at"] is not None
    assert (message["final_at"] is None) == (line.status == "sent")


@pytest.mark.parametrize("line", LINES, ids=_name)
def test_only_a_failure_that_names_a_bad_address_flags_it(first: FirstRun, line: Line) -> None:
    contact = first.contacts[line.address]
    assert contact["address"] == line.address
    assert (contact["invalid"], contact["reason"]) == (line.flagged, line.reason if line.flagged else None)
    assert (contact["since"] is not None) == line.flagged
    assert contact["opted_out"] == list(line.opted_out)


@pytest.mark.parametrize("line", LINES, ids=_name)
def test_everybody_is_handed_to_the_provider_once(first: FirstRun, line: Line) -> None:
    message_id = first.client_logs[line.address][0]["message_id"]
    sends = [s for s in first.sends if (s.to, s.message_id) == (line.address, message_id)]
    assert len(sends) == (1 if line.accepted else 0)
    # A message that nobody but this campaign sent, found in no other way.
    assert {s.customer_id for s in sends} <= {first.customer_ids[line.address]}


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_the_results_of_a_campaign_are_those_of_the_table(first: FirstRun, channel: str) -> None:
    settled, lines = first.campaigns[channel], BY_CHANNEL[channel]
    assert settled.campaign["status"] == "completed"
    assert settled.audience == {
        "matched": len(CROWD),
        "excluded": {"no_address": len(CROWD) - len(lines)},
        "targeted": len(lines),
    }
    assert settled.results == dict(Counter(line.status for line in lines))
    ids = {line.address: first.customer_ids[line.address] for line in lines}
    assert {ids[line.address]: line.status for line in lines} == {
        customer_id: message["status"] for customer_id, message in settled.messages.items()
    }


@pytest.mark.parametrize("name", FAULTY_CAMPAIGNS)
def test_a_campaign_in_which_a_few_fail_through_the_senders_fault_goes_on_to_its_end(
    first: FirstRun, name: str
) -> None:
    settled, lines = first.campaigns[name], FAULTY_CAMPAIGNS[name]
    assert (settled.campaign["status"], settled.campaign["reason"]) == ("completed", None)
    assert settled.audience == {"matched": len(lines), "excluded": {}, "targeted": len(lines)}
    assert settled.results == {"failed": len(lines)}


@pytest.mark.parametrize("status", ["queued", "sent", "delivered", "bounced", "failed", "uncertain"])
def test_the_messages_of_a_campaign_can_be_asked_for_by_status(api: ReboundApi, first: FirstRun, status: str) -> None:
    campaign_id = first.campaigns["sms"].campaign["campaign_id"]
    listed = api.listing(f"/v1/campaigns/{campaign_id}/messages", status=status)
    assert sorted(message["address"] for message in listed) == sorted(
        line.address for line in TEXTS if line.status == status
    )


# --- the second campaigns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_second_campaign_leaves_out_exactly_the_flagged_and_the_opted_out(
    first: FirstRun, second: SecondRun, channel: str
) -> None:
    settled, lines = second.campaigns[channel], BY_CHANNEL[channel]
    reached = {first.customer_ids[line.address] for line in lines if not line.flagged and not line.opted_out}
    assert set(settled.messages) == reached
    assert settled.audience == {
        "matched": len(CROWD),
        "excluded": _left_out(channel),
        "targeted": len(reached),
    }


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_the_preview_had_said_the_same_numbers(second: SecondRun, channel: str) -> None:
    assert second.previews[channel] == second.campaigns[channel].audience


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_reminder_is_kept_only_from_those_who_want_nothing_at_all(
    api: ReboundApi, second: SecondRun, channel: str
) -> None:
    assert second.campaigns
    lines = BY_CHANNEL[channel]
    silent = sum("all" in line.opted_out for line in lines)
    preview = api.preview(channel, "reminder", filter=NOT_FAULTY)
    expected = {"no_address": len(CROWD) - len(lines)} | ({"opted_out": silent} if silent else {})
    assert preview == {"matched": len(CROWD), "excluded": expected, "targeted": len(lines) - silent}


def test_a_bounce_that_arrives_after_a_later_delivery_changes_nothing_for_the_contact(
    api: ReboundApi, first: FirstRun, second: SecondRun
) -> None:
    address = f"reordered+table-{RUN}@{TWIN}"
    customer_id = first.customer_ids[address]
    assert second.campaigns["email"].messages[customer_id]["status"] == "delivered"
    latest, earliest = api.client_log(customer_id)
    # The first message did bounce, and says so; it is only no news of the address any more.
    assert (latest["status"], earliest["status"]) == ("delivered", "bounced")
    assert api.contact(customer_id, "email")["invalid"] is False
    first_campaign = Settled.read(api, first.campaigns["email"].campaign["campaign_id"])
    assert first_campaign.adds_up
    assert first_campaign.results == dict(
        Counter("bounced" if line.status == "sent" else line.status for line in EMAILS)
    )


def test_one_soft_failure_after_another_does_not_flag_before_the_limit(
    api: ReboundApi, first: FirstRun, second: SecondRun
) -> None:
    assert second.campaigns
    for address, channel in ((f"transient+table@{TWIN}", "email"), (_coded(30003), "sms")):
        customer_id = first.customer_ids[address]
        assert [message["status"] for message in api.client_log(customer_id)] == ["bounced", "bounced"]
        assert api.contact(customer_id, channel)["invalid"] is False


# --- ways back --------------------------------------------------------------------------------------------------------


def test_a_reminder_to_a_flagged_contact_is_still_sent_and_its_delivery_clears_the_flag(
    api: ReboundApi, first: FirstRun, third: ThirdRun
) -> None:
    recovered = first.customer_ids[f"recovers+reminded-{RUN}@{TWIN}"]
    still_bad = first.customer_ids[f"latebounce+table@{TWIN}"]
    assert third.reminder.audience == {"matched": 2, "excluded": {}, "targeted": 2}
    assert {c: m["status"] for c, m in third.reminder.messages.items()} == {
        recovered: "delivered",
        still_bad: "bounced",
    }
    contact = api.contact(recovered, "email")
    assert (contact["invalid"], contact["reason"], contact["since"]) == (False, None, None)
    assert api.contact(still_bad, "email")["invalid"] is True


def test_chosen_customers_are_added_back_although_flagged_but_never_against_their_will(
    api: ReboundApi, first: FirstRun, third: ThirdRun
) -> None:
    chosen = first.customer_ids[f"recovers+added-back-{RUN}@{TWIN}"]
    assert third.added_back.audience == {
        "matched": 3,
        "excluded": {"invalid_contact": 1, "opted_out": 1},
        "targeted": 1,
    }
    assert {c: m["status"] for c, m in third.added_back.messages.items()} == {chosen: "delivered"}
    assert api.contact(chosen, "email")["invalid"] is False


def test_a_campaign_that_does_not_exclude_failed_contacts_still_respects_an_opt_out(
    api: ReboundApi, first: FirstRun, third: ThirdRun
) -> None:
    recovered = first.customer_ids[f"recovers+not-excluded-{RUN}@{TWIN}"]
    still_bad = first.customer_ids[f"bounce+table@{SIMULATOR}"]
    assert third.not_excluded.audience == {"matched": 3, "excluded": {"opted_out": 1}, "targeted": 2}
    assert {c: m["status"] for c, m in third.not_excluded.messages.items()} == {
        recovered: "delivered",
        still_bad: "bounced",
    }
    assert api.contact(recovered, "email")["invalid"] is False


def test_who_came_back_is_in_the_next_preview_and_in_no_list_of_failed_contacts(
    api: ReboundApi, first: FirstRun, third: ThirdRun
) -> None:
    assert third.reminder.adds_up
    matched, targeted = matched_and_targeted(preview := api.preview("email", filter=NOT_FAULTY))
    assert (matched, preview["excluded"]["invalid_contact"]) == (len(CROWD), _left_out("email")["invalid_contact"] - 3)
    assert targeted == len(EMAILS) - preview["excluded"]["invalid_contact"] - preview["excluded"]["opted_out"]
    flagged = {
        first.customer_ids[line.address] for line in EMAILS if line.flagged and not line.address.startswith("recovers")
    }
    # The list's filter reads copies of the flags, which follow a moment later.
    until(
        "the list of failed emails is that of the flagged",
        lambda: {customer["customer_id"] for customer in api.listing("/v1/customers", failed="email")},
        lambda found: found == flagged,
    )
