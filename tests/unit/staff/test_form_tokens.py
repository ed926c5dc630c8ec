"""What a form carries, so that it is of one session and of one business."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from rebound.staff.domain import Role, SignedIn, StaffMember, csrf_of, is_of_session

TOKENS = st.text("abcdef0123456789", min_size=1, max_size=8)
PLACES = st.one_of(st.none(), st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True), st.just("-"))


def member(place: str | None) -> StaffMember | None:
    """Nobody yet for "-"; an operator for none."""
    if place == "-":
        return None
    role = Role.OPERATOR if place is None else Role.OWNER
    return StaffMember(place, "ana@example.com", role, "m", datetime(2020, 1, 1, tzinfo=UTC))


@given(TOKENS, TOKENS, PLACES, PLACES)
def test_a_form_is_of_its_own_session_and_business(token: str, other: str, place: str | None, then: str | None) -> None:
    now = SignedIn("ana@example.com", member(then), [], "hash", csrf_of(token, member(then)))
    form_token = csrf_of(other, member(place))

    assert now.sent(form_token) is (token == other and place == then)
    assert is_of_session(form_token, token) is (token == other)
    assert now.is_of_another_place(form_token) is (place not in ("-", then))


@given(st.text(), TOKENS, PLACES)
def test_what_somebody_makes_up_is_of_no_session(made_up: str, token: str, place: str | None) -> None:
    own = csrf_of(token, member(place))
    for form_token in (made_up, own[:-1] if place == "-" else f"{own}x", f"{own.partition('.')[0]}.{made_up}"):
        if form_token != own:
            assert not is_of_session(form_token, token)
