"""What a filter says of consent is what the decision does, and contacts are read only where nothing else decides."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.activity.domain.summary import Summary
from rebound.businesses.domain.business import DoubleOptIn
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.eligibility.application.preview_audience import Question
from rebound.eligibility.domain.eligibility import Exclusion, Send, decide
from rebound.jobs.domain import JobKind
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import COVERED_BY, ConsentSource, Scope
from rebound.segments.application.find_customers import write_filter
from rebound.segments.application.matching import among
from rebound.segments.domain.filters import compile_filter
from rebound.segments.domain.leaves import CONSENT_VALUES
from rebound.segments.domain.selections import CustomerFilter
from tests.contract.contacts.fakes import MemoryContactBook
from tests.fakes import strategies
from tests.fakes.making import BUSINESS_ID, at, business, campaign, contact_key, customer, id_of
from tests.fakes.world import World

OF_SCOPE: Final = {scope: next(c for c in Category if c.traits.scope is scope) for scope in Scope}
DOUBLE: Final = business(double_opt_in=DoubleOptIn(email=True, sms=True))
channels, scopes = st.sampled_from(Channel), st.sampled_from(Scope)


def asks(channel: Channel, scope: Scope, stands: str) -> dict[str, Any]:
    return {"consent": {"channel": str(channel), "scope": str(scope), "is": stands}}


@given(channels, scopes, st.lists(strategies.said, max_size=6))
def test_a_filter_means_by_consent_what_the_decision_does(
    channel: Channel, scope: Scope, statements: list[ConsentEvidence]
) -> None:
    contact = Contact(contact_key(1, channel)).with_evidence(*statements)
    what = campaign(channel, category=OF_SCOPE[scope], single=True)
    plain, double = (decide(customer(1), contact, sender, what, at(3600)) for sender in (business(), DOUBLE))
    stands = {s for s in CONSENT_VALUES if compile_filter(asks(channel, scope, s))(customer(1), {contact.key: contact})}

    assert ("opted_out" in stands) is (plain is Exclusion.OPTED_OUT)
    assert ("opted_in" in stands) is isinstance(plain, Send)
    if Scope.MARKETING in COVERED_BY[scope]:
        assert ("confirmed" in stands) is isinstance(double, Send)


@pytest.mark.parametrize("stands", CONSENT_VALUES)
@pytest.mark.parametrize("channel", Channel)
def test_of_a_channel_without_an_address_nothing_can_be_said(channel: Channel, stands: str) -> None:
    nobody = customer(1, email=None, mobile_phone=None)

    assert not compile_filter(asks(channel, Scope.ALL, stands))(nobody)


class CountingBook(MemoryContactBook):
    """Contacts that remember which of them were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[ContactKey] = []

    def get_many(self, keys: Iterable[ContactKey], *, consistent: bool = True) -> Mapping[ContactKey, Contact]:
        wanted = list(keys)
        self.read += wanted
        return super().get_many(wanted, consistent=consistent)


STOPPED: Final = asks(Channel.SMS, Scope.ALL, "opted_out")


@pytest.mark.parametrize(
    ("tree", "read"),
    [
        ({"all": []}, set()),
        ({"failed": "phone"}, set()),
        (STOPPED, {1, 2, 3, 4}),
        ({"not": STOPPED}, {1, 2, 3, 4}),
        ({"all": [STOPPED, {"tag": "vip"}]}, {1, 2}),
        ({"any": [STOPPED, {"tag": "vip"}]}, {3, 4}),
        ({"all": [{"any": [STOPPED, {"tag": "vip"}]}, {"not": {"tag": "new"}}]}, {4}),
    ],
)
def test_only_contacts_are_read_that_decide(tree: dict[str, Any], read: set[int]) -> None:
    tags = {1: ("vip",), 2: ("vip", "new"), 3: ("new",), 4: (), 5: ()}
    people = [customer(n, general_tags=own) for n, own in tags.items()]
    people[4] = customer(5, mobile_phone=None)
    book = CountingBook()
    stop = ConsentEvidence(at(1), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD)
    book.save(Contact(contact_key(2, Channel.SMS), customer_ids=frozenset({id_of(2)})).with_evidence(stop))
    found = among(people, compile_filter(tree), book, World().summaries)

    assert {key.address for key in book.read} == {contact_key(n, Channel.SMS).address for n in read}
    every = book.get_many({key for one in people for key in one.contact_keys})
    assert found == [one for one in people if compile_filter(tree)(one, every)]


def preview(world: World, channel: Channel, tree: Mapping[str, Any]) -> Audience:
    audience = world.preview_audience(BUSINESS_ID, Question(tree, channel, Category.MARKETING))
    assert audience is not None
    return audience


@settings(deadline=None)
@given(st.lists(strategies.said, max_size=4), strategies.filters, channels, strategies.summaries())
def test_lists_counts_and_previews_agree_about_whom_a_filter_means(
    statements: list[ConsentEvidence], tree: dict[str, Any], channel: Channel, did: Summary
) -> None:
    world = World()
    world.add(*(customer(number, general_tags=("vip",) if number % 2 else ()) for number in range(4)))
    world.know(contact_key(1, channel), *statements)
    world.summaries.given[BUSINESS_ID, id_of(2)] = did
    world.pump_streams()
    wanted = world.pin_filters.wanted(BUSINESS_ID, CustomerFilter(filter=tree))
    listed = world.list_customers(BUSINESS_ID, wanted, limit=50).items
    counted = world.count_customers(BUSINESS_ID, wanted)
    job = world.run_to_end(world.job_service.start(BUSINESS_ID, JobKind.COUNT, {"wanted": write_filter(wanted)}))
    exported = world.run_export(world.start_export(BUSINESS_ID, "csv", wanted).job.export_id)
    audience = preview(world, channel, tree)

    assert counted is not None
    assert len(listed) == counted.get("count", 0) == job.counts[0].get("count", 0) == audience.matched
    assert exported.job.rows == len(listed)


def test_who_said_stop_can_be_listed_and_left_out_of_a_preview_by_a_filter() -> None:
    world = World()
    world.add(*(customer(number) for number in range(1, 4)))
    stop = ConsentEvidence(at(1), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD)
    world.know(contact_key(2, Channel.SMS), stop)
    left = asks(Channel.SMS, Scope.MARKETING, "opted_out")
    [one] = world.list_customers(BUSINESS_ID, CustomerFilter(filter=left), limit=50).items

    assert one.customer.customer_id == id_of(2)
    assert preview(world, Channel.SMS, left) == Audience(1, {"opted_out": 1})
    assert preview(world, Channel.SMS, asks(Channel.SMS, Scope.MARKETING, "opted_in")) == Audience(2)
