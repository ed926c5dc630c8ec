"""A mistaken name is known again, however it was mistaken."""

from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rebound.kernel.nearest import nearest
from rebound.templates.domain.rendering import VARIABLES

OF_EVENTS: Final = (
    "appointment_time",
    "apt_date",
    "noteToCustomers",
    "refundNotice",
    "numberOfMinutesToRespond",
    "welcomeMessage",
    "unsubscribe_url",
)
KNOWN: Final = (*VARIABLES, *OF_EVENTS)


@pytest.mark.parametrize(
    ("mistaken", "meant"),
    [
        ("firstname", "first_name"),
        ("frist_name", "first_name"),
        ("FirstName", "first_name"),
        ("first-name", "first_name"),
        ("First Name", "first_name"),
        ("first", "first_name"),
        ("firts", "first_name"),
        ("aptTime", "appointment_time"),
        ("apt_time", "appointment_time"),
        ("appointmenttime", "appointment_time"),
        ("aptDate", "apt_date"),
        ("note_to_customers", "noteToCustomers"),
        ("note", "noteToCustomers"),
        ("refund_notice_text", "refundNotice"),
        ("emial", "email"),
        ("e_mail_address", "email"),
        ("unsubscribe", "unsubscribe_url"),
        ("bday", "birthday"),
    ],
)
def test_what_people_write_is_known_again(mistaken: str, meant: str) -> None:
    assert nearest(mistaken, KNOWN) == meant


@pytest.mark.parametrize(("mistaken", "meant"), [("text_olor", "text_color"), ("tex", "text"), ("textt", "text")])
def test_a_slip_goes_before_a_beginning(mistaken: str, meant: str) -> None:
    assert nearest(mistaken, ["text", "text_color"]) == meant


def test_the_name_itself_goes_before_what_it_abbreviates() -> None:
    assert nearest("aptTime", ["appointment_time", "apt_time"]) == "apt_time"


@st.composite
def misspelt(draw: st.DrawFn) -> tuple[str, str]:
    """A name, and the same with two neighbours swapped, or a letter lost, doubled or replaced; in another style."""
    name = draw(st.sampled_from(KNOWN))
    # The first letter is the one that people get right.
    at = draw(st.integers(1, len(name) - 2))
    mistaken = draw(
        st.sampled_from(
            [
                name[:at] + name[at + 1] + name[at] + name[at + 2 :],
                name[:at] + name[at + 1 :],
                name[:at] + name[at] + name[at:],
                name[:at] + "x" + name[at + 1 :],
            ]
        )
    )
    return name, draw(st.sampled_from([mistaken, mistaken.upper(), mistaken.title(), mistaken.replace("_", "-")]))


@given(misspelt())
def test_a_name_with_one_mistake_is_known_again(case: tuple[str, str]) -> None:
    name, mistaken = case

    assert nearest(mistaken, KNOWN) == name


@given(st.sampled_from(KNOWN), st.integers(4, 30))
def test_a_beginning_means_a_name_that_begins_so(name: str, length: int) -> None:
    meant = nearest(name[:length], KNOWN)

    assert meant is not None
    assert meant.replace("_", "").casefold().startswith(name[:length].replace("_", "").casefold())


@given(st.text("qxzwk", min_size=1, max_size=100))
def test_what_has_nothing_in_common_means_none(name: str) -> None:
    assume(name not in KNOWN)

    assert nearest(name, ("first_name", "email", "birthday")) is None
