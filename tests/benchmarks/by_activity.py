"""What it costs to find whom a campaign is for by what they did: visits, of which every customer's summary has some.

One campaign asks for visits and one for names, of the same tenth of the customers; what they send is the same, so that
the difference is what asking costs. It grows with the customers that are asked about: the figure for 100,000 is that
for one times as many, and two sizes say whether that holds.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import batched
from typing import Any, Final

from rebound.activity.domain.summary import Offer, Summary, Visits
from rebound.kernel.channels import Channel
from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import START, Deployment, Usage, deployment
from tests.benchmarks.usd_per_million import RATE, cost
from tests.fakes import house
from tests.fakes.making import id_of

SIZES: Final = (6_000, 12_000)
"""More than those for whom a post foresees whom it reaches (``MOST_FORESEEN``), which asks once more."""
QUICK: Final = {"sizes": (500, 1_000)}
NAMES: Final = 97
CHOSEN: Final = 10
"""Of the names of ``Deployment.fill``: a tenth."""
CUSTOMERS: Final = 100_000
BAR: Final = 0.10
"""US dollars for asking about all of them."""
LINEAR: Final = 0.02
BY_NAME: Final[Mapping[str, Any]] = {"field": "first_name", "in": [f"Alexandra{n}" for n in range(CHOSEN)]}
BY_VISITS: Final[Mapping[str, Any]] = {"visits": {"at_least": 3, "within_days": 90, "class_id": "yoga"}}
DECIDED_BEFORE: Final[Mapping[str, Any]] = {"all": [BY_NAME, BY_VISITS]}


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
    """The usage of a campaign to the same people by each filter."""
    found = {}
    for name, tree in (("names", BY_NAME), ("visits", BY_VISITS), ("both", DECIDED_BEFORE)):
        with deployment(RATE) as deployed:
            chosen = furnish(deployed, customers)
            found[name] = deployed.run(Channel.EMAIL, chosen, filter_=tree)
    return found


def figures(customers: int) -> dict[str, Any]:
    """What asking about visits costs on top, for each customer that is asked about."""
    by = usages(customers)
    usd = {name: sum(cost(usage).values()) for name, usage in by.items()}
    more = {name: usd[name] - usd["names"] for name in ("visits", "both")}
    return {
        "recipients": by["visits"].recipients,
        "results": by["visits"].results,
        "requests": {name: usage.calls.get("dynamodb:BatchGetItem", 0) for name, usage in by.items()},
        "read_units_of_activity": {name: usage.reads.get("ActivityTable", 0.0) for name, usage in by.items()},
        "usd": {name: round(each, 5) for name, each in usd.items()},
        "usd_more_for_100_000": {name: round(each * CUSTOMERS / customers, 4) for name, each in more.items()},
        "reads_usd_for_100_000": round(
            by["visits"].reads.get("ActivityTable", 0.0) * prices.DYNAMODB_READ_UNIT * CUSTOMERS / customers, 4
        ),
    }


def run(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """The figures by size, and whether they grow with the customers and stay under the bar."""
    found = {str(size): figures(size) for size in sizes}
    each = [found[str(size)]["read_units_of_activity"]["visits"] / size for size in sizes]
    largest = found[str(sizes[-1])]
    asked = largest["usd_more_for_100_000"]["visits"]
    return {
        **found,
        "short": {
            f"asking 100,000 customers about visits, USD (from {sizes[-1]:,})": asked,
            "of it read units": largest["reads_usd_for_100_000"],
            "where names decide about nine of ten": largest["usd_more_for_100_000"]["both"],
        },
        "bars": {
            f"asking {CUSTOMERS:,} under {BAR:g} USD": asked < BAR,
            f"as much for each customer within {LINEAR:.0%}": max(each) <= min(each) * (1 + LINEAR),
            "no summary is read by a filter that does not ask": largest["read_units_of_activity"]["names"] == 0,
        },
    }


if __name__ == "__main__":
    sys.exit(main("by_activity"))
