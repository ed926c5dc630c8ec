"""What happens about appointments: one suite against the fake and the tables."""

import pytest

from rebound.kernel.channels import Channel
from rebound.messages.domain.appointments import Answered, AppointmentEntry, Asked, MessagePosted
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
    contact_key,
    message_key,
)

ASKED = MessagePosted(at(1.5), message_key(1, "01M7W6ARGFEXM6PVNM0V1C8F01"), asks_confirmation=True)


ABOUT_IT: list[AppointmentEntry] = [
    Answered(at(9), "SM2", confirmed=True),
    MessagePosted(at(2), message_key(1, "01M7W6ARGFEXM6PVNM0V1C8F02"), asks_confirmation=False),
    ASKED,
    Answered(at(1.5), "SM1", confirmed=False),
]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_what_happened_about_an_appointment_comes_newest_first_and_in_pages(ports: EveryPorts, limit: int) -> None:
    for entry in (*ABOUT_IT, ASKED):
        ports.appointments.record(BUSINESS_ID, "a:1.x", entry)
    ports.appointments.record(BUSINESS_ID, "a:1", ASKED)
    ports.appointments.record("other", "a:1.x", ASKED)
    found: list[AppointmentEntry] = []
    cursor: str | None = None
    while True:
        page = ports.appointments.page(BUSINESS_ID, "a:1.x", limit, cursor)
        assert len(page.items) <= limit
        found, cursor = [*found, *page.items], page.next_cursor
        if cursor is None:
            break

    assert found == ABOUT_IT
    assert not ports.appointments.page(BUSINESS_ID, "a:2", limit, None).items


def test_what_a_contact_was_asked_is_open_until_it_is_closed(ports: EveryPorts) -> None:
    key, other = contact_key(1, Channel.SMS), contact_key(2, Channel.SMS)
    asked = [Asked(at(number), message_key(1, f"m{number}"), f"a-{number}") for number in range(3)]
    for one in (*asked, asked[0]):
        ports.appointments.ask(key, one)
    ports.appointments.ask(other, asked[0])

    assert list(ports.appointments.asked(key.hashed)) == asked[::-1]
    ports.appointments.close(key, asked[1:])
    ports.appointments.close(key, asked[1:])
    ports.appointments.close(key, [])
    assert list(ports.appointments.asked(key)) == asked[:1]
    assert list(ports.appointments.asked(other)) == asked[:1]
    assert list(ports.appointments.asked(contact_key(3, Channel.SMS))) == []
