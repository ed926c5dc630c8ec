"""What the looks of recurring campaigns cost: who has a birthday, and who has not come for a long time.

100,000 customers with summaries and contacts go by light calls (``large_salon``), from the sweep that wakes the look to
the campaign that it makes; CPU is that of a smaller run with botocore. What the campaign's emails cost is not in it.
"""

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, Final

from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import START, Deployment, Usage, deployment
from tests.benchmarks.large_salon import KINDS, birthday, doings, furnish
from tests.benchmarks.light_calls import light_calls, with_the_cpu_of
from tests.benchmarks.usd_per_million import cost, table_units

CUSTOMERS: Final = 100_000
QUICK: Final = {"customers": 5_000, "by_botocore": 1_000}
BAR: Final = 0.05
"""US dollars for a look at 100,000."""
MACHINE: Final = "JobStateMachine"
AFTER_DAYS: Final = 90
HOUR: Final = 3_600
NINE: Final = 2 * HOUR
"""In New York, from the beginning of the run."""
CAMPAIGN: Final[Mapping[str, Any]] = {
    "channel": "email",
    "category": "marketing",
    "content": {"subject": "Hello ##{{first_name}}", "text": "A tea is waiting for you."},
    "at": "09:00",
}
AUDIENCES: Final[Mapping[str, Mapping[str, Any]]] = {
    "birthday": {"birthday": {"days_before": 0}},
    "lost": {"lost_customer": {"after_days": AFTER_DAYS}},
}


def look(deployed: Deployment, at: float, customers: int) -> tuple[Usage, int]:
    """What the look takes that is due by then, and how many it marked."""
    deployed.cloud.now = at
    deployed.cloud.executions.clear()
    deployed.forget_usage()
    before = marks(deployed)
    deployed.invoke("sweep_timers", {})
    [given] = [what for machine, what in deployed.cloud.executions if machine == MACHINE]
    deployed.carry_out(MACHINE, given)
    return deployed.usage(customers), marks(deployed) - before


def marks(deployed: Deployment) -> int:
    """How many customers are marked."""
    rows = (row.item for row in deployed.cloud.tables.by_name["RecurringTable"].everything())
    return sum(row["entry"]["S"].startswith("mark#") for row in rows)


def looks(audience: str, customers: int, *, light: bool) -> Iterator[tuple[str, Usage, int]]:
    """The first look of the day, which also counts the last 30 days, and another."""
    with deployment() as deployed:
        with light_calls(deployed.cloud):
            deployed.open_business()
            furnish(deployed, customers)
        gc.freeze()
        with light_calls(deployed.cloud) if light else nullcontext():
            deployed.api(
                "POST", "/v1/recurring-campaigns", {"name": audience, **CAMPAIGN, "audience": AUDIENCES[audience]}
            )
            yield f"{audience}, the first of the day", *look(deployed, NINE, customers)
            if audience == "birthday":
                yield f"{audience}, each further hour", *look(deployed, NINE + HOUR, customers)


def due(audience: str, customers: int) -> int:
    """How many are due on the day."""
    day = START.date()
    if audience == "birthday":
        return sum((birthday(n).month, birthday(n).day) == (day.month, day.day) for n in range(customers))
    last = day - timedelta(days=AFTER_DAYS + 1)
    kinds = {kind for kind in range(KINDS) if doings(kind).last_visit == last}
    return sum(n % KINDS in kinds for n in range(customers))


def run(customers: int = CUSTOMERS, by_botocore: int = 2_000) -> dict[str, Any]:
    """The figures, and whether they meet the bars."""
    found: dict[str, Any] = {}
    is_right = True
    for audience in AUDIENCES:
        small = {name: usage for name, usage, _ in looks(audience, by_botocore, light=False)}
        for name, counted, marked in looks(audience, customers, light=True):
            usage = with_the_cpu_of(small[name], counted)
            is_right = is_right and marked == (0 if "further" in name else due(audience, customers))
            found[name] = {
                "usd": round(sum(cost(usage).values()), 5),
                "usd_by_service": {service: round(each, 6) for service, each in cost(usage).items() if each},
                "marked": marked,
                "read_units": table_units(usage.reads, customers),
                "write_units": usage.writes,
                "transitions": usage.transitions,
                "requests": sum(number for call, number in usage.calls.items() if call.startswith("dynamodb")),
            }
    return {
        "customers": customers,
        "looks": found,
        "short": {
            f"a look at {customers:,}, USD: {name}": f"{one['usd']:.4f} ({one['marked']} due)"
            for name, one in found.items()
        },
        "bars": {
            f"a look at {CUSTOMERS:,} under {BAR:g} USD": all(
                one["usd"] * CUSTOMERS / customers < BAR for one in found.values()
            ),
            "whoever is due is marked, and nobody twice": is_right,
        },
    }


if __name__ == "__main__":
    sys.exit(main("looks"))
