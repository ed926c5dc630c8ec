"""What a message has of its business: whom it is from, where that is, and where answers go."""

import pytest

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import TEXT_PROVIDERS, Provider
from tests.fakes.making import business, customer
from tests.fakes.world import World


def test_a_campaign_says_where_the_business_is_and_is_answered_where_it_wants() -> None:
    world = World(business(postal_address="12 High St, Springfield", reply_to="desk@juniper.example.com"))
    world.add(customer(1))
    world.run(world.post().campaign.campaign_id)
    [email] = world.mailer.emails

    assert "Salon Juniper, 12 High St, Springfield" in email.content.html
    assert "Salon Juniper, 12 High St, Springfield" in email.content.text
    assert world.mailer.answered_at == {"desk@juniper.example.com"}


def test_without_these_it_is_as_it_was() -> None:
    world = World()
    world.add(customer(1))
    world.run(world.post(category=Category.REMINDER).campaign.campaign_id)
    [email] = world.mailer.emails

    assert "Salon Juniper," not in email.content.text
    assert world.mailer.answered_at == {None}


def test_an_email_is_from_its_business_and_is_kept_with_who_carried_it() -> None:
    world = World()
    world.add(customer(1))
    world.run(world.post().campaign.campaign_id)

    assert world.mailer.senders == {business().email_from}
    assert [row.provider for row in world.messages.rows.values()] == [Provider.SES]


def test_an_email_has_the_name_of_its_business_beside_the_address() -> None:
    world = World(business(email_from_name="##{{business_name}}, desk"))
    world.add(customer(1))
    world.run(world.post().campaign.campaign_id)

    assert world.mailer.senders == {f'"Salon Juniper, desk" <{business().email_from}>'}


@pytest.mark.parametrize("provider", TEXT_PROVIDERS)
def test_a_text_is_from_the_number_of_its_business_and_is_kept_with_who_carried_it(provider: Provider) -> None:
    world = World(business(text_provider=provider, text_from="+14155550177"))
    world.add(customer(1))
    world.outcomes[customer(1).mobile_phone or ""] = ()
    world.run(world.post(Channel.SMS).campaign.campaign_id)

    assert world.texter(provider).senders == {"+14155550177"}
    assert [row.provider for row in world.messages.rows.values()] == [provider]
