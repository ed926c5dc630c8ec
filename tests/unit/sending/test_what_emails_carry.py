"""What an email has of its business: where it is, and where answers go."""

from rebound.kernel.categories import Category
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
