"""The pages of a campaign that was sent: what came of it, steering it, whom it left out, sending it again to some."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import replace
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from botocore.client import BaseClient
from playwright.sync_api import Page, expect

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.campaigns.domain.chunks import Chunk, ChunkKey
from rebound.console.http.campaigns import sent_people
from rebound.kernel.audiences import Audience
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.labels import in_span
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.vouchers import Voucher, VoucherKind
from rebound.staff.domain import Role
from tests.fakes import house
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    NO_SUCH_MAILBOX,
    RUN_ID,
    at,
    campaign,
    contacts_of,
    customer,
    id_of,
    message,
    message_key,
)
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk, Seen

MOST_REQUESTS: Final = 8
PATH: Final = f"/console/campaigns/{CAMPAIGN_ID}"
ATTACK: Final = '"><script>alert(1)</script>'
STATUSES: Final = {
    MessageStatus.DELIVERED: 31,
    MessageStatus.SENT: 9,
    MessageStatus.BOUNCED: 4,
    MessageStatus.FAILED: 2,
    MessageStatus.UNCERTAIN: 1,
    MessageStatus.CANCELLED: 1,
    MessageStatus.EXCLUDED: 1,
}
"""Of those who were in chunks; the others wait."""
WAITING: Final = 7
LEFT_OUT: Final = {"invalid_contact": 3, "opted_out": 2, "no_address": 1}
LEFT_OUT_LATER: Final = "frequency_cap"
BY_TIME: Final = {
    MessageStatus.DELIVERED: {0: 18, 1: 9, 2: 3, 9: 1},
    MessageStatus.SENT: {1: 6, 3: 3},
    MessageStatus.BOUNCED: {0: 1, 1: 3},
    MessageStatus.FAILED: {1: 1, 40: 1},
    MessageStatus.UNCERTAIN: {0: 1},
}
"""In which spans of time those of a status were counted: of five minutes each, and one later."""


IN_CHUNKS: Final = sum(STATUSES.values()) + WAITING


def sent(status: CampaignStatus = CampaignStatus.SENDING, **given: Any) -> Campaign:
    """A campaign with a message in each status, some that wait, and some people left out."""
    ports = house.ports()
    made = campaign(status=status, run_id=RUN_ID, started_at=at(0), names_left_out=True, **given)
    ports.campaigns.add(made)
    total = IN_CHUNKS + sum(LEFT_OUT.values())
    people = [customer(number, last_name=ATTACK if number == 0 else "Silva") for number in range(total)]
    for some in batched(people, 10, strict=False):
        ports.customers.save(some, contacts_of(*some))
    ids = [id_of(number) for number in range(total)]
    for number, part in enumerate(batched(ids[:IN_CHUNKS], 50, strict=False)):
        key = ChunkKey(BUSINESS_ID, CAMPAIGN_ID, f"chunk#000#{number:07d}")
        ports.chunks.add(Chunk(key, part, (), created_at=at(0)))
    outcomes = [each for each, count in STATUSES.items() for _ in range(count)]
    ports.messages.record(
        [
            message(number, outcome, key=message_key(number, made.message_id(id_of(number))), **times(outcome))
            for number, outcome in enumerate(outcomes)
        ]
    )
    labels = {str(each): count for each, count in STATUSES.items()}
    labels[f"excluded:{LEFT_OUT_LATER}"] = labels.pop("excluded")
    labels |= {in_span(status, span): count for status, spans in BY_TIME.items() for span, count in spans.items()}
    ports.tallies.add(CAMPAIGN_ID, "shard", labels, after=None, position="1")
    later = iter(ids[IN_CHUNKS:])
    left_out = {reason: [next(later) for _ in range(count)] for reason, count in LEFT_OUT.items()}
    progress = ports.expansion.get(CAMPAIGN_ID, 0)
    ports.expansion.commit(replace(progress, audience=Audience(total, LEFT_OUT), done=True), [], left_out)
    return made


def times(outcome: MessageStatus) -> Mapping[str, Any]:
    """What else is known of a message with an outcome."""
    found: dict[str, Any] = {"sent_at": at(60), "provider": Provider.SES}
    match outcome:
        case MessageStatus.DELIVERED:
            return {**found, "delivered_at": at(65)}
        case MessageStatus.BOUNCED:
            reason = "bounce:mailbox_does_not_exist"
            return {**found, "failed_at": at(66), "provider_code": NO_SUCH_MAILBOX, "reason": reason}
        case MessageStatus.FAILED:
            return {**found, "failed_at": at(67), "provider_code": "Reject", "reason": "content:virus"}
        case MessageStatus.EXCLUDED:
            return {"reason": LEFT_OUT_LATER}
        case MessageStatus.SENT:
            return found
        case _:
            return {}


def desk(stack: Stack, role: Role = Role.OWNER) -> Desk:
    """Somebody who is signed in, without a browser."""
    console = Desk(stack).sign_in()
    return console if role is Role.OWNER else Desk(stack).sign_in(f"{role}@salon.example.com", role)


def now() -> Campaign:
    return house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The names of the requests to AWS made meanwhile."""
    names: list[str] = []
    call: Any = vars(BaseClient)["_make_api_call"]

    def noted(client: Any, name: str, given: Any) -> Any:
        names.append(f"{name} {given.get('TableName') or list(given.get('RequestItems', {}))}")
        return call(client, name, given)

    with patch.object(BaseClient, "_make_api_call", noted):
        yield names


def numbers(seen: Seen) -> dict[str, int]:
    """What the tables with bars say."""
    rows = re.findall(r'<tr><th scope="row">(?:<a[^>]*>)?([^<]+).*?<strong>(\d+)</strong>', seen.text, re.DOTALL)
    return {name.strip(): int(count) for name, count in rows}


PAGES: Final = (
    "",
    "/messages",
    "/messages?status=bounced",
    "/messages?status=queued",
    "/messages/{who}",
    "/left-out",
    "/left-out?reason=opted_out",
    "/left-out?reason=frequency_cap",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_few_requests(stack: Stack, path: str) -> None:
    sent()
    console, address = desk(stack), f"{PATH}{path.format(who=id_of(0))}"
    console.get(address)
    with counted() as names:
        seen = console.get(address)
    assert seen.status == 200, seen.text
    assert len(names) <= MOST_REQUESTS, names
    assert ATTACK not in seen.text


def test_what_is_held_back_and_has_vouchers_needs_few_requests_too(stack: Stack) -> None:
    sent(voucher=Voucher(kind=VoucherKind.PERCENT, value="10", valid_days=7, number=1))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    house.ports().chunks.note_holds(CAMPAIGN_ID, {tomorrow: HoldReason.SEND_AT})
    console = desk(stack)
    console.get(PATH)
    with counted() as names:
        seen = console.get(PATH)
    assert "For some the hour has not come yet" in seen.text
    assert "None redeemed so far." in seen.text
    assert len(names) <= MOST_REQUESTS, names


def test_what_came_of_it_is_what_the_counts_say(stack: Stack) -> None:
    sent()
    seen = desk(stack).get(PATH)
    assert numbers(seen) == {
        "Delivered": 31,
        "Sent, no word yet": 9,
        "Waiting": 7,
        "Bounced": 4,
        "Address is flagged": 3,
        "Failed": 2,
        "Does not want them": 2,
        "Not known yet": 1,
        "Cancelled": 1,
        "No address": 1,
        "Has had enough messages": 1,
    }
    assert "48 of 55 done" in seen.text
    assert "7 left out" in seen.text


@pytest.mark.parametrize("status", [*STATUSES, MessageStatus.QUEUED])
def test_the_messages_of_a_status_are_all_found_page_by_page(
    stack: Stack, status: MessageStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_people, "LOOKED_AT", 50)
    sent()
    console, path, found = desk(stack), f"{PATH}/messages?status={status}", []
    while path:
        seen = console.get(path)
        found += re.findall(r'href="[./]*/customers/([0-9a-f]{32})"', seen.text)
        more = re.search(r'hx-get="[^"?]*(\?[^"]+)"', seen.text)
        path = "" if more is None else f"{PATH}/messages{more[1].replace('&amp;', '&')}"
    counts = [*STATUSES.values(), WAITING]
    first = sum(counts[: [*STATUSES, MessageStatus.QUEUED].index(status)])
    assert found == [id_of(n) for n in range(first, first + {**STATUSES, MessageStatus.QUEUED: WAITING}[status])]


def test_it_is_paused_resumed_and_cancelled_by_who_may_send(stack: Stack) -> None:
    sent()
    console = desk(stack)
    for what, status in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
        answer = console.post(f"{PATH}/{what}")
        assert answer.status == 303
        assert now().status == status
        assert 'role="status"' in console.get(console.go(f"{PATH}/{what}", answer)).text
    late = console.post(f"{PATH}/resume")
    assert (late.status, "The campaign is cancelled." in late.text) == (409, True)


@pytest.mark.parametrize("what", ["pause", "resume", "cancel", "copy", "roll-back", "again", "send-again"])
def test_a_viewer_changes_nothing(stack: Stack, what: str) -> None:
    before = sent()
    assert desk(stack, Role.VIEWER).post(f"{PATH}/{what}", {"customer": id_of(57), "number": "1"}).status == 403
    assert now() == replace(before, version=now().version)


def test_a_viewer_sees_what_came_of_it_and_no_button(stack: Stack) -> None:
    sent()
    viewer = desk(stack, Role.VIEWER)
    for path in ("", "/messages?status=bounced", "/left-out?reason=invalid_contact"):
        seen = viewer.get(f"{PATH}{path}").text
        main = seen.partition("<main")[2]
        assert not re.findall(r"<button(?! class=.second.>Show)|<input", main)


def test_flags_are_taken_back_once_the_number_of_bounces_is_typed(stack: Stack) -> None:
    sent(CampaignStatus.COMPLETED)
    console = desk(stack)
    wrong = console.post(f"{PATH}/roll-back", {"number": "5", "since": "2026-11-20T07:00"})
    assert (wrong.status, 'id="number-wrong"' in wrong.text, 'value="2026-11-20T07:00"' in wrong.text) == (
        422,
        True,
        True,
    )
    no_time = console.post(f"{PATH}/roll-back", {"number": "4", "until": "noon"})
    assert (no_time.status, 'id="until-wrong"' in no_time.text) == (422, True)
    form = {"number": "4", "since": "2026-11-20T08:00", "until": "2026-11-20T07:00"}
    turned = console.post(f"{PATH}/roll-back", form)
    assert (turned.status, 'id="until-wrong"' in turned.text) == (422, True)
    for impossible in ("0001-01-01T00:00", "2026-02-30T07:00", "9999-12-31T23:59"):
        for name in ("since", "until"):
            refused = console.post(f"{PATH}/roll-back", {"number": "4", name: impossible})
            assert (refused.status, f'id="{name}-wrong"' in refused.text) == (422, True), impossible
    assert now().rollback is None
    # By the business's clock, which is five hours behind.
    form = {"number": "4", "since": "2026-11-20T07:00", "until": "2026-11-20T07:01"}
    assert console.post(f"{PATH}/roll-back", form).status == 303
    asked = now().rollback
    assert asked is not None
    assert (asked.since, asked.until) == (at(0), at(119))
    # The same form again is told of it, and begins no other.
    twice = console.post(f"{PATH}/roll-back", form)
    assert (twice.status, 'value="2026-11-20T07:01"' in twice.text, now().rollback) == (409, True, asked)
    assert f'name="rollback" value="{asked.rollback_id}"' in twice.text
    assert 'hx-trigger="every 4s"' in console.get(PATH).text
    house.ports().campaigns.replace(now(), replace(now(), rollback=replace(asked, done=True, bounces=3)))
    done = console.get(PATH).text
    assert "3 bounces" in done
    assert "every 4s" not in done


def test_the_number_of_bounces_is_the_campaigns_and_not_the_forms(stack: Stack) -> None:
    sent(CampaignStatus.COMPLETED)
    console = desk(stack)
    for number in ("0", "5", "", "9" * 5000):
        assert console.post(f"{PATH}/roll-back", {"count": number, "number": number}).status == 422
    assert now().rollback is None


def test_a_copy_is_made_once(stack: Stack) -> None:
    sent(CampaignStatus.COMPLETED)
    console = desk(stack)
    first, again = (console.post(f"{PATH}/copy", {"once": "a"}).location for _ in range(2))
    assert first == again
    draft = house.ports().campaigns.get(BUSINESS_ID, first.rpartition("/")[2])
    assert (draft.status, draft.content) == (CampaignStatus.DRAFT, now().content)


def test_those_added_back_get_it_once_and_are_asked_for_by_number(stack: Stack) -> None:
    before = sent(CampaignStatus.COMPLETED, exclude_customer_ids=frozenset({id_of(57)}))
    console, people = desk(stack), [id_of(56), id_of(57)]
    listed = console.get(f"{PATH}/left-out").text
    assert set(re.findall(r'name="customer" value="([^"]+)"', listed)) == {*people, id_of(58)}
    asked = console.send(f"{PATH}/again", urlencode({"csrf": console.csrf, "customer": people}, doseq=True))
    assert (asked.status, "Ana56 Silva, Ana57 Silva" in asked.text) == (200, True)
    fields = {"csrf": console.csrf, "customer": people}
    wrong = console.send(f"{PATH}/send-again", urlencode({**fields, "number": "3"}, doseq=True))
    assert (wrong.status, 'id="number-wrong"' in wrong.text) == (422, True)
    assert console.post(f"{PATH}/again").status == 422
    form = urlencode({**fields, "number": "2"}, doseq=True)
    turned = urlencode({**fields, "customer": people[::-1], "number": "2"}, doseq=True)
    first, again = (console.send(f"{PATH}/send-again", each).location for each in (form, turned))
    assert again == first.replace("done=again", "done=again_before")
    assert (
        "Nothing was sent a second time."
        in console.get(console.go(f"{PATH}/send-again", console.send(f"{PATH}/send-again", form))).text
    )
    made = house.ports().campaigns.get(BUSINESS_ID, first.rpartition("/")[2].partition("?")[0])
    assert (made.name, made.status, made.content) == ("Autumn offer (again)", CampaignStatus.EXPANDING, before.content)
    assert made.selection.customer_ids == tuple(people)
    assert (made.include_customer_ids, made.exclude_customer_ids) == (frozenset(people), frozenset())


@pytest.mark.parametrize("other", [id_of(1), id_of(35), id_of(50), id_of(59), id_of(990), "0" * 32, "x" * 3000])
def test_it_is_sent_again_to_nobody_whom_it_reached_or_was_not_for(stack: Stack, other: str) -> None:
    sent(CampaignStatus.COMPLETED)
    console, bounced = desk(stack), id_of(40)
    form = {"csrf": console.csrf, "customer": [bounced, other], "number": "2"}
    for page in ("again", "send-again"):
        seen = console.send(f"{PATH}/{page}", urlencode(form, doseq=True))
        assert seen.status == 422
        assert re.findall(r'name="customer" value="([^"]+)"', seen.text) == [bounced]
    assert [each.campaign_id for each in house.ports().campaigns.page(BUSINESS_ID, 9, None).items] == [CAMPAIGN_ID]
    alone = console.send(f"{PATH}/send-again", urlencode({**form, "customer": [bounced], "number": "1"}, doseq=True))
    assert alone.status == 303


def test_the_script_asks_until_it_ends_and_then_makes_the_page_anew(stack: Stack) -> None:
    sent()
    console = desk(stack)
    running = console.get(PATH).text
    address = re.search(r'hx-get="[^"?]*(\?was=[^"]+)" hx-trigger="every 4s"', running)
    assert address is not None
    path = f"{PATH}{address[1]}"
    assert "HX-Refresh" not in console.get(path, hx_request="true").headers
    house.ports().campaigns.replace(now(), replace(now(), status=CampaignStatus.COMPLETED))
    ended = console.get(path, hx_request="true")
    assert ended.headers["HX-Refresh"] == "true"
    assert "every 4s" not in ended.text


@pytest.mark.parametrize("path", ["?x", "/messages?status=lost", "/left-out?reason=none", "/messages?cursor=x"])
def test_what_is_asked_for_wrongly_is_refused(stack: Stack, path: str) -> None:
    assert desk(stack).get(f"{PATH}{path}").status in (404, 422)
    sent()
    if path != "?x":
        assert desk(stack).get(f"{PATH}{path}").status == 422


def test_the_message_to_one_of_them_says_what_became_of_it(stack: Stack) -> None:
    sent()
    console = desk(stack)
    bounced = console.get(f"{PATH}/messages/{id_of(40)}").text
    assert "Bounced" in bounced
    assert bounced.count("<time") == 3
    assert console.get(f"{PATH}/messages/{id_of(55)}").status == 404
    assert console.get(f"{PATH}/messages/nobody").status == 404


def test_every_page_is_for_everybody(console: str, stack: Stack, at_width: Page, width: str) -> None:
    sent()
    sign_in(at_width, console)
    for path in PAGES:
        at_width.goto(f"{console}/campaigns/{CAMPAIGN_ID}{path.format(who=id_of(40))}")
        if not path:
            for part in at_width.locator("details.more").all():
                part.locator("summary").click()
        name = re.sub(r"[/?=]", "-", path.replace("{who}", "one"))
        check(at_width, f"campaign{name}-{width}")


def test_it_is_watched_until_it_ends(console: str, stack: Stack, page: Page) -> None:
    sent()
    sign_in(page, console)
    page.goto(f"{console}/campaigns/{CAMPAIGN_ID}")
    page.locator("#over-time-numbers summary").click()
    house.ports().tallies.add(
        CAMPAIGN_ID, "shard", {"delivered": WAITING, "delivered@2": WAITING}, after="1", position="2"
    )
    expect(page.get_by_text("55 of 55 done")).to_be_visible()
    # The picture goes along, and the table that somebody reads stays open.
    expect(page.locator(".strip").first).to_contain_text("Delivered 38")
    expect(page.locator("#over-time-numbers table")).to_be_visible()
    house.ports().campaigns.replace(now(), replace(now(), status=CampaignStatus.COMPLETED, completed_at=at(99)))
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    assert page.locator("[hx-trigger]").count() == 0


def test_the_script_looks_on_until_there_are_enough_to_look_at(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_people, "LOOKED_AT", 50)
    sent()
    console, path = desk(stack), f"{PATH}/messages?status=queued"
    few = console.get(path).text
    assert few.count('<td class="tick">') == 1
    assert re.search(r'hx-get="[^"]*shown=1"', few)
    assert 'hx-trigger="load, click"' in few
    monkeypatch.setattr(sent_people, "PEOPLE", 1)
    enough = console.get(path).text
    assert re.search(r'hx-get="[^"]*shown=0"', enough)
    assert 'hx-trigger="load' not in enough


def test_those_of_a_rare_status_are_looked_for_by_the_script(
    console: str, stack: Stack, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_people, "LOOKED_AT", 50)
    sent()
    sign_in(page, console)
    page.goto(f"{console}/campaigns/{CAMPAIGN_ID}/messages?status=queued")
    expect(page.locator("#people tbody tr")).to_have_count(WAITING)
    expect(page.locator("#more")).to_have_text("That is all.")


def test_who_was_left_out_for_a_flag_is_added_back_also_without_scripts(
    console: str, stack: Stack, without_scripts: Page
) -> None:
    page = without_scripts
    sent(CampaignStatus.COMPLETED)
    sign_in(page, console)
    page.goto(f"{console}/campaigns/{CAMPAIGN_ID}")
    page.get_by_role("link", name="Address is flagged").click()
    page.get_by_label("Choose: Ana57 Silva").check()
    page.get_by_role("button", name="Send again to the ticked ones").click()
    page.get_by_label("Type the number").fill("1")
    page.get_by_role("button", name="Send it now").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Autumn offer (again)"
    assert page.get_by_role("status").first.inner_text() == "It is on its way to them."
