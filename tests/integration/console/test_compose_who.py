"""Who gets a campaign that is written in the console: only those for whom somebody has typed the number."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urljoin

import pytest

from rebound.console.http.campaigns import check as compose_check
from rebound.console.http.campaigns import compose, who
from rebound.eligibility.application import pieces
from tests.integration.conftest import Stack
from tests.integration.console.desk import ORIGIN, Desk, Seen, flag
from tests.integration.console.test_compose import EMAIL, FIRST, MOST_REQUESTS, campaigns, made, salon, shown, version
from tests.integration.console.test_customers import counted
from tests.integration.jobs.test_jobs import run

__all__ = ["salon"]
EXCLUDING: Final = {**FIRST, "exclude_failed": "1"}


def counted_by_job(desk: Desk, stack: Stack, path: str, once: str = "1") -> str:
    """The id of the job that has counted who gets a campaign."""
    job_id = desk.post(f"{path}/check", {"do": "count", "once": once}).location.rpartition("=")[2]
    run(stack, {"job_id": job_id})
    return job_id


def by_another_whom(desk: Desk, stack: Stack, path: str, salon: dict[str, str]) -> None:
    whom = {"name": "Spring", "category": "marketing", "segment_id": "*everybody", "do": "on"}
    assert desk.post(f"{path}/whom", whom).status == 303


def by_another_segment(desk: Desk, stack: Stack, path: str, salon: dict[str, str]) -> None:
    stack.api("PUT", "/v1/segments/spring", {"name": "Spring people", "filter": {"all": []}})


def by_hand(desk: Desk, stack: Stack, path: str, salon: dict[str, str]) -> None:
    done = desk.post(f"{path}/by-hand", {"do": f"take_out:{salon['Amara']}", "back": "check", "count": "0" * 26})
    assert "count" not in done.location


@pytest.mark.parametrize("change", [by_another_whom, by_another_segment, by_hand])
def test_a_count_of_something_else_sends_nothing(
    stack: Stack,
    salon: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Desk, Stack, str, dict[str, str]], None],
) -> None:
    monkeypatch.setattr(compose_check, "MOST_NAMED", 1)
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk)}"
    job_id = counted_by_job(desk, stack, path)
    assert "2 people get it" in desk.get(f"{path}/check?count={job_id}").text
    change(desk, stack, path, salon)
    seen = desk.get(f"{path}/check?count={job_id}")
    assert "Count again" in seen.text
    assert "people get it" not in seen.text
    at = version(desk.get(f"{path}/what"))
    assert desk.post(f"{path}/check", {"do": "send", "version": at, "count": job_id, "number": "2"}).status == 422
    assert campaigns(stack)[0]["status"] == "draft"
    again = counted_by_job(desk, stack, path, "2")
    assert 'name="number"' in desk.get(f"{path}/check?count={again}").text


@pytest.mark.parametrize("when", ["now", "at", "local"])
def test_a_count_as_of_the_day_from_a_template_is_of_the_campaign(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(compose_check, "MOST_NAMED", 1)
    never = {"not": {"birthday": {"within_days": 3}}}
    assert stack.api("PUT", "/v1/segments/spring", {"name": "Spring people", "filter": never}).status == 200
    content = {"subject": "Hello", "text": "Come."}
    template = {"name": "Spring", "channel": "email", "category": "marketing", "content": content}
    assert stack.api("PUT", "/v1/templates/spring", template).status == 200
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk, said={'say': 'template', 'template_id': 'spring'})}"
    at = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%dT%H:%M}"
    assert desk.post(f"{path}/when", {"when": when, "send_at": at, "expires_at": "", "do": "on"}).status == 303
    job_id = counted_by_job(desk, stack, path)
    assert "3 people get it" in desk.get(f"{path}/check?count={job_id}").text
    at = f"{datetime.now(UTC) + timedelta(days=8):%Y-%m-%dT%H:%M}"
    assert desk.post(f"{path}/when", {"when": "at", "send_at": at, "do": "on"}).status == 303
    assert "Count again" in desk.get(f"{path}/check?count={job_id}").text


def test_a_count_of_long_ago_sends_nothing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_check, "MOST_NAMED", 1)
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk)}"
    job_id = counted_by_job(desk, stack, path)
    sent = {"do": "send", "number": "2", "count": job_id, **shown(desk.get(f"{path}/check?count={job_id}"))}
    monkeypatch.setattr(compose_check, "COUNT_LASTS", timedelta())
    assert desk.post(f"{path}/check", sent).status == 422
    assert campaigns(stack)[0]["status"] == "draft"


@pytest.mark.parametrize("count", ["0" * 26, "x" * 3000])
def test_a_count_that_there_is_not_sends_nothing(stack: Stack, monkeypatch: pytest.MonkeyPatch, count: str) -> None:
    monkeypatch.setattr(compose_check, "MOST_NAMED", 1)
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk)}"
    assert desk.get(f"{path}/check?count={count}").status == 200


def test_the_same_number_of_other_people_is_looked_at_again(stack: Stack, salon: dict[str, str]) -> None:
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk)}"
    sent = {"do": "send", "number": "2", **shown(desk.get(f"{path}/check"))}
    for name, tags in (("Amara", []), ("Dora", ["spring"])):
        assert stack.api("PATCH", f"/v1/customers/{salon[name]}", {"general_tags": tags}).status == 200
    seen = desk.post(f"{path}/check", sent)
    assert seen.status == 409
    assert "Other people get it now" in seen.text
    assert "Dora" in seen.text
    assert desk.post(f"{path}/check", {**sent, "who": ""}).status == 409
    assert campaigns(stack)[0]["status"] == "draft"
    assert desk.post(f"{path}/check", {**sent, **shown(seen)}).status == 303


def announced(desk: Desk, stack: Stack) -> str:
    """The path of a campaign that waits for its time."""
    path = f"/console/campaigns/{made(desk)}"
    at = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%dT%H:%M}"
    assert desk.post(f"{path}/when", {"when": "at", "send_at": at, "do": "on"}).status == 303
    sent = {"do": "send", "number": "2", **shown(desk.get(f"{path}/check"))}
    assert desk.post(f"{path}/check", sent).status == 303
    assert campaigns(stack)[0]["status"] == "scheduled"
    return path


def test_who_gets_an_announced_campaign_becomes_no_more(stack: Stack, salon: dict[str, str]) -> None:
    desk = Desk(stack).sign_in()
    path = announced(desk, stack)
    page = desk.get(f"{path}/whom").text
    assert 'name="segment_id"' not in page.partition('role="search"')[0]
    assert f'{path.rpartition("/")[2]}/copy"' in page
    assert desk.post(f"{path}/by-hand", {"do": f"take_out:{salon['Boris']}", "back": "whom"}).status == 303
    before = stack.api("GET", f"/v1{path.removeprefix('/console')}").body
    fields = {"name": "Spring", "category": "marketing", "segment_id": "*everybody", "do": "on"}
    refused = [
        desk.post(f"{path}/whom", fields),
        desk.post(f"{path}/whom", {**fields, "segment_id": "spring"}),
        desk.post(f"{path}/by-hand", {"do": f"add_back:{salon['Chen']}"}),
        desk.post(f"{path}/by-hand", {"do": f"undo:{salon['Boris']}"}),
    ]
    assert [each.status for each in refused] == [409] * len(refused)
    assert all("Copy it as a draft" in each.text for each in refused)
    assert stack.api("GET", f"/v1{path.removeprefix('/console')}").body == before
    assert before["exclude_customer_ids"] == [salon["Boris"]]


@pytest.mark.parametrize("what", ["add_back", "take_out", "undo"])
@pytest.mark.parametrize("who", ["", "zz z", "é", "x" * 3000, "0" * 32])
def test_only_customers_are_added_or_taken_out_by_hand(stack: Stack, what: str, who: str) -> None:
    desk = Desk(stack).sign_in()
    campaign_id = made(desk)
    seen = desk.post(f"/console/campaigns/{campaign_id}/by-hand", {"do": f"{what}:{who}"})
    assert seen.status == (303 if (what, who) == ("undo", "0" * 32) else 404)
    kept = stack.api("GET", f"/v1/campaigns/{campaign_id}").body
    assert (kept["include_customer_ids"], kept["exclude_customer_ids"]) == ([], [])


def test_no_more_are_taken_out_by_hand_than_there_is_room_for(
    stack: Stack, salon: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "MOST_BY_HAND", 1)
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk)}"
    taken = [desk.post(f"{path}/by-hand", {"do": f"take_out:{salon[name]}"}) for name in ("Amara", "Boris")]
    assert [each.status for each in taken] == [303, 422]
    assert "At most 1 customer" in taken[1].text


def test_what_two_do_by_hand_at_once_is_all_done(
    stack: Stack, salon: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, other = Desk(stack).sign_in(), Desk(stack).sign_in("other@salon.example.com")
    campaign_id = made(desk)
    path, real = f"/console/campaigns/{campaign_id}/by-hand", compose._changed_by_hand
    waiting = ["Boris"]

    def meanwhile(*given: Any) -> Any:
        if waiting:
            assert other.post(path, {"do": f"take_out:{salon[waiting.pop()]}"}).status == 303
        return real(*given)

    monkeypatch.setattr(compose, "_changed_by_hand", meanwhile)
    assert desk.post(path, {"do": f"take_out:{salon['Amara']}"}).status == 303
    taken = stack.api("GET", f"/v1/campaigns/{campaign_id}").body["exclude_customer_ids"]
    assert taken == sorted([salon["Amara"], salon["Boris"]])


@pytest.mark.parametrize("given", ["9" * 5000, "x"])
def test_a_version_that_never_was_replaces_nothing(stack: Stack, given: str) -> None:
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk)}/what"
    assert desk.post(path, {**EMAIL, "text": "Mine.", "version": given, "do": "on"}).status == 409


def by_tier(stack: Stack, **more: Any) -> str:
    """The path of a draft that says something else to those on top, of whom there are none, and to favourites."""
    said = {tier: {"subject": f"To the {tier}", "text": "Thanks."} for tier in ("top", "favourite")}
    new = {"name": "Thanks", "channel": "email", "category": "loyalty", "filter": {"all": []}, "contents": said}
    posted = stack.api("POST", "/v1/campaigns", {**new, "status": "draft", **more})
    assert posted.status in (201, 202), posted.text
    return f"/console/campaigns/{posted.body['campaign_id']}"


def test_a_campaign_by_tier_is_sent_once_somebody_has_typed_how_many_get_it(
    stack: Stack, salon: dict[str, str]
) -> None:
    for name in ("Amara", "Chen"):
        assert stack.api("PUT", f"/v1/loyalty/favourites/{salon[name]}").status in (200, 201, 204)
    desk, path = Desk(stack).sign_in(), by_tier(stack)
    stack.api("GET", "/v1/loyalty")
    with counted() as names:
        assert "counted in the background" in desk.get(f"{path}/check").text
    assert len(names) <= MOST_REQUESTS, names
    job_id = counted_by_job(desk, stack, path)
    with counted() as names:
        seen = desk.get(f"{path}/check?count={job_id}")
    assert len(names) <= MOST_REQUESTS, names
    assert "1 person gets it" in seen.text
    assert "3 are left out" in seen.text
    with counted() as names:
        listed = desk.get(f"{path}/who?count={job_id}&reason=no_tier_content")
    assert len(names) <= MOST_REQUESTS, names
    assert "2 people in all" in listed.text
    assert ("Boris" in listed.text, "Dora" in listed.text, "Amara" in listed.text) == (True, True, False)
    with counted() as names:
        everybody = desk.get(f"{path}/who?count={job_id}&of=4")
    assert len(names) <= MOST_REQUESTS, names
    assert "4 people in all" in everybody.text
    sent = {"do": "send", "version": version(seen), "count": job_id}
    assert desk.post(f"{path}/check", {**sent, "number": "4"}).status == 422
    assert desk.post(f"{path}/check", {**sent, "number": "1"}).status == 303
    assert [each["status"] for each in campaigns(stack)] == ["expanding"]


def flagged(stack: Stack, number: int) -> list[str]:
    """The names of so many customers of the segment whose address is flagged."""
    names = [f"Flag{index}" for index in range(number)]
    for name in names:
        email = f"{name.lower()}@example.com"
        row = {"first_name": name, "last_name": "X", "email": email, "general_tags": ["spring"]}
        assert stack.api("POST", "/v1/customers", row).status == 201
        flag(email)
    return names


def pages_from(desk: Desk, path: str) -> list[Seen]:
    """A page and all that it leads on to, each with few requests."""
    pages = []
    while True:
        with counted() as names:
            seen = desk.get(path)
        assert len(names) <= MOST_REQUESTS, names
        if seen.status == 303:
            path = desk.go(path, seen)
            continue
        pages.append(seen)
        more = re.findall(r'<a class="button second" href="([^"]+)" hx-get="[^"]+" hx-target="#people"', seen.text)
        if not more:
            return pages
        path = urljoin(f"{ORIGIN}{path}", html.unescape(more[0])).removeprefix(ORIGIN)


@pytest.mark.parametrize("most_named", [500, 2])
def test_all_who_are_left_out_for_a_reason_are_listed_page_by_page_and_counted(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, most_named: int
) -> None:
    monkeypatch.setattr(compose_check, "MOST_NAMED", 1)
    monkeypatch.setattr(pieces, "MOST_NAMED", most_named)
    monkeypatch.setattr(who, "PEOPLE", 2)
    names = flagged(stack, 5)
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk, EXCLUDING)}"
    job_id = counted_by_job(desk, stack, path)
    [link] = re.findall(
        r'href="([^"]+who\?reason=invalid_contact[^"]+)"', desk.get(f"{path}/check?count={job_id}").text
    )
    pages = pages_from(desk, urljoin(f"{ORIGIN}{path}/check", html.unescape(link)).removeprefix(ORIGIN))
    assert all("5 people in all" in each.text for each in pages)
    assert sorted(name for name in names for each in pages if f">{name} X<" in each.text) == names
    assert len(pages) == (3 if most_named == 500 else 5)
    if most_named == 2:
        assert "2 customers looked at so far" in pages[0].text
        assert "That is all: 9 customers looked at" in pages[-1].text


def test_somebody_added_back_stays_in_the_list_that_was_counted(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_check, "MOST_NAMED", 1)
    [name] = flagged(stack, 1)
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk, EXCLUDING)}"
    listed = f"{path}/who?reason=invalid_contact&count={counted_by_job(desk, stack, path)}"
    [action] = re.findall(r'value="(add_back:[^"]+)"', desk.get(listed).text)
    fields = dict(parse_qsl(listed.partition("?")[2]))
    done = desk.post(f"{path}/by-hand", {"do": action, "back": "who", **fields})
    seen = desk.get(desk.go(f"{path}/by-hand", done))
    assert name in seen.text
    assert "Added back" in seen.text
    assert action.replace("add_back", "undo") in seen.text


def test_a_long_list_of_customers_is_counted_in_the_background(
    stack: Stack, salon: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose_check, "MOST_NAMED", 1)
    content = {"subject": "Hello", "text": "Come."}
    new = {"name": "Some", "channel": "email", "category": "marketing", "content": content, "status": "draft"}
    listed = [*salon.values(), "f" * 32]
    posted = stack.api("POST", "/v1/campaigns", {**new, "customer_ids": listed})
    desk, path = Desk(stack).sign_in(), f"/console/campaigns/{posted.body['campaign_id']}"
    assert "counted in the background" in desk.get(f"{path}/check").text
    job_id = counted_by_job(desk, stack, path)
    seen = desk.get(f"{path}/check?count={job_id}")
    assert "3 people get it" in seen.text
    assert "A customer who is deleted" in desk.get(f"{path}/who?reason=not_found&count={job_id}").text
    sent = {"do": "send", "version": version(seen), "count": job_id, "number": "3"}
    assert desk.post(f"{path}/check", sent).status == 303


def test_an_announced_campaign_says_that_its_segment_was_changed(stack: Stack, salon: dict[str, str]) -> None:
    desk = Desk(stack).sign_in()
    path = announced(desk, stack)
    said = "The segment was changed at"
    assert all(said not in desk.get(address).text for address in (path, f"{path}/check"))
    by_another_segment(desk, stack, path, salon)
    assert all(said in desk.get(address).text for address in (path, f"{path}/check"))
    assert "what you save changes who gets them" in desk.get("/console/segments/spring").text
