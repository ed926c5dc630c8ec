"""What it costs to rank the customers of a business by loyalty, as a job, and how long one worker is at it.

A million customers, each with a summary and two contacts, go by light calls (``made_rows``); CPU is that of a smaller
run with botocore.
"""

import gc
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from heapq import nlargest
from typing import Any, Final

from rebound.loyalty.domain.ranking import rank_of
from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import START, Usage, deployment, megabytes
from tests.benchmarks.large_salon import KINDS, doings, furnish
from tests.benchmarks.light_calls import light_calls, with_the_cpu_of
from tests.benchmarks.peak_memory_mb import Lonely
from tests.benchmarks.usd_per_million import cost, table_units
from tests.fakes import house
from tests.fakes.making import id_of

CUSTOMERS: Final = 1_000_000
QUICK: Final = {"customers": 20_000, "by_botocore": 500, "alone": (500, 2_000)}
BAR: Final = 0.5
"""US dollars for a ranking of a million."""
LINEAR: Final = 0.1
GROWTH: Final = 0.10
TOP: Final = 100
FUNCTION: Final = "run_job"


def ranked(customers: int, *, light: bool) -> tuple[Usage, Mapping[str, int], bool]:
    """What ranking so many takes, the tiers found, and whether those on top are who should be."""
    with deployment() as deployed:
        with light_calls(deployed.cloud):
            deployed.open_business()
            furnish(deployed, customers)
        gc.freeze()
        deployed.forget_usage()
        with light_calls(deployed.cloud) if light else nullcontext():
            house.use_cases().start_ranking(deployed.business_id)
            usage = deployed.rest(customers)
            ranking = house.ports().rankings.get(deployed.business_id)
        if ranking is None:
            raise RuntimeError("the job did not come to its end")
        return usage, ranking.counts, set(ranking.top) == on_top(customers)


def on_top(customers: int) -> set[str]:
    """The best, found without the product's way of reading and keeping them."""
    # Who has a story of many sessions is on top: the number of sessions, then of visits, and then the smaller id.
    day = START.date()
    of_kind = {kind: rank_of("", doings(kind), day) for kind in range(min(KINDS, customers))}
    best = nlargest(
        TOP,
        (
            (rank.sessions, rank.visits, -int(id_of(number), 16), number)
            for number in range(customers)
            if (rank := of_kind[number % KINDS]) is not None
        ),
    )
    return {id_of(number) for *_, number in best}


def process_megabytes(customers: int) -> float:
    """The most memory of the process of the function that ranks so many."""
    with deployment() as deployed:
        with light_calls(deployed.cloud):
            deployed.open_business()
            furnish(deployed, customers)
            house.use_cases().start_ranking(deployed.business_id)
        lonely = Lonely(deployed.cloud, business_id=deployed.business_id, token=deployed.token)
        lonely.rest(customers)
        return round(lonely.peaks()[FUNCTION], 1)


def run(customers: int = CUSTOMERS, by_botocore: int = 4_000, alone: Sequence[int] = (2_000, 10_000)) -> dict[str, Any]:
    """The figures, and whether they meet the bars."""
    small, _, _ = ranked(by_botocore, light=False)
    counted, tiers, is_right = ranked(customers, light=True)
    usage = with_the_cpu_of(small, counted)
    usd = {name: round(each, 5) for name, each in cost(usage).items() if each}
    total = sum(cost(usage).values())
    taken = usage.invocations[FUNCTION]
    seconds = taken.cpu * prices.FULL_CPU_MEGABYTES / megabytes(FUNCTION) + taken.waiting
    units = {size: sum(used.reads.values()) / used.recipients for size, used in (("few", small), ("all", counted))}
    whole = {f"{size:,}": process_megabytes(size) for size in alone}
    return {
        "customers": customers,
        "usd": usd,
        "total_usd": round(total, 4),
        "read_units": table_units(usage.reads, customers),
        "write_units": usage.writes,
        "calls": usage.calls,
        "tiers": tiers,
        "customers_a_second_of_a_worker": round(customers / seconds),
        "worker_hours": round(seconds / 3600, 2),
        "megabytes_of_the_process_by_customers": whole,
        "short": {
            f"a ranking of {customers:,} customers, USD": f"{total:.3f}",
            "read units a customer": f"{units['all']:.2f}",
            "customers a second of one worker": round(customers / seconds),
            "megabytes of the process": " / ".join(map(str, whole.values())),
        },
        "bars": {
            f"a million under {BAR:g} USD": total * prices.MILLION / customers < BAR,
            "as many units for each customer whatever their number": abs(units["all"] / units["few"] - 1) < LINEAR,
            "those on top are the best": is_right,
            "every customer is of a tier or of none": sum(tiers.values()) == customers,
            f"the process's memory flat within {GROWTH:.0%}": max(whole.values()) <= min(whole.values()) * (1 + GROWTH),
        },
    }


if __name__ == "__main__":
    sys.exit(main("ranking"))
