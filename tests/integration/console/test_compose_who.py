"""Who gets a campaign that is written in the console: only those for whom somebody has typed the number."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rebound.console.http.campaigns import check as compose_check
from rebound.console.http.campaigns import compose
from tests.integration.conftest import Stack
from tests.integration.console.desk import Desk
from tests.integration.console.test_compose import EMAIL, campaigns, made, salon, shown, version
from tests.integration.jobs.test_jobs import run

__all__ = ["salon"]


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
