"""Family and friends: both sides at once, by invitation or not, and unlinked again when one of them goes."""

import re
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rebound.customers.domain import ProfileEvent, ProfileEventKind
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError, ReboundError, TooSoonError
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.preferences.domain import Choice
from rebound.preferences.http.pages import page_words
from rebound.preferences.http.relation_page import relation_words
from rebound.relations.application import NewRelation, RelationView
from rebound.relations.domain import MOST, MOST_ASKED, RelationStatus, seen_from_there
from rebound.templates.application.make_version import NewVersion
from rebound.templates.domain.content import EmailContent
from rebound.templates.domain.template_events import default_id
from rebound.timeline.domain import sentence_of_message, sentence_of_profile
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.fakes.pages import heading_of
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import World

WORDS: Final = relation_words("en")


def salon(*numbers: int, **fields: Any) -> World:
    world = World()
    for number in numbers or (1, 2):
        world.add(customer(number, **({"email": f"c{number}@example.com"} | fields)))
    return world


def link(world: World, one: int = 1, other: int | None = 2, relationship: str = "child", **more: Any) -> RelationView:
    invite, request = more.pop("invite", False), more.pop("request", None)
    new = NewRelation(
        relation_id="", relationship=relationship, other_id=None if other is None else id_of(other), **more
    )
    return world.relation_invitations(BUSINESS_ID, id_of(one), new, invite=invite, request=request).view


def seen(world: World, number: int) -> list[tuple[str, str, str]]:
    views = world.relation_service.list(BUSINESS_ID, id_of(number))
    return [(view.name, view.relation.relationship, str(view.relation.status)) for view in views]


def said(world: World, number: int) -> list[str]:
    timeline = world.read_timeline(BUSINESS_ID, id_of(number), 10, None)
    return [
        sentence_of_profile(each.what, timeline.others)
        for each in timeline.entries.items
        if isinstance(each.what, ProfileEvent)
    ]


def events(world: World, number: int) -> list[ProfileEventKind]:
    return [event.kind for event in world.profile_history.before(BUSINESS_ID, id_of(number), None, 10)]


class Asked:
    """Customer 1 has asked customer 2, or somebody at an address."""

    def __init__(self, world: World | None = None, **more: Any) -> None:
        self.world = world or salon()
        self.view = link(self.world, **{"invite": True, **more})
        self.world.rest()
        [self.email] = self.world.mailer.emails
        [url] = dict.fromkeys(re.findall(r"https://[\w./-]+/v1/relation/[\w-]+", self.email.content.text))
        self.path = str(urlsplit(url).path.removeprefix("/live"))

    def open(self, form: str | None = None, path: str | None = None) -> tuple[int, str]:
        return heading_of(self.world, path or self.path, form)


def test_both_customers_see_it_each_from_their_side() -> None:
    world = salon()
    view = link(world)
    names = [world.customers.get(BUSINESS_ID, id_of(number)).full_name for number in (1, 2)]

    assert (view.name, view.relation.status) == (names[1], RelationStatus.ACCEPTED)
    assert seen(world, 1) == [(names[1], "child", "accepted")]
    assert seen(world, 2) == [(names[0], "parent", "accepted")]
    assert events(world, 1) == events(world, 2) == [ProfileEventKind.RELATION_ADDED]


def test_a_pet_has_a_name_and_is_accepted_at_once() -> None:
    world = salon()
    view = link(world, other=None, name="Rex", relationship="dog")

    assert (view.relation.status, view.relation.other_id) == (RelationStatus.ACCEPTED, None)
    assert seen(world, 1) == [("Rex", "dog", "accepted")]
    with pytest.raises(ConflictError):
        link(world, other=None, name="REX", relationship="dog")


@pytest.mark.parametrize("turned", [False, True])
def test_the_same_pair_is_linked_once_from_whichever_side(turned: bool) -> None:
    world = salon()
    first = link(world)
    with pytest.raises(ConflictError) as refused:
        link(world, 2, 1) if turned else link(world)

    assert (refused.value.code, refused.value.members) == (
        "relation_exists",
        {"relation_id": first.relation.relation_id, "relation_status": "accepted"},
    )


@pytest.mark.parametrize(("other", "field"), [(1, "customer_id"), (9, "external_id")], ids=["oneself", "nobody"])
def test_nobody_is_linked_with_themselves_or_with_nobody(other: int, field: str) -> None:
    world = salon()
    with pytest.raises(InvalidInputError) as refused:
        link(world, 1, other, field=field)

    assert [error.field for error in refused.value.errors] == [field]
    assert seen(world, 1) == []


def test_a_customer_has_at_most_fifty() -> None:
    world = salon()
    for number in range(MOST):
        link(world, other=None, name=f"Fish {number}", relationship="pet")
    for one, other in ((1, 2), (2, 1)):
        with pytest.raises(ConflictError) as refused:
            link(world, one, other)
        assert refused.value.members == {"customer_id": id_of(1)}
    assert seen(world, 2) == []


def test_either_side_ends_it_for_both() -> None:
    world = salon()
    relation_id = link(world).relation.relation_id
    world.relation_service.remove(BUSINESS_ID, id_of(2), relation_id)

    assert (seen(world, 1), seen(world, 2)) == ([], [])
    assert events(world, 1)[0] is events(world, 2)[0] is ProfileEventKind.RELATION_REMOVED
    with pytest.raises(NotFoundError):
        world.relation_service.remove(BUSINESS_ID, id_of(1), relation_id)
    assert link(world).relation.relation_id != relation_id


@pytest.mark.parametrize("gone", [1, 2])
def test_deleting_either_customer_unlinks(gone: int) -> None:
    world = salon(1, 2, 3)
    link(world)
    link(world, gone, 3, "friend")
    link(world, gone, None, "dog", name="Rex")
    world.customer_service.delete(BUSINESS_ID, id_of(gone))
    world.rest()
    left = 3 - gone

    assert (seen(world, left), seen(world, 3)) == ([], [])
    assert world.relations.get(BUSINESS_ID, id_of(gone)).entries == {}
    assert (BUSINESS_ID, id_of(gone)) not in world.relations.rows
    assert events(world, left)[0] is ProfileEventKind.RELATION_REMOVED
    assert events(world, gone) == []


def test_both_deleted_at_once_leave_nothing() -> None:
    world = salon()
    link(world)
    for number in (1, 2):
        world.customer_service.delete(BUSINESS_ID, id_of(number))
    world.rest()

    assert all(not each.entries for each in world.relations.rows.values())


def test_who_is_asked_accepts_by_a_press_of_the_button_and_reading_answers_nothing() -> None:
    asked = Asked()
    assert asked.email.key.customer_id == id_of(2)
    assert asked.open() == asked.open() == (200, WORDS.ask)
    assert (seen(asked.world, 1)[0][2], seen(asked.world, 2)[0][2]) == ("pending", "pending")

    assert asked.open("answer=accept") == (200, WORDS.accepted)
    assert (seen(asked.world, 1)[0][2], seen(asked.world, 2)[0][2]) == ("accepted", "accepted")
    kinds = [ProfileEventKind.RELATION_ACCEPTED, ProfileEventKind.RELATION_INVITED]
    assert events(asked.world, 1) == events(asked.world, 2) == kinds


@pytest.mark.parametrize(("first", "second"), [("accept", "decline"), ("decline", "accept")])
def test_the_first_answer_counts_and_is_told_to_who_asks_again(first: str, second: str) -> None:
    asked = Asked()
    told = WORDS.accepted if first == "accept" else WORDS.declined

    assert asked.open(f"answer={first}") == asked.open(f"answer={second}") == asked.open() == (200, told)
    assert seen(asked.world, 1)[0][2] == seen(asked.world, 2)[0][2] == f"{first.removesuffix('e')}ed"


@pytest.mark.parametrize("form", ["", "answer=maybe", "confirm=yes"])
def test_what_is_no_press_of_a_button_answers_nothing(form: str) -> None:
    asked = Asked()

    assert asked.open(form) == (400, WORDS.ask)
    assert seen(asked.world, 1)[0][2] == "pending"


def test_an_invitation_that_was_taken_back_is_closed() -> None:
    asked = Asked()
    asked.world.relation_service.remove(BUSINESS_ID, id_of(1), asked.view.relation.relation_id)

    assert asked.open() == asked.open("answer=accept") == (200, WORDS.closed)
    assert seen(asked.world, 1) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("gone", [None, 1, 2])
def test_a_closed_page_is_in_the_language_of_who_is_still_there(language: str, gone: int | None) -> None:
    asked = Asked(salon(1, 2, language=language))
    if gone is None:
        asked.world.relation_service.remove(BUSINESS_ID, id_of(1), asked.view.relation.relation_id)
    else:
        asked.world.customer_service.delete(BUSINESS_ID, id_of(gone))
        asked.world.rest()

    assert asked.open() == (200, relation_words(language).closed)


@pytest.mark.parametrize(("button", "kind"), [("accept", "accepted: "), ("decline", "declined: not ")])
def test_the_logs_name_the_other_and_say_who_was_asked(button: str, kind: str) -> None:
    asked = Asked(relationship="spouse")
    one, other = (asked.world.customers.get(BUSINESS_ID, id_of(number)).full_name for number in (1, 2))
    asked.open(f"answer={button}")
    asked.world.relation_service.remove(BUSINESS_ID, id_of(1), asked.view.relation.relation_id)

    assert said(asked.world, 1) == [
        f"No longer linked with {other} as spouse.",
        f"{other} {kind}linked with {other} as spouse.",
        f"{other} was asked by email whether to be linked with the customer, as spouse.",
    ]
    assert said(asked.world, 2) == [
        f"No longer linked with {one} as spouse.",
        f"The customer {kind}linked with {one} as spouse.",
        f"The customer was asked by email whether to be linked with {one}, as spouse.",
    ]
    asked.world.customer_service.delete(BUSINESS_ID, id_of(2))
    asked.world.rest()
    assert other not in repr(said(asked.world, 1))


@pytest.mark.parametrize("gone", [1, 2])
def test_an_invitation_of_or_to_somebody_who_is_gone_is_closed(gone: int) -> None:
    asked = Asked()
    asked.world.customer_service.delete(BUSINESS_ID, id_of(gone))
    asked.world.rest()

    assert asked.open("answer=accept") == (200, WORDS.closed)
    assert seen(asked.world, 3 - gone) == []


def test_who_declined_is_not_asked_again_until_the_relation_is_removed() -> None:
    asked = Asked()
    asked.open("answer=decline")
    with pytest.raises(ConflictError) as refused:
        link(asked.world, invite=True)
    assert refused.value.members["relation_status"] == "declined"
    asked.world.relation_service.remove(BUSINESS_ID, id_of(1), asked.view.relation.relation_id)

    assert link(asked.world, invite=True).relation.status is RelationStatus.PENDING


def test_the_address_that_is_given_is_asked_whoever_has_it() -> None:
    asked = Asked(invite="Elsewhere@example.com")

    assert asked.email.to == "Elsewhere@example.com"
    assert "Alex" not in asked.email.content.text
    assert asked.open("answer=accept") == (200, WORDS.accepted)
    assert seen(asked.world, 2)[0][2] == "accepted"


def test_somebody_who_is_no_customer_is_asked_at_an_address() -> None:
    asked = Asked(other=None, name="Grandma", relationship="grandmother", invite="grandma@example.com")
    assert seen(asked.world, 1) == [("Grandma", "grandmother", "pending")]
    asked.open("answer=accept")

    assert seen(asked.world, 1) == [("Grandma", "grandmother", "accepted")]


def grandma(world: World, name: str = "Grandma", address: str = "grandma@example.com", **more: Any) -> RelationView:
    return link(world, other=None, name=name, relationship="grandmother", invite=address, **more)


def invitation(world: World, number: int = 1) -> Message | None:
    [found] = world.relation_invitations.list(BUSINESS_ID, id_of(number))
    return found.message


def refused(world: World, **more: Any) -> ReboundError:
    with pytest.raises((ConflictError, TooSoonError)) as caught:
        grandma(world, name="Granny", **more)
    return caught.value


GONE: Final = ((Outcome.FAILED, "Permanent/NoEmail", 1.0),)
FULL: Final = ((Outcome.FAILED, "Transient/MailboxFull", 1.0),)


def test_an_invitation_to_nobodys_address_stands_in_the_log_of_who_asks_and_its_bounce_with_it() -> None:
    world = salon()
    world.outcomes["grandma@example.com"] = GONE
    view = grandma(world)
    world.rest()
    [message] = world.messages.page(BUSINESS_ID, id_of(1), 5, None).items

    assert (message.address, message.status) == ("grandma@example.com", MessageStatus.BOUNCED)
    assert message.relation_id == view.relation.relation_id
    assert invitation(world) == message
    assert sentence_of_message(message).startswith(
        "Could not deliver an invitation to family and friends to grandma@example.com."
    )
    assert not world.customers.get(BUSINESS_ID, id_of(1)).failed_email


def test_an_address_from_which_an_invitation_came_back_is_not_asked_again() -> None:
    world = salon()
    world.outcomes["grandma@example.com"] = GONE
    grandma(world)
    world.rest()
    for asker in (1, 2):
        error = refused(world, one=asker, address="Grandma@Example.com")
        assert isinstance(error, ConflictError)
        assert (error.code, error.members) == ("no_channel_left", {"reasons": ["email: invalid"]})
    assert seen(world, 2) == []
    grandma(world, "Grandpa", "grandpa@example.com")
    # Whoever has the address as a customer may be asked: the flag of theirs decides.
    world.add(customer(3, email="grandma@example.com"))
    assert link(world, 1, 3, invite=True).relation.status is RelationStatus.PENDING


def test_what_passes_by_itself_is_tried_again_on_the_next_day() -> None:
    world = salon()
    world.outcomes["grandma@example.com"] = FULL
    grandma(world)
    world.rest()
    assert isinstance(refused(world), ConflictError)
    world.clock.move(timedelta(days=1, minutes=1))
    world.outcomes.clear()

    assert grandma(world, "Granny").relation.status is RelationStatus.PENDING


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from(["a@example.com", "b@example.com"])), max_size=16))
@example([(1, "a@example.com")] * (MOST_ASKED + 2))
def test_an_address_gets_so_many_invitations_a_day_whoever_asks(asked: list[tuple[int, str]]) -> None:
    world = salon()
    wished, took = Counter(address for _, address in asked), Counter[str]()
    for number, (one, address) in enumerate(asked):
        with suppress(TooSoonError):
            grandma(world, f"Aunt {number}", address, one=one)
            took[address] += 1
    world.rest()

    assert took == {address: min(count, MOST_ASKED) for address, count in wished.items()}
    assert Counter(each.to for each in world.mailer.emails) == took
    world.clock.move(timedelta(hours=25))
    for address in took:
        grandma(world, f"Next day {address}", address)


def test_an_invitation_speaks_to_who_is_asked_and_not_to_who_asks() -> None:
    world = salon(1, language="de")
    content = EmailContent("##{{first_name}}", text="Hi ##{{first_name}} ##{{last_name}}, ##{{url}} ##{{person_name}}")
    saved = NewVersion(
        name="Family",
        channel=Channel.EMAIL,
        category=Category.TRANSACTIONAL,
        variables={},
        contents={"en": content},
        event="family_invitation",
    )
    world.template_service.put(BUSINESS_ID, default_id("family_invitation", Channel.EMAIL), saved)
    grandma(world)
    world.rest()
    [email] = world.mailer.emails

    assert email.content.subject == "Grandma"
    assert email.content.text.startswith("Hi Grandma , https://")
    assert invitation(world) is not None


def test_who_is_asked_may_choose_to_get_nothing_more() -> None:
    asked = Asked(other=None, name="Grandma", relationship="grandmother", invite="grandma@example.com")
    [token] = re.findall(r"/v1/preferences/([\w-]+)", asked.email.content.text)
    asked.world.follow_links.choose(token, Choice.NOTHING)
    error = refused(asked.world)

    assert isinstance(error, ConflictError)
    assert error.members == {"reasons": ["email: opted_out"]}


def test_of_an_address_that_is_nobodys_nothing_is_left_when_who_asked_is_deleted() -> None:
    world = salon()
    grandma(world)
    world.rest()
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.rest()
    kept = (world.messages.rows, world.campaigns.rows, world.relations.rows, world.relations.addresses)

    assert "grandma" not in repr(kept).lower()


def test_who_has_no_address_is_not_asked_and_nothing_is_written() -> None:
    world = salon(1, 2, email=None)
    with pytest.raises(ConflictError) as refused:
        link(world, invite=True)
    with pytest.raises(InvalidInputError):
        link(world, invite="no address")
    with pytest.raises(InvalidInputError):
        link(world, other=None, name="Rex", invite=True)

    assert refused.value.members == {"reasons": ["email: no_address"]}
    assert seen(world, 1) == []


@pytest.mark.parametrize("path", ["/v1/relation/x", "/v1/relation/" + "a" * 16, "/v1/relation/" + "A" * 140])
def test_what_is_no_link_of_ours_gets_a_page_that_says_so(path: str) -> None:
    assert Asked().open("answer=accept", path) == (404, page_words("en").no_such_link)


def test_a_link_for_something_else_answers_nothing() -> None:
    asked = Asked()
    preferences = re.findall(r"/v1/preferences/([\w-]+)", asked.email.content.text)[0]

    assert asked.open("answer=accept", f"/v1/relation/{preferences}")[0] == 404
    assert asked.path.rpartition("/")[2] not in repr(asked.world.campaigns.rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_in_the_language_of_who_is_asked(language: str) -> None:
    asked = Asked(salon(1, 2, language=language))

    assert asked.open() == (200, relation_words(language).ask)


def test_a_request_that_comes_again_after_a_death_sends_the_one_message_that_is_missing() -> None:
    boundaries = 0
    for number in range(1, 80):
        world, left = salon(), number

        def stop(where: Boundary) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise WorkerDiedError(str(where))

        world.checkpoint = stop
        try:
            link(world, invite=True, request="r")
        except WorkerDiedError:
            boundaries += 1
        else:
            break
        world.checkpoint = lambda _: None
        link(world, invite=True, request="r")
        world.rest()
        assert len(world.mailer.emails) == 1, number
        assert len(seen(world, 1)) == len(seen(world, 2)) == 1
    assert boundaries > 20


def test_an_answer_that_broke_off_is_whole_or_not_there() -> None:
    for number in range(1, 40):
        asked, left = Asked(), number

        def stop(where: Boundary) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise WorkerDiedError(str(where))

        asked.world.checkpoint = stop
        try:
            asked.open("answer=accept")
        except WorkerDiedError:
            asked.world.checkpoint = lambda _: None
            assert seen(asked.world, 1)[0][2] == seen(asked.world, 2)[0][2]
            assert asked.open("answer=accept") == (200, WORDS.accepted)
            assert events(asked.world, 2).count(ProfileEventKind.RELATION_ACCEPTED) == 1
        else:
            assert number > 5
            return


@pytest.mark.parametrize(
    ("there", "back"),
    [("Mother", "child"), ("son", "parent"), ("spouse", "spouse"), ("dog", "owner"), ("Nachbarin", "family or friend")],
)
def test_each_side_has_its_own_word(there: str, back: str) -> None:
    assert seen_from_there(there) == back


@given(st.text(min_size=1, max_size=50))
def test_every_word_has_one_for_the_other_side(word: str) -> None:
    assert seen_from_there(word)
