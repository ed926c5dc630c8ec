"""A business changes what it names, all or nothing."""

from copy import replace

import pytest

from rebound.businesses.domain.business import Barrier, Business, Switches
from rebound.businesses.domain.senders import Senders
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.provider_codes import Provider
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.world import World

SERVICE = "MG" + "0" * 32


def test_only_what_is_given_changes_and_null_empties_what_may_be_empty() -> None:
    own = Senders(sms=(SERVICE,))
    world = World(business(senders=own))
    changed = world.settings_of_business.change(
        BUSINESS_ID, {"name": " New ", "email_from": None, "text_from": SERVICE}
    )

    assert changed == business(name="New", email_from=None, text_from=SERVICE, senders=own)
    assert world.settings_of_business.get(BUSINESS_ID) == replace(changed, version=1)


def test_a_number_is_read_in_the_country_that_is_given_with_it() -> None:
    world = World(business(senders=Senders(sms=("+442079460958",))))
    changed = world.settings_of_business.change(BUSINESS_ID, {"country": "gb", "text_from": "020 7946 0958"})

    assert (changed.country, changed.text_from) == ("GB", "+442079460958")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"country": "Nowhere"}, "country"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"owner_email": "x"}, "owner_email"),
        ({"email_from": "x@"}, "email_from"),
        ({"reply_to": "x@"}, "reply_to"),
        ({"reply_to": "ä@example.com"}, "reply_to"),
        ({"postal_address": " "}, "postal_address"),
        ({"postal_address": "1 High St\nSpringfield"}, "postal_address"),
        ({"text_from": "MGxyz"}, "text_from"),
    ],
)
def test_a_change_that_cannot_be_is_refused_whole(change: dict[str, str], field: str) -> None:
    world = World()
    with pytest.raises(InvalidInputError) as raised:
        world.settings_of_business.change(BUSINESS_ID, change)

    assert field in [error.field for error in raised.value.errors]
    assert world.settings_of_business.get(BUSINESS_ID) == business()


def test_what_a_channel_needs_to_send() -> None:
    assert business().barrier(Channel.EMAIL) is None
    assert business(email_from=None).barrier(Channel.EMAIL) is Barrier.NO_SENDER
    assert business(text_from=None).barrier(Channel.SMS) is Barrier.NO_SENDER
    assert business(text_from=None, text_provider=Provider.SNS).barrier(Channel.SMS) is None


def test_a_switch_keeps_back_its_own_channel_and_no_other() -> None:
    no_email, no_text = business(switches=Switches(email=False)), business(switches=Switches(sms=False))

    assert (no_email.barrier(Channel.EMAIL), no_email.barrier(Channel.SMS)) == (Barrier.SWITCHED_OFF, None)
    assert (no_text.barrier(Channel.EMAIL), no_text.barrier(Channel.SMS)) == (None, Barrier.SWITCHED_OFF)


@pytest.mark.parametrize(
    ("sender", "barrier"),
    [
        (business(), None),
        (business(bundles=frozenset()), Barrier.NO_BUNDLE),
        (business(switches=Switches(text_confirmations=False)), Barrier.CONFIRMATIONS_OFF),
        (business(switches=Switches(text_confirmations=False), bundles=frozenset()), Barrier.CONFIRMATIONS_OFF),
        (business(switches=Switches(sms=False), bundles=frozenset()), Barrier.SWITCHED_OFF),
    ],
)
def test_text_confirmations_need_both_switches_and_the_bundle_and_other_texts_do_not(
    sender: Business, barrier: Barrier | None
) -> None:
    assert sender.barrier(Channel.SMS, asks_confirmation=True) is barrier
    assert sender.barrier(Channel.SMS) is (barrier if barrier is Barrier.SWITCHED_OFF else None)
    assert sender.barrier(Channel.EMAIL, asks_confirmation=True) is None


def test_a_change_of_one_switch_leaves_the_others() -> None:
    world = World()
    world.settings_of_business.change(BUSINESS_ID, {"switches": {"email": False}})
    changed = world.settings_of_business.change(BUSINESS_ID, {"switches": {"text_confirmations": False}})

    assert changed.switches == Switches(email=False, sms=True, text_confirmations=False)
    changed = world.settings_of_business.change(BUSINESS_ID, {"switches": {"email": True}})
    assert changed.switches == Switches(text_confirmations=False)
