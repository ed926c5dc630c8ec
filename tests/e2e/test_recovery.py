"""Half-open recovery on the deployed stack: what is flagged for a cause that passes is tried once, when it is due.

The schedule is one of days. So the evidence is old: the provider is kept from telling what became of a message, and
then an event as SES publishes it, dated back, tells it.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import RUN, Calm, EmbeddedAws, Send, Settled, Twin
from tests.e2e.waiting import until

RECORDED: Final = Path(__file__).parents[2] / "events" / "ses" / "bounce_transient_mailbox_full.json"
DROPPED: Final[Json] = {"provider": "ses", "kind": "drop_callbacks", "rate": 1}
OFF: Final[Json] = {"spaced": False, "probe_marketing": False}
DAY: Final = timedelta(days=1)
ADDRESSES: Final[Mapping[str, str]] = {
    # Once each, and then whatever is sent arrives.
    "Wait": f"recovers+wait-{RUN}@twin.example.com",
    "Due": f"recovers+due-{RUN}@twin.example.com",
    "Probe": f"recovers+probe-{RUN}@twin.example.com",
    # These stay as they are.
    "Full": f"mailboxfull+{RUN}@twin.example.com",
    "Gone": f"bounce+{RUN}@simulator.amazonses.com",
    "Well": f"well-{RUN}@example.com",
}


def _mailbox_was_full(send: Send, at: datetime) -> Json:
    """The event by which SES tells of a full mailbox, in its recorded shape, about this send."""
    event: Json = json.loads(RECORDED.read_text(encoding="utf-8"))
    event["bounce"]["timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event["bounce"]["bouncedRecipients"][0]["emailAddress"] = send.to
    event["mail"] |= {"messageId": send.id, "destination": [send.to]}
    event["mail"]["tags"] = {name: [value] for name, value in send.tags.items()}
    return event


def _tell(aws: EmbeddedAws, event: Json) -> None:
    """Publish an event where SES publishes them."""
    with aws.client("sns") as sns:
        sns.publish(TopicArn=aws.output("SesEventsTopic"), Message=json.dumps(event))


@pytest.fixture(scope="module")
def ids(api: ReboundApi, calm: Calm, twin: Twin, aws: EmbeddedAws) -> Mapping[str, str]:
    """Customers by first name: one flagged just now, three for three days, one for good, one not at all."""
    ids = {name: api.new_customer(name, email=address) for name, address in ADDRESSES.items()}
    silent = ("Due", "Probe", "Full")
    with twin.with_faults(DROPPED):
        for name in silent:
            api.new_message(ids[name], "email")
        calm.wait()
    for name in silent:
        (send,) = twin.sends_of(api, ADDRESSES[name])
        _tell(aws, _mailbox_was_full(send, datetime.now(UTC) - 3 * DAY))
    for name in ("Wait", "Gone", "Well"):
        api.new_message(ids[name], "email")
    calm.wait()
    flagged = {*ids} - {"Well"}
    until(
        "the flags are in the list",
        lambda: {customer["first_name"] for customer in api.listing("/v1/customers", failed="email")},
        lambda names: names == flagged,
    )
    return ids


@pytest.fixture(autouse=True)
def _off_afterwards(api: ReboundApi) -> Iterator[None]:
    yield
    api.patch("/v1/business", {"recovery": OFF})


def _choose(api: ReboundApi, **recovery: bool) -> None:
    assert api.patch("/v1/business", {"recovery": recovery})["recovery"] == OFF | recovery


def _days_to_next_try(api: ReboundApi, customer_id: str) -> float | None:
    """From now; ``None`` where nothing is waited for."""
    at = api.contact(customer_id, "email")["next_try_at"]
    return None if at is None else (datetime.fromisoformat(at) - datetime.now(UTC)) / DAY


def _named(ids: Mapping[str, str], *names: str) -> Json:
    return {"customer_ids": [ids[name] for name in names]}


def test_a_date_is_shown_only_where_something_is_waited_for(api: ReboundApi, ids: Mapping[str, str]) -> None:
    assert {_days_to_next_try(api, customer_id) for customer_id in ids.values()} == {None}
    _choose(api, spaced=True)
    days = {name: _days_to_next_try(api, customer_id) for name, customer_id in ids.items()}
    assert (days["Gone"], days["Well"]) == (None, None)
    assert days["Wait"] == pytest.approx(1, abs=0.1)
    assert [days[name] for name in ("Due", "Probe", "Full")] == pytest.approx([-2] * 3, abs=0.1)


@pytest.mark.parametrize("options", [{}, {"spaced": True}, {"probe_marketing": True}], ids=str)
@pytest.mark.parametrize("category", ["marketing", "reminder"])
@pytest.mark.parametrize("added", [(), ("Wait", "Gone")], ids=["nobody added", "some added"])
def test_a_preview_says_who_waits_and_who_does_not(
    api: ReboundApi, ids: Mapping[str, str], options: Mapping[str, bool], category: str, added: tuple[str, ...]
) -> None:
    _choose(api, **options)
    flagged = {"Wait", "Due", "Probe", "Full", "Gone"} - set(added)
    due = {"Due", "Probe", "Full"}
    if category == "marketing":
        left_out = flagged - due if options.get("probe_marketing") else flagged
        reason = "invalid_contact"
    else:
        left_out = {"Wait"} & flagged if options.get("spaced") else set()
        reason = "waiting_for_retry"
    preview = api.preview("email", category, include_customer_ids=[ids[name] for name in added])
    assert preview == {
        "matched": len(ids),
        "excluded": {reason: len(left_out)} if left_out else {},
        "targeted": len(ids) - len(left_out),
    }


def test_a_spaced_reminder_waits_and_says_until_when(
    api: ReboundApi, ids: Mapping[str, str], calm: Calm, twin: Twin
) -> None:
    _choose(api, spaced=True)
    sent = len(twin.sends_of(api, ADDRESSES["Wait"]))
    message_id = api.new_message(ids["Wait"], "email", "transactional")
    calm.wait()
    message = api.message(ids["Wait"], message_id)
    assert (message["status"], message["reason"]) == ("excluded", "waiting_for_retry")
    assert len(twin.sends_of(api, ADDRESSES["Wait"])) == sent

    due = api.contact(ids["Wait"], "email")["next_try_at"]
    why = api.get(f"/v1/customers/{ids['Wait']}/reachability", channel="email", category="reminder")
    assert (why["verdict"]["reason"], why["validity"]["next_try_at"]) == ("waiting_for_retry", due)
    assert why["attempts"][0]["sentence"].startswith("It was left out: the address was flagged")
    assert why["next_step"].startswith("Nothing to do: the next reminder from")
    # An address that does not exist is not waited for: it is tried as ever, and nothing comes of it.
    gone = api.get(f"/v1/customers/{ids['Gone']}/reachability", channel="email", category="reminder")
    assert (gone["verdict"]["decision"], gone["validity"]["next_try_at"]) == ("send", None)


def test_campaigns_side_by_side_make_one_try_and_the_next_is_twice_as_far(
    api: ReboundApi, ids: Mapping[str, str], calm: Calm, twin: Twin
) -> None:
    _choose(api, spaced=True, probe_marketing=True)
    before = len(twin.sends_of(api, ADDRESSES["Full"]))
    campaigns = [
        api.new_campaign("email", category=category, **_named(ids, "Full"))
        for category in ("reminder", "marketing", "transactional", "marketing")
    ]
    settled: list[Settled] = [calm.settled(api, campaign_id) for campaign_id in campaigns]

    assert len(twin.sends_of(api, ADDRESSES["Full"])) == before + 1
    assert sum(each.audience["targeted"] for each in settled) == 1
    reasons = {reason for each in settled for reason in each.audience["excluded"]}
    assert reasons <= {"waiting_for_retry", "invalid_contact"}
    assert _days_to_next_try(api, ids["Full"]) == pytest.approx(2, abs=0.1)


def test_a_reminder_that_is_due_clears_the_flag_when_it_arrives(
    api: ReboundApi, ids: Mapping[str, str], calm: Calm
) -> None:
    _choose(api, spaced=True)
    assert api.contact(ids["Due"], "email")["invalid"] is True
    message_id = api.new_message(ids["Due"], "email")
    calm.wait()
    assert api.message(ids["Due"], message_id)["status"] == "delivered"
    contact = api.contact(ids["Due"], "email")
    assert (contact["invalid"], contact["next_try_at"]) == (False, None)


def test_one_marketing_message_is_the_probe_and_restores_who_gets_nothing_else(
    api: ReboundApi, ids: Mapping[str, str], calm: Calm
) -> None:
    whom = _named(ids, "Probe", "Wait", "Gone")
    nobody = calm.settled(api, api.new_campaign("email", **whom))
    assert nobody.audience == {"matched": 3, "excluded": {"invalid_contact": 3}, "targeted": 0}

    _choose(api, probe_marketing=True)
    probing = calm.settled(api, api.new_campaign("email", **whom))
    assert probing.audience == {"matched": 3, "excluded": {"invalid_contact": 2}, "targeted": 1}
    assert {c: m["status"] for c, m in probing.messages.items()} == {ids["Probe"]: "delivered"}
    assert api.contact(ids["Probe"], "email")["invalid"] is False


def test_a_preview_of_a_mixed_list_is_what_the_campaign_then_does(
    api: ReboundApi, ids: Mapping[str, str], calm: Calm
) -> None:
    nowhere = api.new_customer("Nowhere", mobile_phone="+14155550177")
    for category, options, added in (
        ("marketing", {"probe_marketing": True}, ["Gone"]),
        ("reminder", {"spaced": True}, []),
    ):
        _choose(api, **{**OFF, **options})
        include = {"include_customer_ids": [ids[name] for name in added]}
        preview = api.preview("email", category, **include)
        settled = calm.settled(api, api.new_campaign("email", category=category, **include))
        assert settled.audience == preview
        assert preview["matched"] == len(ids) + 1
        assert preview["excluded"]["no_address"] == 1
        assert nowhere not in settled.messages
