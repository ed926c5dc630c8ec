"""What limited businesses send in bulk on a day: one suite against the fake and the table, and real concurrency."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast
from unittest.mock import patch

import pytest
from moto.dynamodb.models import DynamoDBBackend

from rebound.businesses.domain.business import RECIPIENT_LIMIT
from rebound.eligibility.adapters import DynamoBulkDays
from rebound.eligibility.application.limit_recipients import LimitRecipients
from rebound.eligibility.application.preview_audience import PreviewAudience
from rebound.eligibility.domain.bulk_days import BulkDay
from rebound.eligibility.ports import BulkDayBook
from rebound.kernel.errors import ConcurrentChangeError
from tests.contract.eligibility.fakes import MemoryBulkDays
from tests.fakes.aws import empty_tables, fake_aws_with_tables
from tests.fakes.making import BUSINESS_ID, NOON, business, campaign

TODAY: Final = date(2026, 11, 29)


@pytest.fixture(scope="module")
def days_in_dynamodb() -> Iterator[DynamoBulkDays]:
    with fake_aws_with_tables() as tables:
        yield DynamoBulkDays(tables["FREQUENCIES_TABLE"])


@pytest.fixture
def dynamodb(days_in_dynamodb: DynamoBulkDays) -> DynamoBulkDays:
    empty_tables()
    return days_in_dynamodb


@pytest.fixture(params=["memory", "dynamodb"])
def days(request: pytest.FixtureRequest) -> BulkDayBook:
    if request.param == "memory":
        return MemoryBulkDays()
    found: BulkDayBook = request.getfixturevalue("dynamodb")
    return found


def test_a_day_is_kept_by_itself(days: BulkDayBook) -> None:
    empty = days.get(BUSINESS_ID, TODAY)
    days.save(empty.with_campaign("one", 40).with_campaign("two", None))
    kept = days.get(BUSINESS_ID, TODAY)

    assert (kept.campaigns, kept.reserved) == ({"one": 40, "two": None}, 40)
    for other in (days.get(BUSINESS_ID, date(2026, 11, 30)), days.get("cedar", TODAY)):
        assert (other.campaigns, other.reserved) == ({}, 0)


def test_who_has_read_what_is_no_more_writes_nothing(days: BulkDayBook) -> None:
    read = days.get(BUSINESS_ID, TODAY)
    days.save(read.with_campaign("one", 40))
    with pytest.raises(ConcurrentChangeError):
        days.save(read.with_campaign("two", 40))

    days.save(days.get(BUSINESS_ID, TODAY).with_campaign("two", 30))
    assert days.get(BUSINESS_ID, TODAY).reserved == 70


@pytest.fixture
def one_write_at_a_time() -> Iterator[None]:
    """As DynamoDB does, and moto by itself does not."""
    lock, put = threading.Lock(), DynamoDBBackend.put_item

    def locked(*given: Any, **named: Any) -> Any:
        with lock:
            return put(*given, **named)

    with patch.object(DynamoDBBackend, "put_item", locked):
        yield


@dataclass
class FortyEach:
    """Stands for ``PreviewAudience``: every campaign reaches forty, and all have been counted before one is written."""

    everybody: threading.Barrier
    met: threading.local

    def count_targeted(self, *_: object) -> int:
        if not getattr(self.met, "once", False):
            self.met.once = True
            self.everybody.wait(30)
        return 40


@pytest.mark.usefixtures("one_write_at_a_time")
def test_of_two_campaigns_at_once_one_is_refused_and_is_so_again(dynamodb: DynamoBulkDays) -> None:
    limited = business(bundles=frozenset())
    counting = cast("PreviewAudience", FortyEach(threading.Barrier(2), threading.local()))
    limit = LimitRecipients(bulk_days=dynamodb, preview=counting)

    def begin(campaign_id: str) -> bool:
        return limit.refuses(limited, campaign(campaign_id=campaign_id), campaign_id, NOON)

    with ThreadPoolExecutor(2) as pool:
        refused = list(pool.map(begin, ("one", "two")))

    assert sorted(refused) == [False, True]
    assert [begin("one"), begin("two")] == refused
    assert dynamodb.get(BUSINESS_ID, limited.local_day(NOON)).reserved == 40 < RECIPIENT_LIMIT


def test_a_campaign_that_was_refused_takes_no_room() -> None:
    assert BulkDay(BUSINESS_ID, TODAY, {"one": None, "two": 3}).reserved == 3
