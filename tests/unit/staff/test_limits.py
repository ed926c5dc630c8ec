"""How often codes and invitations are sent: no stranger keeps anybody out, and nobody writes to everybody."""

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.errors import ConflictError
from rebound.staff.application.write_to_staff import MAX_NAME, OURSELVES, plain_name
from rebound.staff.domain import (
    BROWSER_KNOWN_FOR,
    CODES_TO_ADDRESS,
    CODES_TO_BROWSER,
    CODES_TO_REQUESTER,
    INVITATIONS_OF_BUSINESS,
    INVITATIONS_TO_ADDRESS,
    NewSession,
    session_of,
    session_token,
)
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.world import World
from tests.unit.staff.test_signing_in import ANA, OTHER, URL, Seen, code_in, salon, signed_in

BO: Final = "bo@example.com"


def gets_a_code(world: World, email: str, requester: str, *browsers: str) -> bool:
    before = len(world.rebound_mail.sent)
    token = world.sign_in.ask(email, requester, browsers)
    if len(world.rebound_mail.sent) == before:
        return False
    return isinstance(world.sign_in.with_code(token, code_in(world)), NewSession)


@given(st.lists(st.integers(0, 12), max_size=60))
def test_whatever_strangers_ask_who_has_signed_in_from_this_browser_gets_in(requesters: list[int]) -> None:
    world = salon()
    browser = signed_in(world).browser
    for number in requesters:
        world.sign_in.ask(ANA, f"10.0.0.{number}")

    assert gets_a_code(world, ANA, "10.0.0.0", browser)


@given(st.integers(0, 40))
def test_one_stranger_alone_keeps_nobody_out(asked: int) -> None:
    world = salon()
    for _ in range(asked):
        world.sign_in.ask(ANA, "198.51.100.7")

    assert len(world.rebound_mail.sent) == min(asked, CODES_TO_REQUESTER.most)
    assert gets_a_code(world, ANA, "203.0.113.9")


def test_a_code_that_was_sent_before_stays_good_and_so_does_a_link() -> None:
    world = salon()
    world.invite(BUSINESS_ID, BO, "owner", console_url=URL)
    token, code = world.sign_in.ask(ANA, "203.0.113.9"), code_in(world)
    for number in range(40):
        world.sign_in.ask(ANA, f"10.0.0.{number}")
    assert not gets_a_code(world, ANA, "203.0.113.9")

    assert isinstance(world.sign_in.with_code(token, code), NewSession)
    assert isinstance(world.sign_in.with_link(world.make_link(ANA, BUSINESS_ID)), NewSession)
    link = world.invite(BUSINESS_ID, ANA, "owner", console_url=URL, by=BO).link
    assert isinstance(world.sign_in.with_link(link.rpartition("/")[2]), NewSession)


def test_a_browser_is_known_for_its_person_alone_and_has_a_limit_too() -> None:
    world = salon((ANA, "owner"), (BO, "owner"))
    of_ana, of_bo = signed_in(world).browser, signed_in(world, BO).browser
    made_up = session_token("made-up", ANA)
    for number in range(40):
        world.sign_in.ask(ANA, f"10.0.0.{number}")
    for browsers in ([], [of_bo], [made_up], ["", "\ud800", of_ana[:-1]]):
        assert not gets_a_code(world, ANA, "203.0.113.9", *browsers)
    sent = sum(gets_a_code(world, ANA, "203.0.113.9", of_bo, of_ana) for _ in range(CODES_TO_BROWSER.most + 2))
    assert sent == CODES_TO_BROWSER.most
    world.clock.move(CODES_TO_ADDRESS.within)
    assert gets_a_code(world, ANA, "203.0.113.9", of_ana)


def test_a_browser_is_kept_by_a_hash_and_opens_nothing() -> None:
    world = salon()
    new = signed_in(world)
    key = session_of(new.browser)

    assert key is not None
    assert world.sign_ins.browsers == {key.session_hash: new.session.created_at + BROWSER_KNOWN_FOR}
    assert new.browser not in repr(world.sign_ins.browsers)
    assert world.sessions.find(new.browser) is None


@pytest.mark.parametrize("asked", [1, CODES_TO_REQUESTER.most + 2])
def test_one_requester_is_answered_the_same_whosever_address_it_is(asked: int) -> None:
    worlds = [salon(), salon()]
    seen = [Seen(world, email, asked) for world, email in zip(worlds, (ANA, "nobody@example.com"), strict=True)]

    assert vars(seen[0]) == vars(seen[1])


# --- invitations ----------------------------------------------------------------------------------------------------


def invited(world: World, email: str, business_id: str = BUSINESS_ID) -> bool:
    try:
        world.invite(business_id, email, "viewer", console_url=URL, by=ANA)
    except ConflictError as error:
        return error.code != "too_many_invitations"
    return True


def test_an_address_is_invited_a_few_times_a_day_by_whichever_business() -> None:
    world = salon()
    world.invite(OTHER, ANA, "owner", console_url=URL)
    most = INVITATIONS_TO_ADDRESS.most
    assert [invited(world, BO, OTHER if number % 2 else BUSINESS_ID) for number in range(most + 1)] == [
        *[True] * most,
        False,
    ]
    before = len(world.rebound_mail.sent)
    assert not invited(world, BO.upper())
    assert len(world.rebound_mail.sent) == before
    assert invited(world, "cy@example.com")
    world.clock.move(INVITATIONS_TO_ADDRESS.within)
    assert invited(world, BO)


def test_a_business_invites_so_many_a_day_and_the_operator_as_many_as_they_like() -> None:
    world = salon()
    most = INVITATIONS_OF_BUSINESS.most
    sent = [invited(world, f"p{number}@example.com") for number in range(most + 2)]
    assert sent == [*[True] * most, False, False]
    assert not world.staff.person(f"p{most}@example.com").memberships
    world.invite(BUSINESS_ID, "q@example.com", "viewer", console_url=URL)
    world.clock.move(timedelta(days=1))
    assert invited(world, "r@example.com")


@given(st.text(max_size=300))
def test_a_business_is_named_in_one_short_line_without_links(name: str) -> None:
    plain = plain_name(name)

    assert plain.isprintable()
    assert 0 < len(plain) <= MAX_NAME
    assert "://" not in plain


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Salon Juniper", "Salon Juniper"),
        ("Häar & Söhne – 2. Filiale", "Häar & Söhne – 2. Filiale"),
        ("You won!\r\nBcc: x\u202e", "You won! Bcc: x"),
        ("Win https://evil.example/a now www.evil.example", "Win now"),
        ("HTTP://evil.example", OURSELVES),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_how_a_business_is_named_in_an_invitation(name: str, plain: str) -> None:
    world = World(business(name=name))
    world.invite(BUSINESS_ID, BO, "owner", console_url=URL)
    [(_, _, subject, text)] = world.rebound_mail.sent

    assert plain_name(name) == plain
    assert subject == f"{plain}: your link to sign in"
    assert "evil" not in text
