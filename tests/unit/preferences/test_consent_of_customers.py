"""What staff see of a customer's consent and may change: never what only the customer can take back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import MessageStatus
from rebound.preferences.application.customer_consent import ConsentView, Statement, StatementEntry
from tests.fakes import strategies
from tests.fakes.making import BUSINESS_ID, GREETING, NO_SUCH_MAILBOX, SHORT_GREETING, at, contact_key, customer, id_of
from tests.fakes.watching import Boundary
from tests.fakes.world import World

EMAIL, SMS = contact_key(1), contact_key(1, Channel.SMS)


def said(scope: Scope, source: ConsentSource, seconds: float = -60, *, opted_out: bool = True) -> ConsentEvidence:
    return ConsentEvidence(at(seconds), scope, opted_out=opted_out, source=source, message_id="m1", words="STOP")


def with_ana() -> World:
    world = World()
    world.add(customer(1))
    return world


def unsubscribe(world: World, channel: Channel = Channel.SMS, scope: Scope = Scope.MARKETING) -> None:
    statement = Statement(channel, scope, opted_out=True, source=ConsentSource.STAFF, who="Kim", words="at the desk")
    world.state_consent(BUSINESS_ID, id_of(1), statement)


def resubscribe(
    world: World, channel: Channel = Channel.SMS, scope: Scope = Scope.MARKETING, words: str | None = None
) -> None:
    statement = Statement(channel, scope, opted_out=False, source=ConsentSource.STAFF, who="Kim", words=words)
    world.state_consent(BUSINESS_ID, id_of(1), statement)


def read(world: World, limit: int = 50, cursor: str | None = None) -> ConsentView:
    return world.read_consent(BUSINESS_ID, id_of(1), limit, cursor)


def opted_out(world: World, key: ContactKey = SMS) -> tuple[Scope, ...]:
    return world.contacts.rows[key].consent.opted_out


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("scope", list(Scope))
def test_staff_unsubscribe_and_resubscribe_one_scope_of_one_channel(channel: Channel, scope: Scope) -> None:
    world = with_ana()
    unsubscribe(world, channel, scope)
    assert {key: opted_out(world, key) for key in (EMAIL, SMS)} == {
        key: (scope,) if key.channel is channel else () for key in (EMAIL, SMS)
    }
    resubscribe(world, channel, scope)
    assert (opted_out(world, EMAIL), opted_out(world, SMS)) == ((), ())


def test_the_last_word_of_the_staff_holds_even_if_the_clock_of_another_was_ahead() -> None:
    world = with_ana()
    world.know(SMS, said(Scope.MARKETING, ConsentSource.STAFF, seconds=600))
    resubscribe(world)

    assert opted_out(world) == ()


@pytest.mark.parametrize("asked", list(Scope))
@pytest.mark.parametrize("source", [ConsentSource.KEYWORD, ConsentSource.PROVIDER])
def test_a_stop_can_be_undone_by_the_customer_alone_who_is_told_where_to_text(
    asked: Scope, source: ConsentSource
) -> None:
    world = with_ana()
    world.know(SMS, said(Scope.ALL, source))
    with pytest.raises(ConflictError, match=r"they text START to \+14155550100"):
        resubscribe(world, scope=asked, words="I want them back")

    assert opted_out(world) == (Scope.ALL,)
    assert len(read(world).history.items) == 1
    world.know(SMS, said(Scope.ALL, ConsentSource.KEYWORD, seconds=1, opted_out=False))
    resubscribe(world, scope=asked)
    assert opted_out(world) == ()


def test_a_complaint_can_be_undone_on_the_preference_page_alone() -> None:
    world = with_ana()
    world.know(EMAIL, said(Scope.MARKETING, ConsentSource.COMPLAINT))
    with pytest.raises(ConflictError, match="preference page"):
        resubscribe(world, Channel.EMAIL, words="it was a slip")
    resubscribe(world, Channel.EMAIL, Scope.ALL)

    assert opted_out(world, EMAIL) == (Scope.MARKETING,)


def test_a_click_is_undone_at_the_desk_with_the_words_of_the_customer() -> None:
    world = with_ana()
    world.know(EMAIL, said(Scope.MARKETING, ConsentSource.ONE_CLICK))
    with pytest.raises(InvalidInputError) as refused:
        resubscribe(world, Channel.EMAIL)
    assert [error.field for error in refused.value.errors] == ["words"]
    resubscribe(world, Channel.EMAIL, words="I clicked the wrong thing")

    assert opted_out(world, EMAIL) == ()


def test_a_stop_that_arrives_between_the_look_and_the_write_is_not_overlooked() -> None:
    world = with_ana()
    unsubscribe(world)
    looked: list[Boundary] = []

    def stop_once(where: Boundary) -> None:
        if where == "contacts.save" and not looked:
            looked.append(where)
            world.contacts.save(
                world.contacts.rows[SMS].with_evidence(said(Scope.ALL, ConsentSource.KEYWORD, seconds=5))
            )

    world.checkpoint = stop_once
    with pytest.raises(ConflictError, match="text START"):
        resubscribe(world)

    assert looked
    assert opted_out(world) == (Scope.ALL, Scope.MARKETING)


def test_nobody_can_be_unsubscribed_who_has_no_address_or_does_not_exist() -> None:
    world = World()
    world.add(customer(1, mobile_phone=None))
    with pytest.raises(ConflictError, match="no sms address"):
        unsubscribe(world)
    with pytest.raises(NotFoundError):
        world.state_consent(BUSINESS_ID, id_of(2), Statement(Channel.SMS, Scope.ALL, True, ConsentSource.API))


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("scope", list(Scope))
def test_a_message_to_one_person_goes_out_after_every_opt_out_but_that_of_everything(
    channel: Channel, scope: Scope
) -> None:
    world = with_ana()
    unsubscribe(world, channel, scope)
    message = world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.ONE_TO_ONE,
        channel=channel,
        content=GREETING if channel is Channel.EMAIL else SHORT_GREETING,
    )
    world.rest()
    sent = world.messages.rows[message.key]
    group = world.post(channel, category=Category.LOYALTY)

    excluded = (MessageStatus.EXCLUDED, "opted_out")
    assert (sent.status, sent.reason) == (excluded if scope is Scope.ALL else (MessageStatus.DELIVERED, None))
    kept_back = scope in Category.LOYALTY.scopes(to_many=True)
    assert group.foreseen == Audience(1, {"opted_out": 1} if kept_back else {})


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_what_was_just_said_is_shown_before_it_is_in_the_history_and_once_when_it_is() -> None:
    world = with_ana()
    unsubscribe(world)
    world.know(SMS, said(Scope.ALL, ConsentSource.KEYWORD))
    before = read(world).history.items
    world.pump_streams()

    assert [told.statement.source for told in before] == [ConsentSource.STAFF, ConsentSource.KEYWORD]
    assert read(world).history.items == before


@given(st.lists(st.tuples(st.sampled_from([EMAIL, SMS, contact_key(2)]), strategies.said), max_size=12), st.data())
def test_the_pages_show_everything_once_and_the_latest_first(
    told: list[tuple[ContactKey, ConsentEvidence]], data: st.DataObject
) -> None:
    world = World()
    world.add(customer(1, email="ana2@example.com", mobile_phone=None))
    world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "ana1@example.com", "mobile_phone": "+14155560001"})
    for key, statement in told:
        world.know(key, statement)
        if data.draw(st.booleans()):
            world.pump_streams()
    shown: list[StatementEntry] = []
    cursor: str | None = None
    for _ in range(40):
        page = read(world, limit=2, cursor=cursor).history
        shown += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    world.pump_streams()
    whole = read(world, limit=100).history

    assert cursor is None
    assert {(t.key, t.statement) for t in whole.items} <= {(key, statement) for key, statement in told}
    assert {(key, s) for key in (EMAIL, SMS, contact_key(2)) for s in world.contacts.rows[key].consent.statements} <= {
        (t.key, t.statement) for t in shown
    }
    assert [t.place for t in shown] == sorted({t.place for t in shown}, reverse=True)
    assert all(t.former is (t.key == contact_key(2)) for t in shown)


def test_the_history_outlives_deletion_and_coming_back() -> None:
    world = with_ana()
    unsubscribe(world)
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.pump_streams()
    world.add(customer(2, mobile_phone="+14155560001"))

    view = world.read_consent(BUSINESS_ID, id_of(2), 10, None)
    assert [(told.key, told.statement.who) for told in view.history.items] == [(SMS, "Kim")]
    assert view.contacts[Channel.SMS].consent.opted_out == (Scope.MARKETING,)


@pytest.mark.parametrize("cursor", ["", "nonsense", "eyJhIjoxfQ", "ÿ"])
def test_a_cursor_of_somebody_else_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        read(with_ana(), cursor=cursor)


def test_flags_are_no_part_of_the_history_of_consent() -> None:
    world = with_ana()
    world.know(EMAIL, Failure(at(1), "m1", Provider.SES, NO_SUCH_MAILBOX))
    world.pump_streams()

    assert read(world).history.items == []
