"""What the pages of a list cost: CPU against bare boto3, requests to DynamoDB one after the other, read units, bytes.

Each list is walked to its end in pages of some sizes, by the function that serves the API. ``seconds_on_aws`` is what a
client waits for all pages in the function: its CPU at the function's memory size and DynamoDB's answers at the assumed
latencies; the way to the client and back comes on top for each page.
"""

import gc
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from rebound.kernel.channels import Channel
from rebound.kernel.receipts import MessageKey
from rebound.platform.adapters.random_ids import RandomIds
from tests.benchmarks.__main__ import main
from tests.benchmarks.cpu_ratio import Compared
from tests.benchmarks.deployment import START, deployment, megabytes
from tests.benchmarks.prices import FULL_CPU_MEGABYTES
from tests.fakes import house
from tests.fakes.making import id_of, message

FUNCTION: Final = "serve_api"
BAR: Final = 2.0
"""Of what the calls take: each item becomes a record, a shape and JSON besides."""
SIZES: Final = (100, 1000)
QUICK: Final = {"customers": 1_100, "repetitions": 1}


def lists(campaign_id: str) -> Mapping[str, str]:
    """The path of each list by what it has."""
    return {
        "customers": "/v1/customers",
        "customers with a failed contact": "/v1/customers?failed=any",
        "messages of a campaign": f"/v1/campaigns/{campaign_id}/messages",
        "messages of a customer": f"/v1/customers/{id_of(1)}/messages",
    }


def walk(deployed: Compared, path: str, limit: int) -> tuple[int, int, int]:
    """The pages, items and bytes of a list."""
    pages = items = size = 0
    more = ""
    while True:
        page = deployed.api("GET", f"{path}{'&' if '?' in path else '?'}limit={limit}{more}")
        pages, items, size = pages + 1, items + len(page["items"]), size + len(json.dumps(page))
        if page["next_cursor"] is None:
            return pages, items, size
        more = f"&cursor={page['next_cursor']}"


def cost(deployed: Compared, path: str, limit: int, repetitions: int) -> Mapping[str, Any]:
    """What a walk costs: the least of some."""
    walk(deployed, path, limit)
    product, bare = list[float](), list[float]()
    for _ in range(repetitions):
        deployed.forget_usage()
        deployed.forget_comparison()
        gc.collect()
        pages, items, size = walk(deployed, path, limit)
        product.append(deployed.product[FUNCTION])
        bare.append(deployed.bare[FUNCTION])
    waiting = deployed.invoked[FUNCTION].waiting
    return {
        "pages": pages,
        "items": items,
        "kilobytes": round(size / 1000),
        "dynamodb_requests": deployed.made[FUNCTION],
        "read_units": round(sum(deployed.cloud.tables.reads.values())),
        "milliseconds": round(min(product) * 1000, 1),
        "ratio": round(min(product) / min(bare), 2),
        "seconds_on_aws": round(min(product) * FULL_CPU_MEGABYTES / megabytes(FUNCTION) + waiting, 2),
    }


def run(customers: int = 3_100, repetitions: int = 3) -> dict[str, Any]:
    """The costs by list and size of its pages."""
    with deployment() as plain:
        deployed = Compared(plain.cloud, functions=(FUNCTION,))
        deployed.open_business()
        deployed.fill(customers)
        deployed.run(Channel.EMAIL, customers)
        (campaign,) = deployed.api("GET", "/v1/campaigns")["items"]
        _write_to_one(deployed, customers)
        found = {
            f"{name}, {limit} a page": cost(deployed, path, limit, repetitions)
            for name, path in lists(campaign["campaign_id"]).items()
            for limit in SIZES
        }
    return {
        **found,
        "short": {
            name: f"{each['pages']} × {each['milliseconds'] / each['pages']:.0f} ms, {each['ratio']}"
            for name, each in found.items()
        },
        "bars": {f"{name}: CPU at most {BAR} of its calls": each["ratio"] <= BAR for name, each in found.items()},
    }


def _write_to_one(deployed: Compared, messages: int) -> None:
    """Messages to the first customer, so that lists of one customer have as many items as the others."""
    customer_id, ids = id_of(1), RandomIds()
    keys = [MessageKey(deployed.business_id, customer_id, ids.ulid(START)) for _ in range(messages)]
    house.ports().messages.record([message(key=key, queued_at=START) for key in keys])


if __name__ == "__main__":
    sys.exit(main("pages"))
