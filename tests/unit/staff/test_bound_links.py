"""A link is for one membership: whoever has it in hand is its person there, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.errors import NotFoundError
from tests.fakes.making import BUSINESS_ID
from tests.unit.staff.test_signing_in import ANA, OTHER, URL, salon, signed_in


@given(st.lists(st.sampled_from([BUSINESS_ID, OTHER, None]), min_size=1, max_size=3, unique=True), st.data())
def test_a_session_that_began_by_a_link_looks_at_the_membership_of_the_link_alone(
    belongs_to: list[str | None], data: st.DataObject
) -> None:
    world = salon(("bo@example.com", "owner"))
    for business_id in belongs_to:
        world.invite(business_id, ANA, "operator" if business_id is None else "owner", console_url=URL)
    linked = data.draw(st.sampled_from(belongs_to))
    new = world.sign_in.with_link(world.make_link(ANA, linked))
    assert new is not None
    for business_id in (BUSINESS_ID, OTHER, None):
        if business_id == linked:
            world.sessions.choose(new.token, business_id)
        else:
            with pytest.raises(NotFoundError):
                world.sessions.choose(new.token, business_id)
    found = world.sessions.find(new.token)
    assert found is not None
    assert found.member is not None
    assert (found.member.business_id, found.others) == (linked, [])

    by_code = world.sessions.find(signed_in(world).token)
    assert by_code is not None
    known = {each.business_id for each in [by_code.member, *by_code.others] if each is not None}
    assert known == set(belongs_to)


def test_a_link_stays_with_its_membership_when_another_comes_later() -> None:
    world = salon()
    new = world.sign_in.with_link(world.make_link(ANA, BUSINESS_ID))
    assert new is not None
    world.invite(OTHER, ANA, "owner", console_url=URL)

    with pytest.raises(NotFoundError):
        world.sessions.choose(new.token, OTHER)


@pytest.mark.parametrize(
    ("first", "then", "elsewhere"),
    [
        ([], OTHER, False),
        ([OTHER], OTHER, False),
        ([BUSINESS_ID], OTHER, True),
        ([None], OTHER, True),
        ([OTHER], None, True),
    ],
)
def test_an_invitation_says_whether_the_address_is_known_elsewhere(
    first: list[str | None], then: str | None, elsewhere: bool
) -> None:
    world = salon()
    role: dict[str | None, str] = {None: "operator"}
    for business_id in first:
        world.invite(business_id, "cy@example.com", role.get(business_id, "owner"), console_url=URL)

    assert world.invite(then, "cy@example.com", role.get(then, "owner"), console_url=URL).elsewhere is elsewhere
