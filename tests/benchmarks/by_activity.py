"""What it costs to find whom a campaign is for by what they did: visits, of which every customer's summary has some.

One campaign asks for visits and one for names, of the same tenth of the customers; what they send is the same, so that
the difference is what asking costs. 100,000 customers go by light calls (``large_salon``), with the CPU of a smaller
run with botocore.
"""

import gc
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from rebound.activity.domain.summary import Offer, Summary, Visits
from rebound.eligibility.application import preview_audience
from rebound.kernel.channels import Channel
from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import EMAIL, START, Usage, deployment
from tests.benchmarks.large_salon import furnish
from tests.benchmarks.light_calls import light_calls, with_the_cpu_of
from tests.benchmarks.usd_per_million import RATE, cost

CUSTOMERS: Final = 100_000
QUICK: Final = {"customers": 6_000, "by_botocore": 3_000}
NAMES: Final = 97
CHOSEN: Final = 10
"""Of the names of ``large_salon``: a tenth."""
KINDS: Final = NAMES * 5
"""Different summaries."""
BAR: Final = 0.10
"""US dollars for asking about 100,000."""
HALF: Final = 0.5
"""Of a read unit: one item of at most 4 KB, eventually consistent."""
LINEAR: Final = 0.02
BY_NAME: Final[Mapping[str, Any]] = {"field": "first_name", "in": [f"Alexandra{n}" for n in range(CHOSEN)]}
BY_VISITS: Final[Mapping[str, Any]] = {"visits": {"at_least": 3, "within_days": 90, "class_id": "yoga"}}
DECIDED_BEFORE: Final[Mapping[str, Any]] = {"all": [BY_NAME, BY_VISITS]}


CAMPAIGNS: Final = (("warm", BY_VISITS), ("names", BY_NAME), ("visits", BY_VISITS), ("both", DECIDED_BEFORE))


def summary(number: int) -> Summary:
    """Ten visits in some 14 months; of who is chosen, five of yoga in the last three months."""
    today = START.date()
    is_chosen = number % NAMES < CHOSEN
    days = sorted(today - timedelta(days=(7 if is_chosen else 45) * each + 1 + number % 5) for each in range(10))
    visited = tuple(Visits(day, day, Offer("yoga", "stretching"), 1) for day in days)
    return Summary(zone="UTC", written_on=today, visited=visited, first_visit=days[0], last_visit=days[-1])


def usages(customers: int, *, light: bool) -> Mapping[str, Usage]:
    """The usage of a campaign to the same people by each filter, after one that loads what all of them need."""
    with deployment(RATE) as deployed:
        with light_calls(deployed.cloud):
            deployed.open_business("twilio", capped=False)
            furnish(deployed, customers, summary, KINDS)
        gc.freeze()
        deployed.cloud.tables.changes.clear()
        chosen = sum(number % NAMES < CHOSEN for number in range(customers))
        # So that each campaign sends as much as the others.
        deployed.bounces_one_in = None
        said = {"content": EMAIL}
        # As for more customers than whoever posts is told about at once, which asks once more.
        with (
            patch.object(preview_audience, "MOST_FORESEEN", 0),
            light_calls(deployed.cloud) if light else nullcontext(),
        ):
            return {name: deployed.run(Channel.EMAIL, chosen, said, filter_=tree) for name, tree in CAMPAIGNS}


def run(customers: int = CUSTOMERS, by_botocore: int = 5_000) -> dict[str, Any]:
    """What campaigns to a tenth of the customers cost, and what asking took.

    Those ``by_botocore`` are more than one range has, as the expansion of fewer is done by the plan.
    """
    small = usages(by_botocore, light=False)
    by = {name: with_the_cpu_of(small[name], used) for name, used in usages(customers, light=True).items()}
    names = [name for name, _ in CAMPAIGNS[1:]]
    units = {name: by[name].reads.get("ActivityTable", 0.0) for name in names}
    usd = {name: sum(cost(by[name]).values()) for name in names}
    reads = units["visits"] * prices.DYNAMODB_READ_UNIT
    return {
        "customers": customers,
        "recipients": by["visits"].recipients,
        "results": by["visits"].results,
        "batch_reads": {name: by[name].calls.get("dynamodb:BatchGetItem", 0) for name in names},
        "read_units_of_activity": units,
        "usd": {name: round(each, 5) for name, each in usd.items()},
        "usd_by_visits": {name: round(each, 6) for name, each in cost(by["visits"]).items()},
        "short": {
            f"to {by['visits'].recipients:,} of {customers:,} by visits, USD": f"{usd['visits']:.4f}",
            "the same people by name": f"{usd['names']:.4f}",
            "the summaries' read units of it": f"{reads:.4f}",
            "where names decide about nine of ten": f"{units['both'] * prices.DYNAMODB_READ_UNIT:.4f}",
        },
        "bars": {
            f"asking {CUSTOMERS:,} under {BAR:g} USD": reads * CUSTOMERS / customers < BAR,
            "half a unit for each customer": abs(units["visits"] / customers - HALF) < LINEAR,
            "no summary is read by a filter that does not ask": units["names"] == 0,
        },
    }


if __name__ == "__main__":
    sys.exit(main("by_activity"))
