"""Lines of SNS's log about texts that nobody here sent: of another stack, or of other software of the account."""

import json
from collections.abc import Iterator

import pytest

from local.twin.sns import DeliveryLog
from tests.fakes.aws import rows
from tests.fakes.deployment import Deployment

NUMBER = "+14155550123"


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """A stack that hears of three such texts, delivered and not, and waits until nothing is left to do."""
    with Deployment() as deployment:
        at = deployment.clock.now().timestamp()
        for number, said in enumerate(
            ("Message has been accepted by phone carrier", "Invalid phone number", "Phone number is opted out")
        ):
            log = DeliveryLog(
                f"{number}a8f9c1e-0000-4000-8000-000000000000", at, at + 1, NUMBER, 1, "Promotional", said
            )
            deployment._deliver_log(log.line().message)
        deployment.rest()
        yield deployment


def counted(deployment: Deployment, metric: str) -> int:
    lines = [json.loads(line) for _, line in deployment.logs if '"CloudWatchMetrics"' in line]
    return sum(int(line.get(metric, [0])[0]) for line in lines)


def test_they_are_counted_and_dropped_and_none_ends_in_the_dead_letters(deployment: Deployment) -> None:
    assert counted(deployment, "ForeignReceipts") == 3
    assert not any(deployment.queued(dead=True).values())
    assert not any(deployment.queued().values())


def test_they_were_waited_for_first_because_our_own_record_may_be_late(deployment: Deployment) -> None:
    assert counted(deployment, "EarlyReceipts") > 3
    assert counted(deployment, "UnattributedReceipts") == 0


def test_nothing_is_kept_of_them(deployment: Deployment) -> None:
    kept = json.dumps([rows()[table] for table in ("ContactsTable", "MessagesTable", "ContactHistoryTable")])

    assert NUMBER not in kept
