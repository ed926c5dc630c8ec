"""Who gets a message: one pure function, and exactly one answer."""

from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.business import Business, DoubleOptIn
from rebound.campaigns.domain.campaigns import Campaign
from rebound.consent.domain.consent import FIRST_HAND_SOURCES, ConsentEvidence, Standing
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Evidence, Failure
from rebound.customers.domain import Customer
from rebound.eligibility.domain.eligibility import Exclusion, Send, decide
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import COVERED_BY, ConsentSource, Scope
from rebound.kernel.provider_codes import Provider
from tests.fakes import strategies
from tests.fakes.making import NO_SUCH_MAILBOX, at, business, campaign, contact_key, customer

PROMOTIONAL = tuple(category for category in Category if category.is_promotional)
ANA = customer()
FLAGGED = Contact(contact_key()).with_evidence(Failure(at(1), "m1", Provider.SES, NO_SUCH_MAILBOX))
NOW = at(3600)
HEALTHY = Contact(contact_key()).with_evidence(Cleared(at(1), ClearedBy.DELIVERY))


def opted_out(contact: Contact, scope: Scope) -> Contact:
    return contact.with_evidence(ConsentEvidence(at(2), scope, opted_out=True, source=ConsentSource.PROVIDER))


senders = st.sampled_from(
    [
        business(),
        business(email_from=None),
        business(text_from=None),
        business(text_from=None, text_provider=Provider.SNS),
    ]
)
campaigns = st.builds(
    lambda channel, category, exclude_failed, included: campaign(
        channel,
        category=category,
        exclude_failed=exclude_failed,
        include_customer_ids=frozenset({ANA.customer_id} if included else set()),
    ),
    st.sampled_from(Channel),
    st.sampled_from(Category),
    st.booleans(),
    st.booleans(),
)
businesses = st.builds(lambda sender, recovery: replace(sender, recovery=recovery), senders, strategies.recoveries)
contacts = st.none() | st.builds(
    lambda evidence, said: Contact(contact_key()).with_evidence(*evidence, *said),
    st.lists(strategies.evidence, max_size=4),
    st.lists(strategies.said, max_size=3),
)
people = st.none() | st.sampled_from(
    [ANA, replace(ANA, email=None), replace(ANA, mobile_phone=None), replace(ANA, email=None, mobile_phone=None)]
)


@given(people, contacts, businesses, campaigns)
def test_the_answer_is_send_to_the_own_address_or_exactly_one_reason(
    who: Customer | None, contact: Contact | None, sender: Business, what: Campaign
) -> None:
    decision = decide(who, contact, sender, what, NOW)

    assert isinstance(decision, Send | Exclusion)
    if isinstance(decision, Send):
        assert who is not None
        assert decision.address == who.address(what.channel)


@given(people, contacts, businesses, campaigns)
def test_an_opt_out_from_everything_is_never_sent_to_whatever_the_campaign_says(
    who: Customer | None, contact: Contact | None, sender: Business, what: Campaign
) -> None:
    refuses = opted_out(replace(contact or HEALTHY, consent=HEALTHY.consent), Scope.ALL)

    assert not isinstance(decide(who, refuses, sender, what, NOW), Send)


@given(contacts, campaigns)
def test_promotional_messages_go_only_to_who_allows_marketing(contact: Contact | None, what: Campaign) -> None:
    decision = decide(ANA, contact, business(), what, NOW)
    if isinstance(decision, Send) and what.category in PROMOTIONAL and contact is not None:
        others = set() if what.category.traits.scope is Scope.LOYALTY else {Scope.LOYALTY}
        assert not set(contact.consent.opted_out) - others


@pytest.mark.parametrize("category", list(Category))
def test_a_loyalty_opt_out_keeps_loyalty_messages_away_and_no_others(category: Category) -> None:
    decision = decide(ANA, opted_out(HEALTHY, Scope.LOYALTY), business(), campaign(category=category), NOW)

    assert decision == (Exclusion.OPTED_OUT if category.traits.scope is Scope.LOYALTY else Send("ana1@example.com"))


@pytest.mark.parametrize("category", list(Category))
def test_a_marketing_opt_out_keeps_promotional_messages_away_and_no_others(category: Category) -> None:
    out = opted_out(HEALTHY, Scope.MARKETING)
    to_many = decide(ANA, out, business(), campaign(category=category), NOW)
    to_one = decide(ANA, out, business(), campaign(category=category, single=True), NOW)

    assert to_one == (Exclusion.OPTED_OUT if category in PROMOTIONAL else Send("ana1@example.com"))
    # To many, a message to one person is an offer like any other.
    assert to_many == (Exclusion.OPTED_OUT if category is Category.ONE_TO_ONE else to_one)


STATEMENTS = st.lists(strategies.said.filter(lambda said: said.scope in COVERED_BY[Scope.MARKETING]), max_size=6)


@given(st.sampled_from(Channel), st.sampled_from(Category), STATEMENTS)
def test_with_double_opt_in_promotional_messages_go_only_to_who_asked_for_them_themselves_and_went_on_wanting_them(
    channel: Channel, category: Category, statements: list[ConsentEvidence]
) -> None:
    contact = Contact(contact_key(1, channel)).with_evidence(*statements)
    wants_it = business(double_opt_in=DoubleOptIn(email=channel is Channel.EMAIL, sms=channel is Channel.SMS))
    without, with_it = (
        decide(ANA, contact, sender, campaign(channel, category=category), NOW) for sender in (business(), wants_it)
    )
    asked = [said.at for said in statements if not said.opted_out and said.source in FIRST_HAND_SOURCES]
    confirmed = any(all(said.at < when for said in statements if said.opted_out) for when in asked)

    if isinstance(without, Send) and category in PROMOTIONAL and not confirmed:
        assert with_it is Exclusion.NOT_CONFIRMED
    else:
        assert with_it == without


@given(
    st.sampled_from(Channel),
    st.sampled_from(Category),
    st.lists(strategies.said, max_size=6),
    st.lists(strategies.evidence.filter(lambda each: not isinstance(each, Failure)), max_size=2),
    st.booleans(),
)
def test_how_a_scope_is_said_to_stand_is_how_the_decision_takes_it(
    channel: Channel, category: Category, statements: list[ConsentEvidence], evidence: list[Evidence], double: bool
) -> None:
    contact = Contact(contact_key(1, channel)).with_evidence(*evidence, *statements)
    sender = business(double_opt_in=DoubleOptIn(email=double, sms=double))
    decision = decide(ANA, contact, sender, campaign(channel, category=category, single=True), NOW)
    said = {Exclusion.OPTED_OUT: Standing.OPTED_OUT, Exclusion.NOT_CONFIRMED: Standing.NOT_CONFIRMED}
    standing = contact.consent.standing(category.traits.scope, needs_confirmation=double)

    assert standing is (said[decision] if isinstance(decision, Exclusion) else Standing.OPTED_IN)
    if standing is Standing.OPTED_IN:
        assert not set(COVERED_BY[category.traits.scope]) & set(contact.consent.opted_out)


@pytest.mark.parametrize("category", PROMOTIONAL)
def test_double_opt_in_of_one_channel_says_nothing_of_the_other_and_nobody_is_added_back_past_it(
    category: Category,
) -> None:
    by_email = business(double_opt_in=DoubleOptIn(email=True))
    added = campaign(category=category, include_customer_ids=frozenset({ANA.customer_id}), exclude_failed=False)

    assert decide(ANA, HEALTHY, by_email, added, NOW) is Exclusion.NOT_CONFIRMED
    assert decide(ANA, None, by_email, added, NOW) is Exclusion.NOT_CONFIRMED
    assert isinstance(decide(ANA, None, by_email, campaign(Channel.SMS, category=category), NOW), Send)


@given(st.lists(strategies.evidence, max_size=6), st.lists(strategies.said, max_size=5), st.sampled_from(Category))
def test_neither_delivery_nor_bounce_says_anything_about_consent(
    evidence: list[Evidence], statements: list[ConsentEvidence], category: Category
) -> None:
    wants_it = business(double_opt_in=DoubleOptIn(email=True))
    silent = Contact(contact_key()).with_evidence(*statements)
    by_consent = (Exclusion.OPTED_OUT, Exclusion.NOT_CONFIRMED)
    before, after = (
        decide(ANA, contact, wants_it, campaign(category=category), NOW)
        for contact in (silent, silent.with_evidence(*evidence))
    )

    assert (before in by_consent, after in by_consent) in ((True, True), (False, False))
    assert before not in by_consent or after is before


@pytest.mark.parametrize("category", list(Category))
def test_a_flag_keeps_promotional_messages_away_and_everything_else_is_still_tried(category: Category) -> None:
    decision = decide(ANA, FLAGGED, business(), campaign(category=category), NOW)

    assert decision == (Exclusion.INVALID_CONTACT if category in PROMOTIONAL else Send("ana1@example.com"))


@pytest.mark.parametrize("scope", COVERED_BY[Scope.LOYALTY])
def test_consent_decides_before_validity(scope: Scope) -> None:
    assert (
        decide(ANA, opted_out(FLAGGED, scope), business(), campaign(category=Category.LOYALTY), NOW)
        is Exclusion.OPTED_OUT
    )


@pytest.mark.parametrize("scope", COVERED_BY[Scope.LOYALTY])
def test_adding_a_customer_by_hand_beats_a_flag_and_never_an_opt_out(scope: Scope) -> None:
    added = campaign(category=Category.LOYALTY, include_customer_ids=frozenset({ANA.customer_id}))

    assert decide(ANA, FLAGGED, business(), added, NOW) == Send("ana1@example.com")
    assert decide(ANA, opted_out(FLAGGED, scope), business(), added, NOW) is Exclusion.OPTED_OUT


def test_adding_somebody_else_by_hand_helps_nobody() -> None:
    added = campaign(include_customer_ids=frozenset({customer(2).customer_id}))

    assert decide(ANA, FLAGGED, business(), added, NOW) is Exclusion.INVALID_CONTACT


def test_a_campaign_may_include_everybody_who_is_flagged() -> None:
    assert decide(ANA, FLAGGED, business(), campaign(exclude_failed=False), NOW) == Send("ana1@example.com")


def test_reasons_come_in_their_order() -> None:
    nobody = replace(ANA, email=None)

    assert decide(None, None, business(email_from=None), campaign(), NOW) is Exclusion.NOT_FOUND
    assert decide(nobody, None, business(email_from=None), campaign(), NOW) is Exclusion.CHANNEL_OFF
    assert decide(nobody, None, business(), campaign(), NOW) is Exclusion.NO_ADDRESS


def test_sns_needs_no_number_of_the_business_and_twilio_does() -> None:
    sns = business(text_from=None, text_provider=Provider.SNS)
    twilio = business(text_from=None)

    assert decide(ANA, None, sns, campaign(Channel.SMS), NOW) == Send("+14155560001")
    assert decide(ANA, None, twilio, campaign(Channel.SMS), NOW) is Exclusion.CHANNEL_OFF


def test_the_day_and_night_phones_are_never_texted() -> None:
    unreachable = replace(ANA, mobile_phone=None, day_phone="+14155550123", night_phone="+14155550124")

    assert decide(unreachable, None, business(), campaign(Channel.SMS), NOW) is Exclusion.NO_ADDRESS


@given(st.lists(strategies.evidence, max_size=5))
def test_a_marketing_message_goes_exactly_to_contacts_without_a_flag(evidence: list[Evidence]) -> None:
    contact = Contact(contact_key()).with_evidence(*evidence)
    sent = isinstance(decide(ANA, contact, business(), campaign(), NOW), Send)

    assert sent is not contact.verdict(business().policy).invalid
