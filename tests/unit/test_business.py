"""A business changes what it names, all or nothing."""

import pytest

from rebound.application.settings_of_business import BusinessChange
from rebound.domain.business import TextProvider
from rebound.domain.channels import Channel
from rebound.domain.errors import InvalidInputError
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.world import World

SERVICE = "MG" + "0" * 32


def test_only_what_is_given_changes_and_null_empties_what_may_be_empty() -> None:
    world = World()
    changed = world.settings.change(BUSINESS_ID, BusinessChange(name=" New ", email_from=None, text_from=SERVICE))

    assert changed == business(name="New", email_from=None, text_from=SERVICE)
    assert world.settings.get(BUSINESS_ID) == changed


def test_a_number_is_read_in_the_country_that_is_given_with_it() -> None:
    world = World()
    changed = world.settings.change(BUSINESS_ID, BusinessChange(country="gb", text_from="020 7946 0958"))

    assert (changed.country, changed.text_from) == ("GB", "+442079460958")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (BusinessChange(name=" "), "name"),
        (BusinessChange(name="a\nb"), "name"),
        (BusinessChange(country="Nowhere"), "country"),
        (BusinessChange(time_zone="Mars"), "time_zone"),
        (BusinessChange(owner_email="x"), "owner_email"),
        (BusinessChange(email_from="x@"), "email_from"),
        (BusinessChange(text_from="MGxyz"), "text_from"),
    ],
)
def test_a_change_that_cannot_be_is_refused_whole(change: BusinessChange, field: str) -> None:
    world = World()
    with pytest.raises(InvalidInputError) as raised:
        world.settings.change(BUSINESS_ID, change)

    assert field in [error.field for error in raised.value.errors]
    assert world.settings.get(BUSINESS_ID) == business()


def test_what_a_channel_needs_to_send() -> None:
    assert business().can_send(Channel.EMAIL)
    assert not business(email_from=None).can_send(Channel.EMAIL)
    assert not business(text_from=None).can_send(Channel.SMS)
    assert business(text_from=None, text_provider=TextProvider.SNS).can_send(Channel.SMS)
