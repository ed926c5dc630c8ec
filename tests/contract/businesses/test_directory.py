"""The directory of businesses: one suite against the fake and the tables."""

from copy import replace
from datetime import time
from decimal import Decimal

import pytest

from rebound.access.adapters import OPERATOR
from rebound.businesses.adapters.dynamo_directory import LISTED
from rebound.businesses.adapters.text_prices import PRICES
from rebound.businesses.domain.business import BUSINESS_ID as BUSINESS_ID_FORM
from rebound.businesses.domain.business import (
    RESERVED_IDS,
    AnsweredBy,
    Bundle,
    Business,
    DoubleOptIn,
    Switches,
    TextAnswers,
)
from rebound.businesses.domain.holds import SMALLEST_SHARE, HoldPolicy
from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.businesses.domain.senders import SenderHolders, Senders
from rebound.businesses.domain.text_prices import TextPrice
from rebound.contacts.domain.contacts import Recovery
from rebound.contacts.domain.reachability import (
    STANDARD_POLICY,
    STRICT_POLICY,
    PolicyPreset,
    ReachabilityPolicy,
    policy_of,
)
from rebound.customers.adapters.customer_book import DEPARTURES
from rebound.kernel.categories import Category
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, NotFoundError
from rebound.kernel.provider_codes import Provider
from rebound.platform.adapters.directory_books import FAILURES
from rebound.receipts.adapters.dynamo_reconciliations import DynamoReconciliationBook
from rebound.receipts.domain import Reconciliation
from tests.fakes.aws import make
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    NO_QUIET_HOURS,
    business,
)


def test_a_business_is_kept_whole_and_replaced_whole(ports: EveryPorts) -> None:
    ports.businesses.add(business(owner_email="owner@example.com"))
    first = ports.businesses.get(BUSINESS_ID)
    bare = business(email_from=None, text_from=None, text_provider=Provider.SNS, version=first.version)
    assert first == business(owner_email="owner@example.com", version=1)
    ports.businesses.replace(bare)
    assert ports.businesses.get(BUSINESS_ID) == replace(bare, version=2)


@pytest.mark.parametrize(
    "policy",
    [STRICT_POLICY, policy_of("custom", {}), policy_of("custom", {"unreachable": 20, "invalid": 3})],
    ids=["strict", "never", "custom"],
)
def test_a_business_keeps_its_policy(ports: EveryPorts, policy: ReachabilityPolicy) -> None:
    ports.businesses.add(business())
    assert ports.businesses.get(BUSINESS_ID).policy == STANDARD_POLICY
    ports.businesses.replace(replace(ports.businesses.get(BUSINESS_ID), policy=policy))
    kept = ports.businesses.get(BUSINESS_ID).policy

    assert (kept, kept.preset) == (policy, policy.preset)


WORKING_HOURS = QuietWindow(time(18, 30), time(9), frozenset({Category.ONE_TO_ONE, Category.MARKETING}))


@pytest.mark.parametrize("hours", [NO_QUIET_HOURS, QuietHours(email=WORKING_HOURS)], ids=["none", "email"])
def test_a_business_keeps_its_quiet_hours(ports: EveryPorts, hours: QuietHours) -> None:
    ports.businesses.add(business(quiet_hours=QuietHours()))
    assert ports.businesses.get(BUSINESS_ID).quiet_hours == QuietHours()
    ports.businesses.replace(replace(ports.businesses.get(BUSINESS_ID), quiet_hours=hours))

    assert ports.businesses.get(BUSINESS_ID).quiet_hours == hours


@pytest.mark.parametrize("recovery", [Recovery(spaced=True), Recovery(probe_marketing=True)], ids=str)
def test_a_business_keeps_its_options_of_recovery(ports: EveryPorts, recovery: Recovery) -> None:
    ports.businesses.add(business())
    assert ports.businesses.get(BUSINESS_ID).recovery == Recovery()
    ports.businesses.replace(replace(ports.businesses.get(BUSINESS_ID), recovery=recovery))

    assert ports.businesses.get(BUSINESS_ID).recovery == recovery


@pytest.mark.parametrize("bundles", [frozenset(), frozenset({Bundle.MARKETING}), frozenset(Bundle)])
def test_a_business_keeps_its_switches_and_its_bundles(ports: EveryPorts, bundles: frozenset[Bundle]) -> None:
    ports.businesses.add(business())
    assert (ports.businesses.get(BUSINESS_ID).switches, ports.businesses.get(BUSINESS_ID).bundles) == (
        Switches(),
        frozenset(Bundle),
    )
    chosen = Switches(email=False, text_confirmations=False)
    ports.businesses.replace(replace(ports.businesses.get(BUSINESS_ID), switches=chosen, bundles=bundles))
    kept = ports.businesses.get(BUSINESS_ID)

    assert (kept.switches, kept.bundles) == (chosen, bundles)


def test_a_business_keeps_where_it_wants_double_opt_in(ports: EveryPorts) -> None:
    ports.businesses.add(business())
    assert ports.businesses.get(BUSINESS_ID).double_opt_in == DoubleOptIn()
    ports.businesses.replace(replace(ports.businesses.get(BUSINESS_ID), double_opt_in=DoubleOptIn(sms=True)))

    assert ports.businesses.get(BUSINESS_ID).double_opt_in == DoubleOptIn(sms=True)


def test_settings_are_only_written_as_they_were_read(ports: EveryPorts) -> None:
    with pytest.raises(ConcurrentChangeError):
        ports.businesses.replace(business())
    ports.businesses.add(business())
    read = ports.businesses.get(BUSINESS_ID)
    ports.businesses.replace(replace(read, policy=STRICT_POLICY))
    with pytest.raises(ConcurrentChangeError):
        ports.businesses.replace(replace(read, name="Undoes the policy"))
    ports.businesses.replace(replace(ports.businesses.get(BUSINESS_ID), name="New"))
    kept = ports.businesses.get(BUSINESS_ID)

    assert (kept.name, kept.policy) == ("New", STRICT_POLICY)


@pytest.mark.parametrize("tables", ["dynamodb", "benchmarks"], indirect=True)
def test_settings_from_before_there_were_policies_and_versions_mean_the_standard_and_can_be_changed(
    ports: EveryPorts,
) -> None:
    document = (
        '{"name":"Salon Juniper","country":"US","time_zone":"America/New_York","owner_email":null,'
        '"email_from":"hello@juniper.example.com","text_provider":"twilio","text_from":"+14155550100"}'
    )
    item = {"business_id": {"S": BUSINESS_ID}, "entry_id": {"S": "settings#"}, "document": {"S": document}}
    make("dynamodb").put_item(TableName="DirectoryTable", Item=item)
    old = ports.businesses.get(BUSINESS_ID)
    assert old == business(text_rate=None, quiet_hours=QuietHours())
    assert old.policy.preset is PolicyPreset.STANDARD
    assert ports.businesses.having_sent_from(["+14155550100"]) == []
    ports.businesses.replace(replace(old, policy=STRICT_POLICY))

    assert ports.businesses.get(BUSINESS_ID).policy == STRICT_POLICY
    assert len(ports.businesses.having_sent_from(["+14155550100"])) == 1
    with pytest.raises(ConcurrentChangeError):
        ports.businesses.replace(old)


def test_the_holders_of_a_sender_are_written_with_the_settings_or_not_at_all(ports: EveryPorts) -> None:
    book, sender = ports.businesses, "Hello@juniper.example.com"
    book.add(business(), [book.sender_holders(sender).with_holder(BUSINESS_ID)])
    held = book.sender_holders(sender.lower())
    read = book.get(BUSINESS_ID)
    assert (held.sender, held.business_ids) == (sender.lower(), (BUSINESS_ID,))
    own = Senders((sender,), ("+14155550100",))
    book.replace(replace(read, senders=own), [held.with_holder("cedar")])
    with pytest.raises(ConcurrentChangeError):
        book.replace(replace(book.get(BUSINESS_ID), name="New"), [held.without(BUSINESS_ID)])
    with pytest.raises(ConcurrentChangeError):
        book.add(business(business_id="cedar"), [SenderHolders(sender, ("cedar",))])
    with pytest.raises(ConcurrentChangeError):
        book.replace(read, [book.sender_holders(sender).without(BUSINESS_ID)])

    assert (book.get(BUSINESS_ID).name, book.get(BUSINESS_ID).senders) == (read.name, own)
    assert book.sender_holders(sender).business_ids == (BUSINESS_ID, "cedar")
    with pytest.raises(NotFoundError):
        book.get("cedar")


def test_who_has_a_number_without_having_sent_from_it_is_not_found_by_it(ports: EveryPorts) -> None:
    book, number = ports.businesses, "+14155550177"
    book.add(business(), [book.sender_holders(number).with_holder(BUSINESS_ID)])
    assert book.having_sent_from([number]) == []
    book.replace(replace(book.get(BUSINESS_ID), text_from=number))
    book.replace(replace(book.get(BUSINESS_ID), text_from=None), [book.sender_holders(number).without(BUSINESS_ID)])

    assert book.sender_holders(number).business_ids == ()
    assert [found.business_id for found in book.having_sent_from([number])] == [BUSINESS_ID]


def test_businesses_are_found_by_what_they_send_or_ever_sent_texts_from(ports: EveryPorts) -> None:
    def having_sent_from(*senders: str) -> list[str]:
        return [found.business_id for found in ports.businesses.having_sent_from(senders)]

    number, service = "+14155550100", "MG" + "0" * 32
    for business_id, sender in (("one", number), ("two", service), ("three", number), ("none", None)):
        ports.businesses.add(business(business_id=business_id, text_from=sender))
    assert having_sent_from(number) == ["one", "three"]
    assert having_sent_from(number, service) == ["one", "three", "two"]
    assert having_sent_from("+14155550101") == having_sent_from() == []
    for business_id, sender in (("one", service), ("three", None)):
        ports.businesses.replace(replace(ports.businesses.get(business_id), text_from=sender))

    assert (having_sent_from(number), having_sent_from(service)) == (["one", "three"], ["one", "two"])
    assert ports.businesses.having_sent_from([service])[0] == ports.businesses.get("one")


def test_settings_that_lost_a_race_leave_the_sender_as_it_is(ports: EveryPorts) -> None:
    ports.businesses.add(business())
    read = ports.businesses.get(BUSINESS_ID)
    ports.businesses.replace(replace(read, text_from="+14155550101"))
    with pytest.raises(ConcurrentChangeError):
        ports.businesses.replace(replace(read, text_from="+14155550102"))

    assert [len(ports.businesses.having_sent_from([f"+1415555010{n}"])) for n in (0, 1, 2)] == [1, 1, 0]


def test_a_business_is_added_once(ports: EveryPorts) -> None:
    ports.businesses.add(business())
    with pytest.raises(ConflictError):
        ports.businesses.add(business(name="Another"))
    assert ports.businesses.get(BUSINESS_ID).name == "Salon Juniper"


def test_a_business_keeps_how_it_answers_texts(ports: EveryPorts) -> None:
    ports.businesses.add(business())
    assert ports.businesses.get(BUSINESS_ID).text_answers == TextAnswers()
    answers = TextAnswers(AnsweredBy.TWILIO, "fr", ("OUI", "D'accord"))
    ports.businesses.replace(replace(ports.businesses.get(BUSINESS_ID), text_answers=answers))

    assert ports.businesses.get(BUSINESS_ID).text_answers == answers


# The tables of the benchmarks know no scan.
@pytest.mark.parametrize("tables", ["memory", "dynamodb"], indirect=True)
def test_all_businesses_are_listed_and_nothing_else_of_their_rows(ports: EveryPorts) -> None:
    names = {f"salon-{number}" for number in range(30)}
    for name in names:
        ports.businesses.add(business(business_id=name))
    ports.reconciliations.save(Reconciliation("one"))

    assert sorted(ports.businesses.ids()) == sorted(names)


def test_businesses_are_listed_by_id_page_by_page_and_found_by_part_of_name_or_id(ports: EveryPorts) -> None:
    ids = [f"salon-{number}" for number in range(7)]
    for number, business_id in enumerate(reversed(ids)):
        ports.businesses.add(business(business_id=business_id, name=f"{'Straße' if number % 2 else 'Way'} {number}"))
    found: list[Business] = []
    cursor: str | None = None
    for _ in range(4):
        page = ports.businesses.page(2, cursor)
        found += page.items
        cursor = page.next_cursor

    assert [each.business_id for each in found] == ids
    assert found[0] == ports.businesses.get(ids[0])
    assert cursor is None
    assert [each.business_id for each in ports.businesses.page(2, None, "STRASSE").items] == ["salon-1", "salon-3"]
    assert [each.business_id for each in ports.businesses.page(9, None, "LON-4").items] == ["salon-4"]
    assert ports.businesses.page(9, None, "nobody").items == []


def test_a_list_of_businesses_has_their_names_of_now(ports: EveryPorts) -> None:
    ports.businesses.add(business(name="Before"))
    ports.businesses.replace(replace(ports.businesses.get(BUSINESS_ID), name="After"))

    assert [each.name for each in ports.businesses.page(9, None, "after").items] == ["After"]
    assert ports.businesses.page(9, None, "before").items == []


def test_what_stands_in_the_place_of_a_business_id_is_kept_from_businesses() -> None:
    """Partitions of rows that belong to no business: whoever may write to them must not reach a business by it."""
    assert {
        id_
        for id_ in (FAILURES, OPERATOR, LISTED, PRICES, DynamoReconciliationBook.owner, DEPARTURES)
        if BUSINESS_ID_FORM.fullmatch(id_)
    } == RESERVED_IDS


def test_a_policy_for_holds_is_kept_until_it_is_switched_off(ports: EveryPorts) -> None:
    assert ports.hold_policies.get() is None
    for policy in (HoldPolicy(0.9, 100, "a@b.example"), HoldPolicy(1.0, 5, "+1 415"), None, None):
        ports.hold_policies.put(policy)
        assert ports.hold_policies.get() == policy


def test_a_policy_from_when_smaller_shares_were_taken_is_about_what_is_mostly_bulk(ports: EveryPorts) -> None:
    ports.hold_policies.put(HoldPolicy(5e-324, 100, "a@b.example"))

    assert ports.hold_policies.get() == HoldPolicy(SMALLEST_SHARE, 100, "a@b.example")


def test_prices_of_texts_are_kept_by_country_and_provider(ports: EveryPorts) -> None:
    book = ports.text_prices
    assert book.get("US", Provider.TWILIO) is None
    prices = [
        TextPrice(country, provider, Decimal(amount), currency)
        for country, provider, amount, currency in (
            ("DE", Provider.TWILIO, "0.0900", "EUR"),
            ("US", Provider.SNS, "0", "USD"),
            ("US", Provider.TWILIO, "0.000001", "USD"),
        )
    ]
    for price in (replace(prices[0], price=Decimal(1)), *prices):
        book.put(price)

    assert [book.get(price.country, price.provider) for price in prices] == prices
    assert book.get("DE", Provider.SNS) is None
    first = book.page(2, None)
    assert [*first.items, *book.page(2, first.next_cursor).items] == prices
    book.delete("US", Provider.SNS)
    assert book.page(9, None).items == [prices[0], prices[2]]
    for country in ("US", "FR"):
        with pytest.raises(NotFoundError, match=r"No such text price\."):
            book.delete(country, Provider.SNS)
