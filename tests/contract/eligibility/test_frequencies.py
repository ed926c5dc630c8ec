"""The port of what customers have been handed of late, against the fake and DynamoDB, and under real concurrency."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

import pytest
from moto.dynamodb.models import DynamoDBBackend

from rebound.businesses.domain.frequency import Frequency, FrequencyCap, HandOver
from rebound.eligibility.adapters import DynamoFrequencyBook
from rebound.eligibility.application.frequency_reservations import FrequencyReservations
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.ports import FrequencyBook
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError
from rebound.platform.adapters.system import SystemClock
from tests.contract.campaigns.fakes import adds_up
from tests.contract.eligibility.fakes import MemoryFrequencyBook
from tests.fakes.aws import empty_tables, fake_aws_with_tables, rows
from tests.fakes.making import BUSINESS_ID, at, business, campaign, customer, id_of
from tests.fakes.watching import Boundary, watched
from tests.fakes.world import World

OTHER: Final = "salon-cedar"
UNTIL: Final = at(7 * 86400)
ONE: Final = FrequencyCap("One a week", (Category.MARKETING,), at_most=1, within_days=7)
TWO: Final = FrequencyCap("Two a week", (Category.MARKETING,), at_most=2, within_days=7)


@pytest.fixture(scope="module")
def book_in_dynamodb() -> Iterator[DynamoFrequencyBook]:
    with fake_aws_with_tables() as tables:
        yield DynamoFrequencyBook(tables["FREQUENCIES_TABLE"])


@pytest.fixture
def dynamodb(book_in_dynamodb: DynamoFrequencyBook) -> DynamoFrequencyBook:
    empty_tables()
    return book_in_dynamodb


@pytest.fixture(params=["memory", "dynamodb"])
def book(request: pytest.FixtureRequest) -> FrequencyBook:
    if request.param == "memory":
        return MemoryFrequencyBook()
    found: FrequencyBook = request.getfixturevalue("dynamodb")
    return found


def handed(number: int = 1, **given: Any) -> Frequency:
    whole = HandOver("01M7W6C3805FEE6AD6R1F2WA02", at(0.5), Category.LOYALTY, Channel.SMS, "vips", 3)
    bare = HandOver("m", at(1), Category.MARKETING, Channel.EMAIL)
    return Frequency(given.get("business_id", BUSINESS_ID), id_of(number), (whole, bare))


def get(book: FrequencyBook, number: int = 1, business_id: str = BUSINESS_ID) -> Frequency:
    return book.get_many(business_id, [id_of(number)])[id_of(number)]


def test_of_whom_nothing_is_kept_nothing_counts(book: FrequencyBook) -> None:
    assert get(book) == Frequency(BUSINESS_ID, id_of(1))
    assert book.get_many(BUSINESS_ID, []) == {}


def test_what_is_written_is_read_whole_by_customer_and_business(book: FrequencyBook) -> None:
    book.save(handed(), UNTIL)
    found = get(book)

    assert (found.hand_overs, found.business_id, found.customer_id) == (handed().hand_overs, BUSINESS_ID, id_of(1))
    assert get(book, 2).hand_overs == ()
    assert get(book, 1, OTHER).hand_overs == ()


def test_any_number_is_read_at_once(book: FrequencyBook) -> None:
    for number in range(1, 131, 2):
        book.save(handed(number), UNTIL)
    found = book.get_many(BUSINESS_ID, [id_of(number) for number in range(1, 131)], consistent=False)

    assert [bool(found[id_of(number)].hand_overs) for number in range(1, 131)] == [True, False] * 65


def test_only_what_is_as_it_was_read_is_written(book: FrequencyBook) -> None:
    first = get(book)
    stored = book.save(handed(), UNTIL)
    assert stored == get(book)
    with pytest.raises(ConcurrentChangeError):
        book.save(first, UNTIL)
    again = book.save(stored.releasing("m", 0), UNTIL)
    with pytest.raises(ConcurrentChangeError):
        book.save(stored, UNTIL)

    assert get(book) == again
    assert [place.message_id for place in again.hand_overs] == ["01M7W6C3805FEE6AD6R1F2WA02"]


def test_a_row_is_forgotten_after_its_last_use_and_holds_no_personal_data(dynamodb: DynamoFrequencyBook) -> None:
    dynamodb.save(handed(), UNTIL)
    [row] = rows()["FrequenciesTable"]

    assert int(row["expires_at"]["N"]) == int((UNTIL + timedelta(days=1)).timestamp())
    assert row.keys() == {"recipient_id", "hand_overs", "version", "expires_at"}


# --- real concurrency -------------------------------------------------------------------------------------------------


@pytest.fixture
def one_write_at_a_time() -> Iterator[None]:
    """DynamoDB checks a condition and writes as one step; moto takes two, between which other threads may come."""
    lock, put = threading.Lock(), DynamoDBBackend.put_item

    def locked(*given: Any, **named: Any) -> Any:
        with lock:
            return put(*given, **named)

    with patch.object(DynamoDBBackend, "put_item", locked):
        yield


@pytest.mark.usefixtures("one_write_at_a_time")
def test_of_many_senders_at_once_each_customer_is_handed_exactly_what_the_cap_allows(
    dynamodb: DynamoFrequencyBook,
) -> None:
    senders, customers = 6, range(1, 9)
    sender, barrier = business(frequency_caps=(TWO,)), threading.Barrier(senders)

    def send(number: int) -> Sequence[str]:
        reservations, run = (
            FrequencyReservations(frequencies=dynamodb, clock=SystemClock()),
            campaign(run_id=f"01M7W6C3805FEE6AD6R1F2WA{number:02d}"),
        )
        taken = []
        for one in customers:
            known = get(dynamodb, one)
            # Everybody has read before anybody writes.
            barrier.wait(30)
            case = Case(customer(one), None, sender, run, SystemClock().now(), known)
            if reservations.reserve(case, attempt=1) is None:
                taken.append(id_of(one))
        return taken

    with ThreadPoolExecutor(senders) as pool:
        granted = Counter(customer_id for taken in pool.map(send, range(senders)) for customer_id in taken)

    assert granted == {id_of(number): TWO.at_most for number in customers}
    assert all(len(get(dynamodb, number).hand_overs) == TWO.at_most for number in customers)


@pytest.mark.usefixtures("one_write_at_a_time")
def test_two_campaigns_sent_by_two_workers_at_once_hand_each_customer_one_message(
    dynamodb: DynamoFrequencyBook,
) -> None:
    barrier = threading.Barrier(2)
    met = threading.local()

    def meet(where: Boundary) -> None:
        # Once for each worker: both have read what everybody was handed, and neither has written.
        if where == "frequencies.get_many" and where.side == "after" and not getattr(met, "once", True):
            met.once = True
            barrier.wait(30)

    world = World(business(frequency_caps=(ONE,)), ranges=1)
    world.frequencies = watched(dynamodb, "frequencies", meet)  # type: ignore[assignment]
    world._start_anew()
    world.add(*(customer(number) for number in range(1, 21)))
    ids = [world.post(channel).campaign.campaign_id for channel in Channel]
    for campaign_id in ids:
        world.begin(campaign_id)
    email, text = (
        next(waiting.body for waiting in queue.receive(world.random))
        for (_, lane), queue in world.chunk_queue.queues.items()
        if lane == "bulk"
    )

    def send_email() -> None:
        met.once = False
        world.send_email(email, "worker-1")

    def send_text() -> None:
        met.once = False
        world.send_text(text, "worker-2", lambda: True)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(send_email), pool.submit(send_text)]:
            done.result(60)
    world.rest()
    views = [world.campaign_service.get(BUSINESS_ID, campaign_id) for campaign_id in ids]
    handed_to = Counter(handed.key.customer_id for handed in [*world.mailer.handed, *world.twilio_texter.handed])

    assert handed_to == {id_of(number): 1 for number in range(1, 21)}
    assert all(adds_up(view) for view in views)
    assert sum(view.audience.targeted for view in views) == 20
    assert sum(view.audience.excluded.get("frequency_cap", 0) for view in views) == 20
