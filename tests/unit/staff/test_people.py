"""Who may do what, who is invited, listed, changed and removed, and for how long somebody is signed in."""

import json
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.staff.application.staff_service import RoleChangedError
from rebound.staff.domain import (
    MOST_MEMBERS,
    ROLES_OF_BUSINESSES,
    SEEN_EVERY,
    SESSION_LASTS,
    SESSION_RESTS,
    Right,
    Role,
    Roster,
    SessionKey,
    SignedIn,
    csrf_of,
)
from tests.fakes.making import BUSINESS_ID
from tests.fakes.world import World
from tests.unit.staff.test_signing_in import ANA, OTHER, URL, code_in, salon, signed_in, token_of

BO: Final = "bo@example.com"


def test_each_role_may_do_what_it_is_for() -> None:
    may = {role: {right.name for right in Right if role.may(right)} for role in Role}
    everything = {right.name for right in Right}

    assert may == {
        Role.VIEWER: {"READ"},
        Role.STAFF: {"READ", "EDIT_CUSTOMERS", "SEND", "EDIT_TEMPLATES", "EDIT_SEGMENTS"},
        Role.OWNER: everything - {"OPERATE"},
        Role.OPERATOR: {"OPERATE"},
    }


# --- inviting -------------------------------------------------------------------------------------------------------


def test_who_is_invited_gets_a_link_that_signs_them_in() -> None:
    world = salon()
    invited = world.invite(
        BUSINESS_ID, "Bo@Example.com", "staff", location_id=" north ", language="DE", by=ANA, console_url=URL
    )
    [(sender, to, subject, text)] = world.rebound_mail.sent
    new = world.sign_in.with_link(token_of(invited.link))

    assert (sender, to) == ("hello@juniper.example.com", BO)
    assert subject.startswith("Salon Juniper: ")
    assert invited.link in text
    assert URL in text.replace(invited.link, "")
    assert invited.emailed
    assert (invited.member.role, invited.member.location_id, invited.member.language) == (Role.STAFF, "north", "de")
    assert (invited.member.invited_by, invited.member.invited_at) == (ANA, world.clock.now())
    assert new is not None
    assert new.session.email == BO


def test_invited_again_somebody_is_one_member_with_another_role() -> None:
    world = salon()
    first = world.invite(BUSINESS_ID, BO, "staff", location_id="north", console_url=URL)
    second = world.invite(BUSINESS_ID, BO.upper(), "viewer", language="fr", by=ANA, console_url=URL)
    [member] = [each for each in world.staff_service.list(BUSINESS_ID) if each.email == BO]

    assert member == second.member
    assert (member.role, member.location_id, member.language) == (Role.VIEWER, "north", "fr")
    assert (member.member_id, member.invited_by) == (first.member.member_id, None)
    assert len(world.rebound_mail.sent) == 2
    assert first.link != second.link


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"email": "bo"}, {"email"}),
        ({"role": "boss"}, {"role"}),
        ({"role": "operator"}, {"role"}),
        ({"role": "owner", "business_id": None}, {"role"}),
        ({"language": "xx"}, {"language"}),
        ({"location_id": "a\nb"}, {"location_id"}),
        ({"location_id": "x" * 129}, {"location_id"}),
        (
            {"email": "bo", "role": "", "language": "", "location_id": "x" * 129},
            {"email", "role", "language", "location_id"},
        ),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_and_nobody_is_invited(
    given: dict[str, str | None], fields: set[str]
) -> None:
    world = salon()
    with pytest.raises(InvalidInputError) as refused:
        world.invite(**{"business_id": BUSINESS_ID, "email": BO, "role": "staff", "console_url": URL, **given})  # type: ignore[arg-type]

    assert {error.field for error in refused.value.errors} == fields
    assert world.rebound_mail.sent == []
    assert [each.email for each in world.staff_service.list(BUSINESS_ID)] == [ANA]


def test_nobody_is_invited_to_a_business_that_there_is_not() -> None:
    world = salon()
    with pytest.raises(NotFoundError):
        world.invite("nobody", BO, "staff", console_url=URL)
    with pytest.raises(NotFoundError):
        world.staff_service.list("nobody")
    assert not world.staff.person(BO).memberships


def test_more_people_than_may_be_are_refused_and_those_that_are_there_may_change() -> None:
    full = Roster(BUSINESS_ID, {f"p{number}@example.com": Role.OWNER for number in range(MOST_MEMBERS)})
    with pytest.raises(ConflictError) as refused:
        full.with_role(BO, Role.STAFF)

    assert refused.value.code == "too_many_staff"
    assert full.with_role("p1@example.com", Role.STAFF).roles["p1@example.com"] is Role.STAFF


def test_an_invitation_does_not_take_the_last_owner_either() -> None:
    world = salon()
    with pytest.raises(ConflictError) as refused:
        world.invite(BUSINESS_ID, ANA, "staff", console_url=URL)

    assert refused.value.code == "last_owner"
    assert world.rebound_mail.sent == []


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["", *Role])), max_size=12))
def test_a_roster_with_an_owner_always_has_one(changes: list[tuple[str, str]]) -> None:
    roster = Roster(BUSINESS_ID, {"a": Role.OWNER, "b": Role.STAFF})
    for email, role in changes:
        with suppress(ConflictError):
            roster = roster.with_role(email, Role(role)) if role else roster.without(email)
        assert Role.OWNER in roster.roles.values()


# --- changing and removing ------------------------------------------------------------------------------------------


def found(world: World, token: str) -> SignedIn:
    person = world.sessions.find(token)
    assert person is not None
    return person


def test_a_change_holds_from_the_next_request() -> None:
    world = salon((ANA, "owner"), (BO, "owner"))
    token = signed_in(world).token
    changed = world.staff_service.change(BUSINESS_ID, "Ana@Example.com", "viewer", "south")
    member = found(world, token).member

    assert member == changed
    assert (member.role, member.location_id) == (Role.VIEWER, "south")
    assert not member.role.may(Right.SEND)
    assert world.staff_service.change(BUSINESS_ID, ANA, "owner").location_id is None


def test_who_is_removed_is_nobody_from_the_next_request() -> None:
    world = salon((ANA, "owner"), (BO, "owner"))
    token, of_bo = signed_in(world).token, signed_in(world, BO).token
    removed = world.staff_service.remove(BUSINESS_ID, ANA)

    assert removed.email == ANA
    assert world.sessions.find(token) is None
    assert found(world, of_bo).email == BO
    with pytest.raises(NotFoundError):
        world.staff_service.remove(BUSINESS_ID, ANA)
    with pytest.raises(NotFoundError):
        world.staff_service.change(BUSINESS_ID, ANA, "staff")


def test_who_is_removed_from_one_business_stays_signed_in_to_another() -> None:
    """Nor can a business sign somebody out elsewhere, by inviting and removing them."""
    world = salon()
    token = signed_in(world).token
    world.invite(OTHER, "cy@example.com", "owner", console_url=URL)
    world.invite(OTHER, ANA, "viewer", console_url=URL)
    world.staff_service.remove(OTHER, ANA)

    assert found(world, token).others == []


@pytest.mark.parametrize("role", ["", "staff", "viewer"])
def test_the_last_owner_stays(role: str) -> None:
    world = salon((ANA, "owner"), (BO, "staff"))
    service = world.staff_service
    write = partial(service.change, BUSINESS_ID, ANA, role) if role else partial(service.remove, BUSINESS_ID, ANA)
    with pytest.raises(ConflictError) as refused:
        write()

    assert refused.value.code == "last_owner"
    assert {each.email: each.role for each in world.staff_service.list(BUSINESS_ID)} == {ANA: "owner", BO: "staff"}


def test_operators_belong_to_no_business_and_all_may_go() -> None:
    world = salon()
    world.invite(None, "op@example.com", "operator", console_url=URL)
    token = signed_in(world, "op@example.com").token
    person = found(world, token)

    assert person.member is not None
    assert (person.member.business_id, person.member.role) == (None, Role.OPERATOR)
    assert [each.email for each in world.staff_service.list(None)] == ["op@example.com"]
    assert [each.email for each in world.staff_service.list(BUSINESS_ID)] == [ANA]
    world.staff_service.remove(None, "op@example.com")
    assert world.sessions.find(token) is None


# --- sessions -------------------------------------------------------------------------------------------------------


def test_a_session_rests_for_half_a_day_and_lasts_a_week() -> None:
    world = salon()
    begun, token = world.clock.now(), signed_in(world).token
    begun = world.clock.now()
    while world.clock.now() < begun + SESSION_LASTS:
        assert world.sessions.find(token) is not None
        world.clock.move(timedelta(hours=11))
    assert world.sessions.find(token) is None

    other = signed_in(world).token
    world.clock.move(SESSION_RESTS - timedelta(seconds=1))
    assert world.sessions.find(other) is not None
    world.clock.move(SESSION_RESTS)
    assert world.sessions.find(other) is None


def test_a_request_reads_once_and_writes_once_in_half_an_hour() -> None:
    world = salon()
    token = signed_in(world).token
    calls: list[str] = []
    world.checkpoint = lambda boundary: calls.append(f"{boundary}") if boundary.side == "before" else None
    for minutes in (0, 29, 1, 29):
        world.clock.move(timedelta(minutes=minutes))
        found(world, token)
    asked = [call for call in calls if call.startswith("staff")]

    assert timedelta(minutes=30) == SEEN_EVERY
    read = "staff_sessions.find"
    assert asked == [read, read, read, "staff_sessions.save", read]


def test_signing_out_ends_this_session_and_signing_out_everywhere_all() -> None:
    world = salon()
    first, second, third = (signed_in(world).token for _ in range(3))
    world.sessions.end(first)
    assert [world.sessions.find(token) is None for token in (first, second, third)] == [True, False, False]
    world.sessions.end_all("ANA@example.com")

    assert [world.sessions.find(token) for token in (first, second, third)] == [None, None, None]
    assert found(world, signed_in(world).token).email == ANA


def test_a_session_that_ended_meanwhile_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = salon()
    token = signed_in(world).token
    world.clock.move(SEEN_EVERY)
    find = world.staff_sessions.find

    def ends_meanwhile(key: SessionKey) -> object:
        kept = find(key)
        world.sessions.end(token)
        return kept

    monkeypatch.setattr(world.staff_sessions, "find", ends_meanwhile)
    world.sessions.find(token)

    assert world.staff_sessions.rows == {}


def test_who_belongs_to_several_businesses_chooses() -> None:
    world = salon()
    world.invite(OTHER, "cy@example.com", "owner", console_url=URL)
    world.invite(OTHER, ANA, "viewer", console_url=URL)
    new = signed_in(world)
    person = found(world, new.token)
    assert person.member is None
    assert {each.business_id for each in person.others} == {BUSINESS_ID, OTHER}

    for business_id, role in ((OTHER, Role.VIEWER), (BUSINESS_ID, Role.OWNER)):
        world.clock.move(timedelta(minutes=1))
        chosen = world.sessions.choose(new.token, business_id)
        assert chosen is not None
        assert chosen.member is not None
        assert (chosen.member.business_id, chosen.member.role) == (business_id, role)
        member = found(world, new.token).member
        assert member is not None
        assert (member.business_id, member.last_signed_in_at) == (business_id, world.clock.now())
    for elsewhere in ("nobody", None):
        with pytest.raises(NotFoundError):
            world.sessions.choose(new.token, elsewhere)
    assert found(world, new.token).member is not None


def test_a_form_token_is_of_its_session_and_does_not_tell_its_token() -> None:
    world = salon()
    one, other = signed_in(world).token, signed_in(world).token
    person = found(world, one)

    assert person.csrf == csrf_of(one, person.member) == found(world, one).csrf
    assert person.sent(person.csrf)
    assert not any(person.sent(given) for given in ("", csrf_of(other, person.member), one, "\ud800"))
    assert one not in repr(person)
    assert person.csrf not in json.dumps([person.session_hash])


def test_a_code_may_be_asked_for_by_who_was_removed_and_opens_nothing() -> None:
    world = salon((ANA, "owner"), (BO, "staff"))
    world.staff_service.remove(BUSINESS_ID, BO)
    world.sign_in.ask(BO)
    assert world.rebound_mail.sent == []
    world.sign_in.ask(ANA)
    assert code_in(world)


@given(st.sampled_from(ROLES_OF_BUSINESSES), st.sampled_from(ROLES_OF_BUSINESSES), st.sampled_from(ROLES_OF_BUSINESSES))
def test_a_role_is_changed_only_from_the_one_that_was_seen(now: Role, seen: Role, wanted: Role) -> None:
    world = salon((ANA, "owner"), (BO, now))
    if now is seen:
        assert world.staff_service.change(BUSINESS_ID, BO, wanted, seen_role=seen).role is wanted
        return
    with pytest.raises(RoleChangedError) as refused:
        world.staff_service.change(BUSINESS_ID, BO, wanted, "north", seen_role=seen)
    [bo] = [each for each in world.staff_service.list(BUSINESS_ID) if each.email == BO]
    assert (bo.role, bo.location_id, refused.value.member.role) == (now, None, now)
