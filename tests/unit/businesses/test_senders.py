"""Senders are the operator's to give: a business sends from its own and no other's."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.business import Barrier, Business
from rebound.businesses.domain.senders import Senders, is_covered
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.provider_codes import Provider
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.world import World

CEDAR = "cedar"
NUMBER, SERVICE, ADDRESS = "+14155550100", "MG" + "ab" * 16, "hello@salon.example.com"
NOVA = {"name": "Nova", "country": "US", "time_zone": "UTC"}


def bare(business_id: str, **given: Any) -> Business:
    return business(business_id=business_id, **{"email_from": None, "text_from": None, "text_rate": None} | given)


def two_tenants(**given: Any) -> World:
    return World(bare(BUSINESS_ID, **given), bare(CEDAR))


def refused(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as raised:
        call()
    return {error.field: error.message for error in raised.value.errors}


@pytest.mark.parametrize(("field", "sender"), [("text_from", NUMBER), ("text_from", SERVICE), ("email_from", ADDRESS)])
def test_a_business_chooses_among_its_own_senders_and_no_others(field: str, sender: str) -> None:
    world = two_tenants()
    world.sender_grants.add(CEDAR, sender)
    stolen = refused(lambda: world.settings_of_business.change(BUSINESS_ID, {"name": "New", field: sender}))
    chosen = world.settings_of_business.change(CEDAR, {field: sender.upper() if "@" in sender else sender})

    assert stolen.keys() == {field}
    assert world.businesses.get(BUSINESS_ID) == bare(BUSINESS_ID)
    assert getattr(chosen, field) == sender


@pytest.mark.parametrize("sender", [NUMBER, "(415) 555-0100", SERVICE, SERVICE.upper(), ADDRESS, ADDRESS.upper()])
def test_what_another_business_has_is_refused_unless_the_operator_shares_it(sender: str) -> None:
    world = two_tenants()
    world.sender_grants.add(CEDAR, {"(": NUMBER, "M": SERVICE, "+": NUMBER}.get(sender[0], ADDRESS))
    assert CEDAR in refused(lambda: world.sender_grants.add(BUSINESS_ID, sender))["sender"]
    field = "email_from" if "@" in sender else "text_from"
    assert CEDAR in refused(lambda: world.tenant_service.create_business({**NOVA, field: sender}))[field]
    assert len(world.businesses.ids()) == 2
    shared = world.sender_grants.add(BUSINESS_ID, sender, share=True)

    assert len(shared.senders.email + shared.senders.sms) == 1
    assert {grant.business_id for grant in world.sender_grants.list()} == {BUSINESS_ID, CEDAR}


def test_a_new_business_has_the_senders_that_it_is_created_with_and_sends_from_them() -> None:
    world = two_tenants()
    made = world.tenant_service.create_business({**NOVA, "text_from": "415-555-0100", "email_from": ADDRESS})

    assert (made.text_from, made.email_from) == (NUMBER, ADDRESS)
    assert made.senders == Senders((ADDRESS,), (NUMBER,))
    assert [grant.chosen for grant in world.sender_grants.list(made.business_id)] == [True, True]
    wrong = refused(lambda: world.tenant_service.create_business({**NOVA, "time_zone": "Mars", "text_from": NUMBER}))
    assert wrong.keys() == {"time_zone", "text_from"}


@pytest.mark.parametrize("address", ["a@other.example", "a@notsalon.example.org", "a@salon.example.com.evil.example"])
def test_an_address_outside_of_the_stacks_identities_is_refused(address: str) -> None:
    world = two_tenants()
    assert "salon.example.com" in refused(lambda: world.sender_grants.add(BUSINESS_ID, address))["sender"]
    assert world.sender_grants.list() == []


def test_an_identity_is_an_address_or_a_domain_with_what_is_below_it() -> None:
    assert is_covered("a@mail.salon.example", ["other.example", "Salon.example"])
    assert is_covered("A@salon.example", ["a@salon.example"])
    assert not is_covered("b@salon.example", ["a@salon.example"])
    assert not is_covered("a@salon.example", [])


def test_a_sender_that_is_taken_away_is_not_sent_from_any_more_but_still_stops() -> None:
    world = two_tenants()
    world.sender_grants.add(CEDAR, NUMBER)
    world.settings_of_business.change(CEDAR, {"text_from": NUMBER})
    assert "none" not in refused(lambda: world.sender_grants.remove(CEDAR, SERVICE))["sender"]
    removed = world.sender_grants.remove(CEDAR, "415 555 0100")

    assert (removed.text_from, removed.senders, removed.barrier(Channel.SMS)) == (None, Senders(), Barrier.NO_SENDER)
    assert [found.business_id for found in world.businesses.having_sent_from([NUMBER])] == [CEDAR]
    world.sender_grants.add(BUSINESS_ID, NUMBER)
    assert refused(lambda: world.settings_of_business.change(CEDAR, {"text_from": NUMBER})).keys() == {"text_from"}


def test_senders_from_before_there_were_grants_go_on_and_become_grants() -> None:
    world = World(
        business(email_from="old@elsewhere.example", text_from=NUMBER),
        business(business_id=CEDAR, email_from=ADDRESS, text_from=NUMBER),
    )
    # A client that sends back all that it has read.
    world.settings_of_business.change(BUSINESS_ID, {"text_from": NUMBER, "email_from": "old@elsewhere.example"})
    found = world.sender_grants.grant_old()

    assert (found.businesses, found.shared) == (2, {NUMBER: [CEDAR, BUSINESS_ID]})
    assert found.outside == {BUSINESS_ID: "old@elsewhere.example"}
    assert world.sender_grants.grant_old() == found
    assert world.businesses.get(CEDAR).senders == Senders((ADDRESS,), (NUMBER,))
    assert world.businesses.get(CEDAR).text_from == world.businesses.get(BUSINESS_ID).text_from == NUMBER


def test_a_number_that_another_business_texts_from_since_before_there_were_grants_is_refused_too() -> None:
    world = two_tenants(text_from=NUMBER)

    assert BUSINESS_ID in refused(lambda: world.sender_grants.add(CEDAR, NUMBER))["sender"]
    assert world.sender_grants.add(CEDAR, NUMBER, share=True).senders.sms == (NUMBER,)
    assert world.sender_grants.add(BUSINESS_ID, NUMBER, share=True).senders.sms == (NUMBER,)


@pytest.mark.parametrize(
    ("given", "change", "free"),
    [
        ({"text_from": NUMBER}, {"text_rate": 50.0}, True),
        ({"text_from": NUMBER}, {"text_rate": 0.5}, True),
        ({"text_from": SERVICE}, {"text_rate": 50.0}, False),
        ({"text_from": SERVICE}, {"text_rate": 0.5}, True),
        ({"text_provider": Provider.SNS}, {"text_rate": 50.0}, False),
        ({"text_from": NUMBER}, {"text_provider": Provider.SNS, "text_rate": 50.0}, False),
        ({"text_from": NUMBER}, {"text_from": SERVICE, "text_rate": 50.0}, False),
        ({"text_provider": Provider.SNS, "text_rate": 50.0}, {"name": "New"}, True),
    ],
)
def test_a_business_may_not_quicken_what_others_send_over_too(
    given: dict[str, Any], change: dict[str, Any], free: bool
) -> None:
    world = two_tenants(**given)
    world.sender_grants.add(CEDAR, SERVICE, share=True)
    for sender in (NUMBER, SERVICE):
        world.sender_grants.add(BUSINESS_ID, sender, share=True)
    if free:
        world.settings_of_business.change(BUSINESS_ID, change)
    else:
        assert refused(lambda: world.settings_of_business.change(BUSINESS_ID, change)).keys() == {"text_rate"}
        assert world.tenant_service.change_business(BUSINESS_ID, {"text_rate": 50.0}).text_rate == 50.0


@pytest.mark.parametrize("change", [{"text_provider": Provider.SNS}, {"text_from": SERVICE}], ids=str)
def test_the_pace_of_a_sender_of_its_own_does_not_go_along_to_one_that_others_share(change: dict[str, Any]) -> None:
    world = two_tenants(text_from=NUMBER, text_rate=50.0)
    world.sender_grants.add(CEDAR, SERVICE)
    world.sender_grants.add(BUSINESS_ID, SERVICE, share=True)

    assert world.settings_of_business.change(BUSINESS_ID, change).text_rate is None


SENDERS = st.sampled_from([NUMBER, SERVICE, SERVICE.upper(), ADDRESS, ADDRESS.upper(), "info@example.com"])
ACTS, TENANTS = st.sampled_from(["add", "remove", "choose"]), st.sampled_from([BUSINESS_ID, CEDAR])


@given(st.lists(st.tuples(ACTS, TENANTS, SENDERS)))
def test_no_order_of_grants_and_choices_gives_one_sender_to_two(steps: list[tuple[str, str, str]]) -> None:
    world = two_tenants()
    for step, business_id, sender in steps:
        try:
            if step == "add":
                world.sender_grants.add(business_id, sender)
            elif step == "remove":
                world.sender_grants.remove(business_id, sender)
            else:
                field = "email_from" if "@" in sender else "text_from"
                world.settings_of_business.change(business_id, {field: sender})
        except InvalidInputError:
            continue
    having = [grant.sender for grant in world.sender_grants.list()]

    assert len(having) == len(set(having))
    for business_id in (BUSINESS_ID, CEDAR):
        kept = world.businesses.get(business_id)
        assert kept.email_from is None or kept.email_from in kept.senders.email
        assert kept.text_from is None or kept.text_from in kept.senders.sms
        for sender in kept.senders.email + kept.senders.sms:
            assert world.businesses.sender_holders(sender).business_ids == (business_id,)
