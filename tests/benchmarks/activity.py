"""What a million events of customers cost from their request to the summary, how many a second, and what a read takes.

A million events of 100,000 customers, in no order, go the whole way through the API, the queue and the table, and
everything that AWS charges for is counted. They go by light calls; the CPU of each event is taken from a smaller run
with botocore, in whose requests no customer is twice, as hardly one is where a million are shuffled: applied together
events would be cheaper. What people with many events cost is measured on the last of their events, the dearest.
"""

import gc
import random
import sys
import tracemalloc
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from itertools import batched, islice
from statistics import median, median_low
from typing import Any, Final, NamedTuple

from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import START, Deployment, Usage, deployment, megabytes
from tests.benchmarks.light_calls import light_calls, with_the_cpu_of
from tests.benchmarks.peak_memory_mb import Lonely
from tests.benchmarks.usd_per_million import per_million, table_units
from tests.fakes import house
from tests.fakes.making import id_of

BUDGET: Final = 3.0
"""US dollars for a million events, ten of each customer."""
FEW, MANY = 10, 200
"""Events of a customer."""
CUSTOMERS: Final = 100_000
QUICK: Final = {"customers": 1_000, "regulars": 20, "by_botocore": 50, "runs": 1, "alone": (500, 1_000)}
GROWTH: Final = 0.10
"""How much more memory the worker may take for ten times as many events."""
A_REQUEST: Final = 500
FUNCTION: Final = "apply_activity"
WORKERS: Final = 50
"""``QueueConcurrency`` as the template has it."""
READ: Final = 100
"""Summaries of one request."""
TOGETHER: Final = 20
"""Requests before the queue is emptied."""
AGAIN: Final = 10_000
"""Events that are said again, word for word."""


class Figures(NamedTuple):
    """What a run took."""

    usage: Usage
    again: Usage
    """Of the last events, said again."""
    read_units_a_summary: float
    requests_for_100_summaries: int
    is_complete: bool
    """Whether every event is in its customer's summary."""


def event(number: int, customer: int) -> Mapping[str, Any]:
    """A visit within the last 400 days, as a studio's system would tell of it; the same for the same number."""
    chance = random.Random(number)  # noqa: S311 - the same in every run
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


def shuffled(customers: int, each: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Requests with so many events of each of so many customers, all in no order."""
    numbers = array("L", range(customers * each))
    random.Random(16).shuffle(numbers)  # noqa: S311 - the same in every run
    for some in batched(numbers, A_REQUEST, strict=False):
        yield [event(number, number % customers) for number in some]


def in_rounds(customers: int, turns: range) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Requests in which no customer is twice: an event of each of so many customers, in no order, and so on."""
    for turn in turns:
        of_turn = [event(turn * customers + who, who) for who in range(customers)]
        random.Random(turn).shuffle(of_turn)  # noqa: S311 - as above
        yield from batched(of_turn, A_REQUEST, strict=False)


def by_customer(customers: int, each: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Requests with all of each customer's events together, which is cheaper and not measured."""
    events = (event(turn * customers + who, who) for who in range(customers) for turn in range(each))
    yield from batched(events, A_REQUEST, strict=False)


def post(deployed: Deployment, asked: Iterable[Sequence[Mapping[str, Any]]]) -> Usage:
    """What it takes to apply the events of some requests."""
    deployed.forget_usage()
    count = 0
    usage = deployed.rest(count)
    for requests in batched(asked, TOGETHER, strict=False):
        for some in requests:
            count += len(some)
            answer = deployed.api("POST", "/v1/activity", {"events": some})
            if answer["errors"]:
                raise RuntimeError(f"refused: {answer['errors'][0]}")
            deployed.cloud.now += 1
        usage = deployed.rest(count)
    return usage


@contextmanager
def salon(customers: int, *, light: bool) -> Iterator[Deployment]:
    """A business with so many customers; light, its events go by light calls as well."""
    with deployment(500.0) as deployed:
        with light_calls(deployed.cloud):
            deployed.open_business()
            deployed.fill(customers)
        with light_calls(deployed.cloud) if light else nullcontext():
            yield deployed


def measured(deployed: Deployment, customers: int, before: int = 0, each: int = FEW) -> Figures:
    """What so many events of each of so many customers take, who have some ``before``."""
    if before:
        with light_calls(deployed.cloud):
            post(deployed, by_customer(customers, before))
    is_large = customers >= A_REQUEST * each
    asked = shuffled(customers, each) if is_large else in_rounds(customers, range(before, before + each))
    usage = post(deployed, asked)
    last = in_rounds(customers, range(before + each - 1, before + each))
    again = post(deployed, islice(last, AGAIN // A_REQUEST))
    deployed.forget_usage()
    summaries = house.ports().summaries
    summaries.get_many(deployed.business_id, [id_of(n + 1) for n in range(READ)])
    units = sum(deployed.cloud.tables.reads.values()) / READ
    requests = deployed.cloud.calls["dynamodb:BatchGetItem"]
    found = (
        summary
        for numbers in batched(range(customers), READ, strict=False)
        for summary in summaries.get_many(deployed.business_id, [id_of(n + 1) for n in numbers]).values()
    )
    return Figures(usage, again, units, requests, sum(one.classes for one in found) == customers * (before + each))


def seconds_of_a_worker(usage: Usage) -> float:
    """How long a worker is busy with an event: its part of a CPU, and waiting for AWS."""
    taken = usage.invocations[FUNCTION]
    return (taken.cpu * prices.FULL_CPU_MEGABYTES / megabytes(FUNCTION) + taken.waiting) / usage.recipients


def shown(found: Figures, by_botocore: Figures) -> Mapping[str, Any]:
    """The figures of a run by light calls, with the CPU of one by botocore."""
    usage = with_the_cpu_of(by_botocore.usage, found.usage)
    seconds = seconds_of_a_worker(usage)
    return {
        **per_million(usage),
        "write_units": table_units(usage.writes, usage.recipients),
        "read_units": table_units(usage.reads, usage.recipients),
        "said_again": per_million(with_the_cpu_of(by_botocore.again, found.again))["total"],
        "seconds_of_a_worker": round(seconds, 4),
        "events_a_second_of_a_worker": round(1 / seconds, 1),
        "events_a_second": round(WORKERS / seconds),
        "read_units_a_summary": found.read_units_a_summary,
        "requests_for_100_summaries": found.requests_for_100_summaries,
        "complete": found.is_complete,
    }


def peak_megabytes(each: int) -> float:
    """What the worker holds at most beyond what it begins with, while a part is applied to people with many events."""
    with salon(1, light=False) as deployed:
        post(deployed, by_customer(1, each))
        last = [event(number, 0) for number in range(each - 50, each)]
        tracemalloc.start()
        try:
            post(deployed, [[{**some, "class_id": "other"} for some in last]])
            return round(tracemalloc.get_traced_memory()[1] / 1e6, 1)
        finally:
            tracemalloc.stop()


def process_megabytes(events: int) -> float:
    """The most memory of the worker's whole process, in which it applies so many events one part after the other."""
    with salon(events // FEW, light=False) as deployed:
        lonely = Lonely(deployed.cloud, business_id=deployed.business_id, token=deployed.token)
        post(lonely, in_rounds(events // FEW, range(FEW)))
        return round(lonely.peaks()[FUNCTION], 1)


def run(
    customers: int = CUSTOMERS,
    regulars: int = 1_000,
    by_botocore: int = 100,
    runs: int = 5,
    alone: Sequence[int] = (1_000, 10_000),
) -> dict[str, Any]:
    """The figures, and whether they meet the budget."""
    few_by_botocore: list[Figures] = []
    for _ in range(runs):
        with salon(by_botocore, light=False) as deployed:
            few_by_botocore.append(measured(deployed, by_botocore))
    seconds = [seconds_of_a_worker(found.usage) for found in few_by_botocore]
    usual = few_by_botocore[seconds.index(median_low(seconds))]
    with salon(min(by_botocore, 40), light=False) as deployed:
        many_by_botocore = measured(deployed, min(by_botocore, 40), MANY - FEW)
    with salon(regulars, light=True) as deployed:
        many = shown(measured(deployed, regulars, MANY - FEW), many_by_botocore)
    with salon(customers, light=True) as deployed:
        gc.freeze()
        few = shown(measured(deployed, customers), usual)
    memory = peak_megabytes(MANY)
    whole = {f"{events:,}": process_megabytes(events) for events in alone}
    figures = {
        f"{customers * FEW:,} events, {FEW} of each customer": few,
        f"{regulars * FEW:,} events, of customers with {MANY}": many,
    }
    return {
        **figures,
        "by_botocore": {
            "events": by_botocore * FEW,
            "seconds_of_a_worker": [round(each, 4) for each in seconds],
            "write_units": table_units(usual.usage.writes, by_botocore * FEW),
            "read_units": table_units(usual.usage.reads, by_botocore * FEW),
        },
        "megabytes_of_a_part": memory,
        "megabytes_of_the_process_by_events": whole,
        "short": {
            **{f"USD a million: {name}": f"{each['total']:.2f}" for name, each in figures.items()},
            "USD a million, said again": f"{few['said_again']:.2f}",
            f"events a second, {WORKERS} workers": f"{few['events_a_second']} / {many['events_a_second']}",
            "slowest and fastest run's seconds of a worker to the middle": f"{max(seconds) / median(seconds):.2f} / "
            f"{min(seconds) / median(seconds):.2f}",
            "read units a summary, few and many events": f"{few['read_units_a_summary']} / "
            f"{many['read_units_a_summary']}",
            "megabytes of a part / of the process": f"{memory} / {list(whole.values())}",
        },
        "bars": {
            f"under {BUDGET} USD a million, {FEW} of each customer": few["total"] < BUDGET,
            "a hundred summaries are one request": all(
                each["requests_for_100_summaries"] == 1 for each in figures.values()
            ),
            "every event is in its summary": all(each["complete"] for each in figures.values()),
            f"the process's memory flat within {GROWTH:.0%}": max(whole.values()) <= min(whole.values()) * (1 + GROWTH),
        },
    }


if __name__ == "__main__":
    sys.exit(main("activity"))
