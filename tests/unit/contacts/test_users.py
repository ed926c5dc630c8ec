"""Who uses an address: customers come, leave with or without a flag that ends, come back and are deleted."""

from copy import replace
from typing import Final, Literal

from hypothesis import example, given
from hypothesis import strategies as st

from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Evidence, Reachability
from tests.fakes import strategies
from tests.fakes.making import at, contact_key

type Step = tuple[Literal["comes", "leaves", "leaves freed", "is deleted"], str]

steps: Final[st.SearchStrategy[list[Step]]] = st.lists(
    st.tuples(
        st.sampled_from(["comes", "leaves", "leaves freed", "is deleted"]), st.sampled_from(["ana", "bo", "cem"])
    ),
    max_size=12,
)


@given(steps)
@example([("comes", "ana"), ("leaves freed", "ana"), ("is deleted", "ana")])
def test_an_address_knows_who_uses_it_who_left_and_whose_flag_ended_then(taken: list[Step]) -> None:
    contact = Contact(contact_key())
    using: set[str] = set()
    left: dict[str, bool] = {}
    for step, who in taken:
        before = contact
        match step:
            case "comes":
                contact = contact.used_by(who)
                assert (contact is before) is (who in using)
                using.add(who)
                left.pop(who, None)
            case "is deleted":
                contact = contact.without([who])
                using.discard(who)
                left.pop(who, None)
            case _:
                freed = step == "leaves freed"
                contact = contact.left_by(who, freed=freed)
                assert (contact is before) is (who not in using)
                if who in using:
                    using.discard(who)
                    left[who] = freed

    assert contact.users == using
    assert contact.left == set(left)
    assert contact.freed == {who for who, freed in left.items() if freed}
    assert contact.customer_ids == using | set(left)
    assert contact.is_used is bool(using or left)


@given(st.lists(strategies.evidence, max_size=8), st.lists(strategies.evidence, max_size=4))
def test_what_is_kept_of_an_address_makes_the_same_state_again(evidence: list[Evidence], more: list[Evidence]) -> None:
    state = Reachability().join(*evidence)

    assert Reachability().join(*state.evidence) == state
    assert Reachability().join(*more).join(*state.evidence) == state.join(*more)


def test_a_phone_in_two_rows_is_joined_with_who_left_either_and_who_still_uses_one() -> None:
    one = Contact(contact_key(), customer_ids=frozenset("abcd"), departed_at=at(1))
    other = Contact(contact_key(), customer_ids=frozenset("cef"), departed_at=at(2))
    one = one.left_by("a", freed=True).left_by("b", freed=False).left_by("c", freed=True)
    other = other.left_by("e", freed=True)
    joined = one.join(other, ("row", 3))

    assert joined.users == frozenset("cdf")
    assert (joined.left, joined.freed) == (frozenset("abe"), frozenset("ae"))
    assert joined.joined == (("row", 3),)
    assert joined.departed_at == other.join(one, ("row", 3)).departed_at == at(2)
    assert one.join(replace(other, departed_at=None), ("row", 3)).departed_at == at(1)
