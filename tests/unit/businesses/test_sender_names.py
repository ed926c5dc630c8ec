"""The name beside the address that emails come from."""

from email import message_from_string
from email.header import decode_header, make_header
from email.policy import SMTP
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rebound.businesses.domain.sender_names import LONGEST_ENCODED_WORD, MAX_MAILBOX, VARIABLES, filled_name, mailbox
from rebound.businesses.domain.senders import Senders
from rebound.kernel.errors import InvalidInputError
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.world import World

ADDRESS = "hello@juniper.example.com"
LONG = f"{'a' * 64}@{'b' * 60}.example.com"
VALUES = {"business_name": "Juniper & Vale", "postal_address": "12 High St, Springfield"}
names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60).map(
    lambda name: filled_name(name, VALUES)
)


def read(written: str) -> tuple[str, str]:
    """The name and the address of the one mailbox of a From line, as a mail program reads them."""
    [(name, address)] = getaddresses([written])
    return str(make_header(decode_header(name))), address


@given(names)
@example('Juniper, "the" salon (main); <desk@elsewhere.example>')
@example("back\\slash")
@example("=?utf-8?q?Bank?=")
@example("Café – Söhne")
@example("\N{GRINNING FACE}" * 40)
@example("美容室 ジュニパー")
def test_a_mail_program_reads_the_name_as_it_was_written(name: str) -> None:
    written = mailbox(name, ADDRESS)

    assert written.isascii()
    assert written.isprintable()
    assert read(written) == (name, ADDRESS)
    assert all(len(word) <= LONGEST_ENCODED_WORD for word in written.split() if word.startswith("=?"))


@given(names)
def test_the_line_can_be_folded_by_whoever_sends_it(name: str) -> None:
    line = message_from_string(f"From: {mailbox(name, ADDRESS)}\n\n", policy=SMTP).as_string()

    assert read(line.removeprefix("From: ").partition("\r\n\r\n")[0].replace("\r\n", ""))[1] == ADDRESS


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("Juniper", "Juniper"),
        ("##{{business_name}}", "Juniper & Vale"),
        ("Anna of ##{{business_name}}", "Anna of Juniper & Vale"),
        ("##{{ business_name }}", "Juniper & Vale"),
        ("##&#123;{business\\_name}}", "Juniper & Vale"),
        ("##%7B%7Bbusiness_name%7D%7D & Co.", "Juniper & Vale & Co."),
        ("＃＃{{business_name}}", "Juniper & Vale"),
        ("##{{business_name}}, ##{{postal_address}}", "Juniper & Vale, 12 High St, Springfield"),
    ],
)
def test_the_business_fills_its_name_in(template: str, name: str) -> None:
    world = World(business(name=VALUES["business_name"], postal_address=VALUES["postal_address"]))
    changed = world.settings_of_business.change(BUSINESS_ID, {"email_from_name": template})

    assert changed.email_from_name == template
    assert read(changed.email_sender)[0] == name


def test_a_business_that_is_called_like_a_placeholder_does_not_look_like_one() -> None:
    assert read(business(name="{{{x}}}", email_from_name="##{{business_name}}").email_sender)[0] == "{ { {x}}}"


def test_a_name_that_comes_out_empty_leaves_the_address_alone() -> None:
    assert business(email_from_name="##{{postal_address}}").email_sender == business().email_from
    assert business(email_from=None, email_from_name="Juniper").email_sender == ""


@pytest.mark.parametrize(
    ("given_name", "meant"),
    [
        ("##{{first_name}}", None),
        ("##{{businessName}}", "business_name"),
        ("##{{bussines_name}}", "business_name"),
        ("##{{postal-address}}", "postal_address"),
        ("##{{}}", None),
        ("{{business_name}}", None),
        ("##{{business_name}", None),
        ("##{business_name}", None),
        ("##{{business_name", None),
        ("##{{##{{business_name}}}}", None),
        ("a } b", None),
    ],
)
def test_what_nobody_can_fill_in_is_refused_with_the_name_that_is_meant(given_name: str, meant: str | None) -> None:
    world = World()
    with pytest.raises(InvalidInputError) as raised:
        world.settings_of_business.change(BUSINESS_ID, {"email_from_name": given_name})

    [error] = raised.value.errors
    assert (error.field, error.did_you_mean) == ("email_from_name", meant)
    assert "business_name" in error.message
    assert world.settings_of_business.get(BUSINESS_ID) == business()


@given(st.sampled_from(VARIABLES), st.text("{}#ab_ ", max_size=20), st.text("{}#ab_ ", max_size=20))
def test_no_brace_ever_reaches_a_customer(variable: str, before: str, after: str) -> None:
    world = World(business(postal_address="12 High St"))
    try:
        changed = world.settings_of_business.change(
            BUSINESS_ID, {"email_from_name": f"{before}##{{{{{variable}}}}}{after}"}
        )
    except InvalidInputError:
        return
    assert not {"{", "}"} & set(changed.email_sender)


@pytest.mark.parametrize("name", ["Juniper\nBcc: all@example.com", "Jun\x00iper", "a\x7fb", "a\u2028b", " ", "x" * 201])
def test_control_characters_and_what_is_no_line_are_refused(name: str) -> None:
    world = World()
    with pytest.raises(InvalidInputError, match="email_from_name"):
        world.settings_of_business.change(BUSINESS_ID, {"email_from_name": name})


@pytest.mark.parametrize(
    ("before", "change", "field"),
    [
        ({}, {"email_from_name": "ж" * 150}, "email_from_name"),
        ({"email_from_name": "##{{business_name}}"}, {"name": "ж" * 150}, "name"),
        (
            {"email_from": None, "email_from_name": "x" * 200, "senders": Senders(email=(LONG,))},
            {"email_from": LONG},
            "email_from",
        ),
    ],
)
def test_a_sender_that_would_be_too_long_is_refused_where_it_is_made(
    before: dict[str, Any], change: dict[str, str], field: str
) -> None:
    world = World(business(**before))
    with pytest.raises(InvalidInputError, match=f"^{field}: .*{MAX_MAILBOX} characters"):
        world.settings_of_business.change(BUSINESS_ID, change)
