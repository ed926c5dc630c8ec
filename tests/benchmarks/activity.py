"""What a million events of customers cost from their request to the summary, how many a second, and what a read takes.

Everything that AWS charges for is counted while a smaller number goes the whole way, through the API, the queue and the
table; a million is that many times as much, which the figures of two sizes side by side show. No request has two events
of one customer, as hardly one has where a million are shuffled: applied together they would be cheaper. What people
with many events cost is measured on the last of their events, which are the dearest.
"""

import random
import sys
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
SIZES: Final = (100, 400)
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


def rounds(customers: int, each: int) -> list[list[Mapping[str, Any]]]:
    """So many events of each of so many customers: one of each, in no order, and so on."""
    chance = random.Random(16)  # noqa: S311 - the same in every run
    made = [[event(turn * customers + who, who, chance) for who in range(customers)] for turn in range(each)]
    for each_round in made:
        chance.shuffle(each_round)
    return made


def requests(of_rounds: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Requests in which no customer is twice."""
    for each_round in of_rounds:
        yield from batched(each_round, A_REQUEST, strict=False)


def post(deployed: Deployment, asked: Iterable[Sequence[Mapping[str, Any]]]) -> Usage:
    """What it takes to apply the events of some requests."""
    deployed.forget_usage()
    count = 0
    for some in asked:
        count += len(some)
        answer = deployed.api("POST", "/v1/activity", {"events": some})
        if answer["errors"]:
            raise RuntimeError(f"refused: {answer['errors'][0]}")
        deployed.cloud.now += 1
    return deployed.rest(count)


def measured(customers: int, each: int, before: int = 0) -> Mapping[str, Any]:
    """The figures for so many events of each of so many customers, who had some ``before``."""
    made = rounds(customers, before + each)
    number = customers * each
    with deployment(500.0) as deployed:
        deployed.open_business()
        deployed.fill(customers)
        # Together by customer, which is cheaper and not measured.
        earlier = sorted((one for some in made[:before] for one in some), key=lambda one: str(one["customer_id"]))
        post(deployed, batched(earlier, A_REQUEST, strict=False))
        usage = post(deployed, requests(made[before:]))
        again = per_million(post(deployed, requests(made[-1:])))
        taken = usage.invocations[FUNCTION]
        share = megabytes(FUNCTION) / prices.FULL_CPU_MEGABYTES
        seconds = (taken.cpu / share + taken.waiting) / number
        deployed.forget_usage()
        found = house.ports().summaries.get_many(deployed.business_id, [id_of(n + 1) for n in range(READ)])
        counted = sum(summary.classes for summary in found.values())
        return {
            **per_million(usage),
            "write_units": table_units(usage.writes, number),
            "read_units": table_units(usage.reads, number),
            "said_again": again["total"],
            "seconds_of_a_worker": round(seconds, 4),
            "events_a_second": round(WORKERS / seconds),
            "read_units_a_summary": sum(deployed.cloud.tables.reads.values()) / READ,
            "requests_for_100_summaries": deployed.cloud.calls["dynamodb:BatchGetItem"],
            "complete": counted == min(customers, READ) * (before + each),
        }


def peak_megabytes(each: int) -> float:
    """What the worker holds at most beyond what it begins with, while a part is applied to people with many events."""
    events = [one for some in rounds(1, each) for one in some]
    with deployment(500.0) as deployed:
        deployed.open_business()
        deployed.fill(1)
        post(deployed, [events])
        tracemalloc.start()
        try:
            post(deployed, [[{**some, "class_id": "other"} for some in events[:50]]])
            return round(tracemalloc.get_traced_memory()[1] / 1e6, 1)
        finally:
            tracemalloc.stop()


def run(sizes: Sequence[int] = SIZES, regulars: int = 40) -> dict[str, Any]:
    """The figures, and whether they meet the budget."""
    few = {f"{size * FEW} events, {FEW} of each customer": measured(size, FEW) for size in sizes}
    many = measured(regulars, FEW, MANY - FEW)
    totals = [each["total"] for each in few.values()]
    figures = {**few, f"{regulars * FEW} events, of customers with {MANY}": many}
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
