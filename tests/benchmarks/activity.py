"""What a million events of customers cost from their request to the summary, how many a second, and what a read takes.

Everything that AWS charges for is counted while a smaller number goes the whole way, through the API, the queue and the
table; a million is that many times as much, which the figures of two sizes side by side show. Events are shuffled: a
request has events of many customers, so that hardly two of one customer are applied together, which would be cheaper.
"""

import random
import sys
import tracemalloc
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import batched
from typing import Any, Final

from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import START, Deployment, Usage, deployment, megabytes
from tests.benchmarks.usd_per_million import per_million, spread, table_units
from tests.fakes import house
from tests.fakes.making import id_of

BUDGET: Final = 3.0
"""US dollars for a million events, ten of each customer."""
SPREAD: Final = 0.10
"""How far each size's figure may be from the middle of both."""
FEW, MANY = 10, 200
"""Events of a customer."""
SIZES: Final = (100, 600)
"""Customers with few events each."""
QUICK: Final = {"sizes": (50, 200), "regulars": 4}
A_REQUEST: Final = 500
FUNCTION: Final = "apply_activity"
WORKERS: Final = 50
"""``QueueConcurrency`` as the template has it."""
READ: Final = 100
"""Summaries of one request."""


def event(number: int, customer: int, chance: random.Random) -> Mapping[str, Any]:
    """A visit within the last 400 days, as a studio's system would tell of it."""
    moment = START - timedelta(minutes=chance.randrange(400 * 24 * 60))
    return {
        "event_id": f"{number:08x}-6c1b-4e0e-9a64-0c7a4b9d2f10",
        "kind": "visit",
        "at": moment.isoformat(),
        "customer_id": id_of(customer + 1),
        "appointment_id": f"{number:08x}-aaaa-4e0e-9a64-0c7a4b9d2f10",
        "class_id": f"class-{chance.randrange(20)}",
        "class_type": chance.choice(("yoga", "pilates", "boxing")),
        "location_id": "main-street",
        "amount": f"{chance.randrange(10, 40)}.00",
        "currency": "USD",
    }


def shuffled(customers: int, each: int) -> list[Mapping[str, Any]]:
    """So many events of each of so many customers, in no order."""
    chance = random.Random(16)  # noqa: S311 - the same in every run
    made = [event(number, number % customers, chance) for number in range(customers * each)]
    chance.shuffle(made)
    return made


def post(deployed: Deployment, events: Sequence[Mapping[str, Any]]) -> Usage:
    """What it takes to apply events."""
    deployed.forget_usage()
    for some in batched(events, A_REQUEST, strict=False):
        answer = deployed.api("POST", "/v1/activity", {"events": some})
        if answer["errors"]:
            raise RuntimeError(f"refused: {answer['errors'][0]}")
        deployed.cloud.now += 1
    return deployed.rest(len(events))


def measured(customers: int, each: int) -> Mapping[str, Any]:
    """The figures for so many events of each of so many customers."""
    events = shuffled(customers, each)
    with deployment(500.0) as deployed:
        deployed.open_business()
        deployed.fill(customers)
        usage = post(deployed, events)
        again = per_million(post(deployed, events[:A_REQUEST]))
        taken = usage.invocations[FUNCTION]
        share = megabytes(FUNCTION) / prices.FULL_CPU_MEGABYTES
        seconds = (taken.cpu / share + taken.waiting) / len(events)
        deployed.forget_usage()
        found = house.ports().summaries.get_many(deployed.business_id, [id_of(n + 1) for n in range(READ)])
        counted = sum(summary.classes for summary in found.values())
        return {
            **per_million(usage),
            "write_units": table_units(usage.writes, len(events)),
            "read_units": table_units(usage.reads, len(events)),
            "said_again": again["total"],
            "seconds_of_a_worker": round(seconds, 4),
            "events_a_second": round(WORKERS / seconds),
            "read_units_a_summary": sum(deployed.cloud.tables.reads.values()) / READ,
            "requests_for_100_summaries": deployed.cloud.calls["dynamodb:BatchGetItem"],
            "complete": counted == min(customers, READ) * each,
        }


def peak_megabytes(each: int) -> float:
    """What the worker holds at most beyond what it begins with, while a part is applied to people with many events."""
    events = shuffled(1, each)
    with deployment(500.0) as deployed:
        deployed.open_business()
        deployed.fill(1)
        post(deployed, events)
        tracemalloc.start()
        try:
            post(deployed, [{**some, "class_id": "other"} for some in events[:50]])
            return round(tracemalloc.get_traced_memory()[1] / 1e6, 1)
        finally:
            tracemalloc.stop()


def run(sizes: Sequence[int] = SIZES, regulars: int = 10) -> dict[str, Any]:
    """The figures, and whether they meet the budget."""
    few = {f"{size * FEW} events, {FEW} of each customer": measured(size, FEW) for size in sizes}
    many = measured(regulars, MANY)
    totals = [each["total"] for each in few.values()]
    figures = {**few, f"{regulars * MANY} events, {MANY} of each customer": many}
    largest = list(few.values())[-1]
    memory = peak_megabytes(MANY)
    return {
        **figures,
        "peak_megabytes": memory,
        "short": {
            **{f"USD a million: {name}": f"{each['total']:.2f}" for name, each in figures.items()},
            "USD a million, said again": f"{largest['said_again']:.2f}",
            f"events a second, {WORKERS} workers": f"{largest['events_a_second']} / {many['events_a_second']}",
            "read units a summary, few and many events": f"{largest['read_units_a_summary']} / "
            f"{many['read_units_a_summary']}",
            "megabytes for a part": f"{memory}",
        },
        "bars": {
            f"under {BUDGET} USD a million, {FEW} of each customer": max(totals) < BUDGET,
            f"the same for each size within {SPREAD:.0%}": spread(totals) <= SPREAD,
            "a hundred summaries are one request": all(
                each["requests_for_100_summaries"] == 1 for each in figures.values()
            ),
            "every event is in its summary": all(each["complete"] for each in figures.values()),
        },
    }


if __name__ == "__main__":
    sys.exit(main("activity"))
