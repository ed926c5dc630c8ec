"""A contact is an address of one business on one channel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.channels import Channel, ContactKey
from tests.fakes.making import customer


@given(st.sampled_from(Channel), st.text(min_size=1, max_size=20))
def test_a_key_is_read_as_it_was_written_even_with_a_hash_in_the_address(channel: Channel, address: str) -> None:
    key = ContactKey("salon", channel, address)

    assert ContactKey.parse(str(key)) == key


def test_customers_whose_addresses_differ_only_in_case_share_a_contact() -> None:
    ana, bo = customer(1, email="Family@Example.com"), customer(2, email="family@example.com")

    assert ana.contact_key(Channel.EMAIL) == bo.contact_key(Channel.EMAIL)
    assert ana.address(Channel.EMAIL) == "Family@Example.com"


@pytest.mark.parametrize("channel", list(Channel))
def test_a_customer_without_an_address_has_no_contact(channel: Channel) -> None:
    assert customer(email=None, mobile_phone=None).contact_key(channel) is None
    assert customer(email=None, mobile_phone=None).contact_keys == ()
