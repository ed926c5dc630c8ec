"""The guide's example client, on the deployed stack: an appointment from its confirmation to the no-show."""

import importlib.util
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from local.stack.configuration import REPOSITORY
from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, Operator, Twin
from tests.e2e.waiting import until

CLIENT: Final = REPOSITORY / "docs" / "guide" / "booking_system.py"
MOST_LINES: Final = 150
OURS: Final = "+15005550081"
LEAD: Final = timedelta(hours=24)


@pytest.fixture(scope="module")
def client() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("booking_system", CLIENT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def api(operator: Operator) -> ReboundApi:
    settings = ("--email-from", "booking@salon.example.com", "--text-from", OURS, "--text-rate", "1000")
    return operator.new_business("Booking & Co", *settings)


@pytest.fixture
def diary(client: ModuleType, api: ReboundApi) -> Any:
    return client.Diary(client.Rebound(api.url, api.key), ZoneInfo("America/New_York"))


def appointment(client: ModuleType, number: int, hours: float) -> Any:
    person = client.Customer(f"till 3/{number}%", "Wren", "Sand", f"wren{number}@example.com", f"+1415555019{number}")
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    return client.Appointment(f"cut-{number}", person, "your haircut", at)


def messages(api: ReboundApi, of: Any) -> list[Any]:
    found = [entry["message"] for entry in api.get(f"/v1/appointments/{of.id}/log")["items"]]
    return [each for each in found if each is not None]


def sent(twin: Twin, api: ReboundApi, of: Any) -> list[str]:
    """What the customer got, in its order."""
    own = {of.customer.email, of.customer.mobile_phone}
    return [str(each.content) for each in twin.sends_of(api) if each.to in own]


def due(message: Any) -> datetime:
    return datetime.fromisoformat(message["held_until"])


def test_it_is_short_enough_to_copy() -> None:
    assert len(CLIENT.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_from_confirmation_to_the_day(client: ModuleType, diary: Any, api: ReboundApi, twin: Twin, calm: Calm) -> None:
    cut = appointment(client, 1, 48)
    for _ in range(2):
        assert due(diary.book(cut)) == cut.starts_at - LEAD
    calm.wait()
    (question,) = sent(twin, api, cut)
    assert "Wren, your haircut is booked for" in question
    assert len(messages(api, cut)) == 2

    assert diary.confirmed_at(cut) is None
    twin.text(cut.customer.mobile_phone, OURS, "C")
    until("confirmed", lambda: diary.confirmed_at(cut), lambda at: at is not None)

    later = cut.starts_at + timedelta(hours=24)
    for _ in range(2):
        moved = diary.move(cut, later)
        assert [due(message) for message in moved["moved"]] == [later - LEAD]
        assert moved["sent_now"] == moved["expired"] == []
    calm.wait()
    assert len(sent(twin, api, cut)) == 2
    sooner = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    assert [each["channel"] for each in diary.move(cut, sooner)["sent_now"]] == ["email"]
    calm.wait()
    texts = sent(twin, api, cut)
    assert [("See you soon" in each, "is now" in each) for each in texts].count((True, False)) == 1
    assert sum("is now" in each for each in texts) == 2


def test_a_cancellation_takes_the_reminder_back_and_says_so_once(
    client: ModuleType, diary: Any, api: ReboundApi, twin: Twin, calm: Calm
) -> None:
    cut = appointment(client, 2, 48)
    diary.book(cut)
    calm.wait()
    taken = [message["channel"] for message in diary.cancel(cut)["cancelled"]]
    again = [message["channel"] for message in diary.cancel(cut)["cancelled"]]
    calm.wait()

    assert taken == again == ["email"]
    assert {message["status"] for message in messages(api, cut) if message["channel"] == "email"} == {"cancelled"}
    assert ["is cancelled" in each for each in sent(twin, api, cut)] == [False, True]


def test_who_did_not_come_is_written_to(
    client: ModuleType, diary: Any, api: ReboundApi, twin: Twin, calm: Calm
) -> None:
    cut = appointment(client, 3, -1)
    diary.book(cut)
    for _ in range(2):
        assert diary.miss(cut)["foreseen"]["decision"] == "send"
    calm.wait()

    # What was said too late to be of use is not.
    assert ["We missed you" in each for each in sent(twin, api, cut)] == [True]


def test_a_refusal_is_an_error_with_its_code(client: ModuleType, diary: Any) -> None:
    with pytest.raises(client.RefusedError) as refused:
        diary.rebound.call("GET", "/customers/nobody")
    assert refused.value.problem["code"] == "not_found"
