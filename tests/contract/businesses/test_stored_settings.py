"""The settings of a business as a document: what is written is read again, whatever it is."""

import json
from copy import replace
from datetime import UTC, time
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.adapters.stored_settings import read_settings, write_settings
from rebound.businesses.domain.business import AnsweredBy, Bundle, Business, DoubleOptIn, Switches, TextAnswers
from rebound.businesses.domain.frequency import FrequencyCap
from rebound.businesses.domain.holds import AccountHold, LiftedHold
from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.contacts.domain.reachability import policy_of
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.strategies import recoveries

policies: Final = st.sampled_from(["strict", "standard"]).map(policy_of) | st.fixed_dictionaries(
    {}, optional={"invalid": st.integers(1, 9), "unreachable": st.integers(1, 9)}
).map(lambda counts: policy_of("custom", counts))
minutes: Final = st.builds(time, st.integers(0, 23), st.integers(0, 59))
windows: Final = st.none() | st.builds(
    QuietWindow, minutes, minutes, st.frozensets(st.sampled_from(Category), min_size=1)
)
caps: Final = st.builds(
    FrequencyCap,
    name=st.text(),
    categories=st.lists(st.sampled_from(Category), unique=True).map(tuple),
    at_most=st.integers(1, 50),
    within_days=st.integers(1, 90),
    channel=st.none() | st.sampled_from(Channel),
    per_segment=st.booleans(),
)
moments: Final = st.datetimes(timezones=st.just(UTC))
texts: Final = st.none() | st.text()
businesses: Final = st.builds(
    business,
    name=st.text(),
    owner_email=texts,
    email_from=texts,
    email_from_name=texts,
    reply_to=texts,
    postal_address=texts,
    text_from=texts,
    text_provider=st.sampled_from(Provider),
    text_rate=st.none() | st.floats(0.1, 1000),
    policy=policies,
    recovery=recoveries,
    switches=st.builds(Switches, st.booleans(), st.booleans(), st.booleans()),
    double_opt_in=st.builds(DoubleOptIn, st.booleans(), st.booleans()),
    hold=st.none() | st.builds(AccountHold, moments, st.integers(0), st.integers(0), st.text()),
    lifted_holds=st.lists(st.builds(LiftedHold, moments, moments, st.text()), max_size=2).map(tuple),
    bundles=st.frozensets(st.sampled_from(Bundle)),
    frequency_caps=st.lists(caps, max_size=3).map(tuple),
    quiet_hours=st.builds(QuietHours, windows, windows),
    text_answers=st.builds(
        TextAnswers, st.sampled_from(AnsweredBy), st.text(max_size=2), st.lists(st.text()).map(tuple)
    ),
)


@given(businesses, st.integers(0, 9))
def test_settings_are_read_as_they_were_written(found: Business, version: int) -> None:
    assert read_settings(json.loads(json.dumps(write_settings(found))), BUSINESS_ID, version) == replace(
        found, version=version
    )


def test_what_a_later_release_added_is_left_aside() -> None:
    assert read_settings({**write_settings(business()), "later": True}, BUSINESS_ID, 0) == business()
