"""Signing in by a code or a link: once, not for long, and the same for whoever asks."""

import re
from collections import Counter
from collections.abc import Callable
from copy import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.access.domain import hash_of
from rebound.kernel.errors import ComeAgainError, ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.languages import LANGUAGES
from rebound.staff.application.sign_in import ASKING_TAKES
from rebound.staff.application.write_to_staff import staff_words
from rebound.staff.domain import (
    CODE_LASTS,
    CODES_TO_ADDRESS,
    CODES_TO_REQUESTER,
    INVITATION_LASTS,
    MOST_TRIES,
    NewSession,
    Role,
    Way,
    WrongCode,
    code_of,
    hash_of_code,
)
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.watching import Turns
from tests.fakes.world import World

URL: Final = "https://rebound.example.com/live/console"
ANA: Final = "ana@example.com"
OTHER: Final = "salon-cedar"
_NO_CODE: Final = "00000000"


def salon(*people: tuple[str, str]) -> World:
    world = World(business(), business(business_id=OTHER, name="Cedar", email_from=None))
    for email, role in people or ((ANA, "owner"),):
        world.invite(BUSINESS_ID, email, role, console_url=URL)
    world.rebound_mail.sent.clear()
    return world


def code_in(world: World) -> str:
    subject = world.rebound_mail.sent[-1][2]
    [code] = re.findall(r"\d{8}", subject)
    return str(code)


def signed_in(world: World, email: str = ANA) -> NewSession:
    token = world.sign_in.ask(email)
    answer = world.sign_in.with_code(token, code_in(world))
    assert isinstance(answer, NewSession)
    return answer


def token_of(link: str) -> str:
    return link.removeprefix(f"{URL}/sign-in/")


def test_the_code_that_was_sent_signs_in_once() -> None:
    world = salon()
    token = world.sign_in.ask(" Ana@Example.com ")
    [(sender, to, subject, text)] = world.rebound_mail.sent
    code = code_in(world)

    assert (sender, to) == ("hello@juniper.example.com", ANA)
    assert code in subject
    assert code in text
    new = world.sign_in.with_code(token, f" {code[:4]}-{code[4:]} ")
    assert isinstance(new, NewSession)
    assert new.session.business_id == BUSINESS_ID
    assert world.sign_in.with_code(token, code) is None
    person = world.sessions.find(new.token)
    assert person is not None
    assert person.member is not None
    assert person.member.last_signed_in_at == world.clock.now()


@pytest.mark.parametrize(("after", "opens"), [(CODE_LASTS - timedelta(seconds=1), True), (CODE_LASTS, False)])
def test_a_code_is_good_for_ten_minutes(after: timedelta, opens: bool) -> None:
    world = salon()
    begun = world.clock.now()
    token = world.sign_in.ask(ANA)
    world.clock.move_to(begun + after)

    assert isinstance(world.sign_in.with_code(token, code_in(world)), NewSession) is opens


def test_five_codes_may_be_tried() -> None:
    world = salon()
    token = world.sign_in.ask(ANA)
    code = code_in(world)
    wrong = [world.sign_in.with_code(token, _NO_CODE) for _ in range(MOST_TRIES)]

    assert wrong == [WrongCode(4), WrongCode(3), WrongCode(2), WrongCode(1), None]
    assert world.sign_in.with_code(token, code) is None


def test_the_last_try_may_be_right() -> None:
    world = salon()
    token = world.sign_in.ask(ANA)
    for _ in range(MOST_TRIES - 1):
        world.sign_in.with_code(token, _NO_CODE)

    assert isinstance(world.sign_in.with_code(token, code_in(world)), NewSession)


def test_a_code_opens_its_own_attempt_only() -> None:
    world = salon()
    first = world.sign_in.ask(ANA)
    code_of_first = code_in(world)
    second = world.sign_in.ask(ANA)

    assert world.sign_in.with_code(second, code_of_first) == WrongCode(4)
    assert isinstance(world.sign_in.with_code(first, code_of_first), NewSession)


@pytest.mark.parametrize("token", ["", "x", "é", "\ud800", "a" * 200, "secret-0"])
def test_a_token_that_nobody_gave_opens_nothing(token: str) -> None:
    world = salon()

    assert world.sign_in.with_code(token, _NO_CODE) is None
    assert world.sign_in.look_at_link(token) is None
    assert world.sign_in.with_link(token) is None
    assert world.sessions.find(token) is None
    assert world.sessions.choose(token, BUSINESS_ID) is None
    world.sessions.end(token)


@given(st.text(max_size=12).filter(lambda text: not re.fullmatch(r"[\s\d-]*", text)))
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    world = salon()

    assert world.sign_in.with_code(world.sign_in.ask(ANA), typed) == WrongCode(4)


@given(st.text(min_size=1))
def test_a_code_has_eight_digits(secret: str) -> None:
    assert re.fullmatch(r"[0-9]{8}", code_of(secret))


# --- several at once ------------------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 10_000),
    right=st.lists(st.booleans(), min_size=1, max_size=9),
)
def test_of_guesses_side_by_side_no_more_than_five_are_answered_and_one_opens(seed: int, right: list[bool]) -> None:
    world = salon()
    token = world.sign_in.ask(ANA)
    code = code_in(world)
    answers = in_turns(
        world, seed, [lambda r=r: world.sign_in.with_code(token, code if r else _NO_CODE) for r in right]
    )
    opened = [answer for answer in answers if isinstance(answer, NewSession)]
    left = [answer.tries_left for answer in answers if isinstance(answer, WrongCode)]

    assert len(opened) == len(world.staff_sessions.rows) <= 1
    # Each wrong answer says another number, so that none was counted twice and no more than five were given.
    assert sorted(left, reverse=True) == list(range(MOST_TRIES - 1, MOST_TRIES - 1 - len(left), -1))
    assert len(left) <= MOST_TRIES - 1
    if sum(1 for each in right if not each) < MOST_TRIES and any(right):
        assert opened
    if not any(right):
        assert not opened


@given(seed=st.integers(0, 10_000), people=st.integers(2, 5))
def test_a_link_that_is_opened_by_several_at_once_signs_in_one(seed: int, people: int) -> None:
    world = salon()
    token = world.make_link(ANA, BUSINESS_ID)
    answers = in_turns(world, seed, [lambda: world.sign_in.with_link(token) for _ in range(people)])

    assert Counter(type(answer) for answer in answers) == {NewSession: 1, type(None): people - 1}


@given(seed=st.integers(0, 10_000), asked=st.integers(CODES_TO_REQUESTER.most, CODES_TO_REQUESTER.most + 4))
def test_of_many_who_ask_at_once_no_more_codes_are_sent_than_may_be(seed: int, asked: int) -> None:
    world = salon()
    tokens = in_turns(world, seed, [lambda: world.sign_in.ask(ANA) for _ in range(asked)])

    assert len({*tokens}) == asked == len(world.sign_ins.attempts)
    assert 1 <= len(world.rebound_mail.sent) <= CODES_TO_REQUESTER.most


@given(seed=st.integers(0, 10_000), roles=st.lists(st.sampled_from(["", "viewer", "staff"]), min_size=3, max_size=3))
def test_a_business_keeps_an_owner_whoever_removes_whom(seed: int, roles: list[str]) -> None:
    people = [f"p{number}@example.com" for number in range(3)]
    world = salon(*((email, "owner") for email in people))

    def change(email: str, role: str) -> object:
        try:
            if role:
                return world.staff_service.change(BUSINESS_ID, email, role)
            return world.staff_service.remove(BUSINESS_ID, email)
        except ConflictError as error:
            return error.code

    changes = [lambda e=email, r=role: change(e, r) for email, role in zip(people, roles, strict=True)]
    answers = in_turns(world, seed, changes)

    assert answers.count("last_owner") == 1
    kept = world.staff_service.list(BUSINESS_ID)
    assert [each.role for each in kept].count(Role.OWNER) == 1
    assert {each.email: each.role for each in kept} == world.staff.roster(BUSINESS_ID).roles


def _keep(answers: list[Any], task: Callable[..., Any]) -> None:
    answers.append(task())


def in_turns(world: World, seed: int, tasks: list[Callable[..., Any]]) -> list[Any]:
    turns = Turns(seed)
    world.checkpoint = turns.checkpoint
    answers: list[Any] = []
    turns.run([partial(_keep, answers, task) for task in tasks])
    world.checkpoint = lambda _: None
    return answers


# --- nobody learns who is a member ----------------------------------------------------------------------------------


class Seen:
    """What somebody sees who asks and then guesses, and what is written for it."""

    def __init__(self, world: World, email: str, asked: int = 1) -> None:
        calls: list[str] = []
        world.checkpoint = lambda boundary: calls.append(f"{boundary}") if boundary.side == "before" else None
        begun = world.clock.now()
        tokens = [world.sign_in.ask(email, f"10.0.0.{number // 5}") for number in range(asked)]
        self.took = world.clock.now() - begun
        self.shape = [re.sub("[0-9a-f]", "x", token) for token in tokens]
        self.answers = [world.sign_in.with_code(tokens[-1], _NO_CODE) for _ in range(MOST_TRIES + 1)]
        self.calls = [call for call in calls if call.partition(".")[0] in {"staff", "sign_ins", "staff_sessions"}]
        self.rows = [
            (len(each.attempt_hash), len(each.code_hash), each.email == email, each.tries, each.expires_at - begun)
            for each in world.sign_ins.attempts.values()
        ]
        self.codes = [len(each.times) for each in world.sign_ins.counted.values()]
        world.checkpoint = lambda _: None


@pytest.mark.parametrize("asked", [1, CODES_TO_ADDRESS.most + 2])
def test_an_address_that_is_nobodys_is_answered_as_a_members_is(asked: int) -> None:
    known, unknown = (Seen(salon(), email, asked) for email in (ANA, "nobody@example.com"))

    assert vars(known) == vars(unknown)
    assert known.took == asked * ASKING_TAKES


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.9])
def test_an_answer_takes_as_long_whatever_sending_takes(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    world = salon()
    begun = world.clock.now()
    monkeypatch.setattr(world.rebound_mail, "send", lambda *_: world.clock.move(timedelta(seconds=seconds)))
    world.sign_in.ask(ANA)

    assert world.clock.now() - begun == ASKING_TAKES


def test_a_code_that_cannot_be_sent_is_no_other_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    world = salon()

    def busy(*_: str) -> None:
        raise ComeAgainError

    monkeypatch.setattr(world.rebound_mail, "send", busy)
    assert world.sign_in.with_code(world.sign_in.ask(ANA), _NO_CODE) == WrongCode(4)
    assert ("not written", "busy") in world.sign_in_log.told


def test_more_codes_than_ten_an_hour_are_quietly_not_sent_and_then_they_are() -> None:
    world = salon()
    for number in range(CODES_TO_ADDRESS.most + 3):
        world.sign_in.ask(ANA, f"10.0.0.{number}")
    assert len(world.rebound_mail.sent) == CODES_TO_ADDRESS.most
    world.clock.move(timedelta(hours=1))

    assert signed_in(world).session.email == ANA


def test_nobodys_attempt_is_opened_by_no_code() -> None:
    """Also not by the code that was made for it, by whoever could foresee it."""
    world = salon()
    made = World().ids
    token, code = made.secret(), code_of(made.secret())
    foreseen = World(business())
    asked = foreseen.sign_in.ask("nobody@example.com")

    assert asked == token
    assert foreseen.sign_in.with_code(asked, code) == WrongCode(4)
    assert world.sign_ins.attempts == {}


@pytest.mark.parametrize("email", ["", "ana", "ana@", "a b@example.com"])
def test_what_is_no_address_is_refused_and_nothing_is_written(email: str) -> None:
    world = salon()
    with pytest.raises(InvalidInputError) as refused:
        world.sign_in.ask(email)

    assert [error.field for error in refused.value.errors] == ["email"]
    assert world.sign_ins.attempts == {}


# --- links ----------------------------------------------------------------------------------------------------------


def test_looking_at_a_link_changes_nothing_and_following_it_signs_in_once() -> None:
    world = salon()
    token = world.make_link("ANA@example.com", BUSINESS_ID)
    before = dict(world.sign_ins.links)
    views = [world.sign_in.look_at_link(token) for _ in range(3)]

    assert views[0] is not None
    assert views == [views[0]] * 3
    assert (views[0].email, views[0].business_name) == (ANA, "Salon Juniper")
    assert world.sign_ins.links == before
    assert isinstance(world.sign_in.with_link(token), NewSession)
    assert world.sign_in.look_at_link(token) is None
    assert world.sign_in.with_link(token) is None


@pytest.mark.parametrize("lasts", [timedelta(minutes=10), INVITATION_LASTS])
def test_a_link_lasts_as_long_as_was_said(lasts: timedelta) -> None:
    world = salon()
    token = world.make_link(ANA, BUSINESS_ID, lasts)
    world.clock.move(lasts - timedelta(seconds=1))
    assert world.sign_in.look_at_link(token) is not None
    world.clock.move(timedelta(seconds=1))

    assert world.sign_in.look_at_link(token) is None
    assert world.sign_in.with_link(token) is None


def _remove(world: World) -> None:
    world.staff_service.remove(BUSINESS_ID, ANA)


def _remove_and_invite(world: World) -> None:
    _remove(world)
    world.invite(BUSINESS_ID, ANA, "owner", console_url=URL)


def _everywhere(world: World) -> None:
    world.sessions.end_all(ANA)


@pytest.mark.parametrize("end", [_remove, _remove_and_invite, _everywhere])
def test_links_sessions_and_choices_are_over_with_the_membership(end: Callable[[World], None]) -> None:
    world = salon((ANA, "owner"), ("bo@example.com", "owner"))
    token = world.make_link(ANA, BUSINESS_ID)
    session = signed_in(world)
    assert world.sessions.find(session.token) is not None
    end(world)

    assert world.sign_in.look_at_link(token) is None
    assert world.sign_in.with_link(token) is None
    assert world.sessions.find(session.token) is None
    assert world.sessions.choose(session.token, BUSINESS_ID) is None


def test_a_code_that_was_asked_for_before_a_removal_opens_nothing() -> None:
    world = salon((ANA, "owner"), ("bo@example.com", "owner"))
    token = world.sign_in.ask(ANA)
    _remove(world)

    assert world.sign_in.with_code(token, code_in(world)) is None
    assert world.staff_sessions.rows == {}


@pytest.mark.parametrize("who", [("nobody@example.com", BUSINESS_ID), (ANA, OTHER), (ANA, None)])
def test_a_link_is_made_for_members_only(who: tuple[str, str | None]) -> None:
    world = salon()
    before = dict(world.sign_ins.links)
    with pytest.raises(NotFoundError):
        world.make_link(*who)
    assert world.sign_ins.links == before


@pytest.mark.parametrize("lasts", [timedelta(0), timedelta(days=3, seconds=1)])
def test_a_link_lasts_neither_no_time_nor_for_long(lasts: timedelta) -> None:
    world = salon()
    with pytest.raises(InvalidInputError):
        world.make_link(ANA, BUSINESS_ID, lasts)


# --- what is kept and told ------------------------------------------------------------------------------------------


def test_no_secret_is_kept() -> None:
    world = salon()
    token = world.sign_in.ask(ANA)
    code = code_in(world)
    link = world.make_link(ANA, BUSINESS_ID)
    kept = repr((world.sign_ins.attempts, world.sign_ins.links))
    new = world.sign_in.with_code(token, code)
    assert isinstance(new, NewSession)
    kept += repr(world.staff_sessions.rows)

    assert hash_of(token) in kept
    assert hash_of_code(token, code) in kept
    assert not [secret for secret in (token, code, link, new.token) if secret in kept]


def test_a_session_begins_with_a_token_of_its_own() -> None:
    """Whatever the browser had before: neither the attempt's token, nor that of a link, nor another session's."""
    world = salon()
    before = signed_in(world)
    token = world.sign_in.ask(ANA)
    by_code = world.sign_in.with_code(token, code_in(world))
    link = world.make_link(ANA, BUSINESS_ID)
    by_link = world.sign_in.with_link(link)
    assert isinstance(by_code, NewSession)
    assert by_link is not None

    assert len({before.token, token, link, by_code.token, by_link.token}) == 5
    assert world.sessions.find(token) is None
    assert world.sessions.find(link) is None
    assert world.sessions.find(before.token) is not None


def test_signing_in_is_told_by_ids() -> None:
    world = salon()
    new = signed_in(world)
    world.sign_in.with_code("x", _NO_CODE)
    by_link = world.sign_in.with_link(world.make_link(ANA, BUSINESS_ID))
    world.sign_in.with_link("x")
    assert by_link is not None
    member_id = new.session.member_id

    assert world.sign_in_log.told == [
        ("signed in", Way.CODE, member_id),
        ("refused", Way.CODE),
        ("signed in", Way.LINK, member_id),
        ("refused", Way.LINK),
    ]
    assert ANA not in repr(world.sign_in_log.told)


# --- what is written to them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_is_in_the_members_language(language: str) -> None:
    world = salon()
    world.invite(BUSINESS_ID, ANA, "owner", language=language, console_url=URL)
    world.sign_in.ask(ANA)
    words = staff_words(language)["code"]

    assert world.rebound_mail.sent[-1][2] == words["subject"].format(code=code_in(world))


def test_who_has_no_language_is_written_to_in_the_businesss() -> None:
    german = replace(business().text_answers, language="de")
    world = World(business(text_answers=german))
    world.invite(BUSINESS_ID, ANA, "owner", console_url=URL)

    assert world.rebound_mail.sent[-1][2] == "Salon Juniper: Ihr Link zum Anmelden"


def test_a_code_comes_from_a_business_that_has_a_sender_else_from_the_stack() -> None:
    world = salon()
    world.invite(OTHER, "cy@example.com", "owner", console_url=URL)
    world.invite(OTHER, ANA, "viewer", console_url=URL)
    world.invite(None, "op@example.com", "operator", console_url=URL)
    for email in (ANA, "cy@example.com", "op@example.com"):
        world.sign_in.ask(email)

    senders = [(to, sender) for sender, to, *_ in world.rebound_mail.sent[-3:]]
    assert senders == [
        (ANA, "hello@juniper.example.com"),
        ("cy@example.com", "console@example.com"),
        ("op@example.com", "console@example.com"),
    ]


def test_where_nobody_can_write_to_them_a_link_is_all_there_is() -> None:
    world = salon()
    world.console_sender = ""
    world.__dict__.pop("write_to_staff", None)
    world._start_anew()
    invited = world.invite(None, "op@example.com", "operator", console_url=URL)

    assert not invited.emailed
    assert world.sign_in_log.told == [("not written", "no sender")]
    assert world.sign_in.with_link(token_of(invited.link)) is not None
