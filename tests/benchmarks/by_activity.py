"""What it costs to find whom a campaign is for by what they did: visits, of which every customer's summary has some.

One campaign asks for visits and one for names, of the same tenth of the customers; what they send is the same, so that
the difference is what asking costs. It grows by as much with each customer that is asked about, as two sizes say; from
these follows the figure for 100,000.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import batched
from typing import Any, Final
from unittest.mock import patch

from rebound.activity.domain.summary import Offer, Summary, Visits
from rebound.eligibility.application import preview_audience
from rebound.kernel.channels import Channel
from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import EMAIL, START, Deployment, Usage, deployment
from tests.benchmarks.usd_per_million import RATE, cost
from tests.fakes import house
from tests.fakes.making import id_of

SIZES: Final = (1_000, 3_000)
QUICK: Final = {"sizes": (500, 1_000)}
NAMES: Final = 97
CHOSEN: Final = 10
"""Of the names of ``Deployment.fill``: a tenth."""
CUSTOMERS: Final = 100_000
BAR: Final = 0.10
"""US dollars for asking about all of them."""
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


def furnish(deployed: Deployment, customers: int) -> int:
    """Customers with their summaries; how many are chosen."""
    deployed.open_business("twilio", capped=False)
    deployed.fill(customers)
    for numbers in batched(range(customers), 100, strict=False):
        for number in numbers:
            house.ports().activity.save_summary(deployed.business_id, id_of(number + 1), summary(number), read=0)
    deployed.cloud.tables.changes.clear()
    return sum(number % NAMES < CHOSEN for number in range(customers))


def usages(customers: int) -> Mapping[str, Usage]:
    """The usage of a campaign to the same people by each filter, after one that loads what all of them need."""
    with deployment(RATE) as deployed:
        chosen = furnish(deployed, customers)
        # Whoever bounces is sent to again, so that each campaign sends as much as the others.
        said = {"content": EMAIL, "exclude_failed": False}
        # As for more customers than whoever posts is told about at once, which asks once more.
        with patch.object(preview_audience, "MOST_FORESEEN", 0):
            found = {name: deployed.run(Channel.EMAIL, chosen, said, filter_=tree) for name, tree in CAMPAIGNS}
    return found


def figures(customers: int) -> dict[str, Any]:
    """What the campaigns to a tenth of so many customers cost, and what asking took."""
    by = usages(customers)
    names = [name for name, _ in CAMPAIGNS[1:]]
    return {
        "recipients": by["visits"].recipients,
        "results": by["visits"].results,
        "batch_reads": {name: by[name].calls.get("dynamodb:BatchGetItem", 0) for name in names},
        "read_units_of_activity": {name: by[name].reads.get("ActivityTable", 0.0) for name in names},
        "usd": {name: round(sum(cost(by[name]).values()), 6) for name in names},
    }


def run(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """The figures by size, and what each customer more adds: from this follows what 100,000 cost."""
    small, large = (figures(size) for size in sizes)
    fewer, more = sizes

    def of_all(what: str, name: str) -> float:
        """The figure for all customers, by the two that were counted."""
        each = (large[what][name] - small[what][name]) / (more - fewer)
        return float(large[what][name] + (CUSTOMERS - more) * each)

    units = {name: of_all("read_units_of_activity", name) for name in ("names", "visits", "both")}
    usd = {name: of_all("usd", name) for name in ("names", "visits", "both")}
    reads = units["visits"] * prices.DYNAMODB_READ_UNIT
    return {
        str(fewer): small,
        str(more): large,
        "units_for_100_000": {name: round(each) for name, each in units.items()},
        "usd_for_100_000": {name: round(each, 4) for name, each in usd.items()},
        "short": {
            f"to 10,000 of 100,000 by visits, USD (from {fewer:,} and {more:,})": round(usd["visits"], 4),
            "the same people by name": round(usd["names"], 4),
            "the summaries' read units of it": round(reads, 4),
            "where names decide about nine of ten": round(units["both"] * prices.DYNAMODB_READ_UNIT, 4),
        },
        "bars": {
            f"asking {CUSTOMERS:,} under {BAR:g} USD": reads < BAR,
            "half a unit for each customer": abs(units["visits"] / CUSTOMERS - HALF) < LINEAR,
            "no summary is read by a filter that does not ask": units["names"] == 0,
        },
    }


if __name__ == "__main__":
    sys.exit(main("by_activity"))
