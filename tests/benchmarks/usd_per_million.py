"""What a million emails and a million texts cost, counted from whole campaigns; the providers' own fees apart.

Everything that AWS charges for is counted while a campaign runs from its request to its last receipt: capacity units by
the sizes of the items, requests with what Lambda's pollers ask, state transitions, and time. Storage, the pollers of
idle queues, alarms and metrics are charged by the month whether anything is sent or not, and are left out.
"""

import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Final

from rebound.kernel.channels import Channel
from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import LAYOUT, TEMPLATE, VARIANTS, Usage, deployment, megabytes

SIZES: Final = (1_000, 10_000, 100_000)
QUICK: Final = {"sizes": (1_000, 4_000), "text_size": 500, "capped_size": 1_000, "written_size": 1_000}
RATE: Final = 500.0
BUDGET: Final = 3.0
"""US dollars for a million emails, in campaigns of whatever size."""
AS_CHEAP: Final = 0.02
"""By how much more an email may cost that is made from a layout or a template, or is one of several variants."""
SPREAD: Final = 0.10
"""How far each size's figure may be from the middle of the lowest and the highest."""
BYTES_A_GIGABYTE: Final = 1 << 30


class Written(StrEnum):
    """How what an email says is given when its campaign is posted."""

    AS_CONTENT = "content"
    AS_LAYOUT = "layout"
    AS_TEMPLATE = "template_id"
    AS_VARIANTS = "variants"


def cost(usage: Usage) -> dict[str, float]:
    """US dollars by service for the whole run."""
    invocations = usage.invocations.items()
    seconds = {
        part: sum(prices.gigabyte_seconds(*times, megabytes(name)) for name, times in spent)
        for part, spent in (
            ("cpu", [(name, (taken.cpu, 0.0)) for name, taken in invocations]),
            ("waiting", [(name, (0.0, taken.waiting)) for name, taken in invocations]),
        )
    }
    return {
        "dynamodb_writes": sum(usage.writes.values()) * prices.DYNAMODB_WRITE_UNIT,
        "dynamodb_reads": sum(usage.reads.values()) * prices.DYNAMODB_READ_UNIT,
        "sqs": usage.sqs_requests * prices.SQS_REQUEST,
        "sns": usage.provider_events * prices.SNS_PUBLISH,
        "lambda_requests": sum(taken.number for _, taken in invocations) * prices.LAMBDA_REQUEST,
        "lambda_cpu": seconds["cpu"] * prices.LAMBDA_GB_SECOND,
        "lambda_waiting": seconds["waiting"] * prices.LAMBDA_GB_SECOND,
        "step_functions": usage.transitions * prices.STATE_TRANSITION,
        "api_gateway": usage.api_requests * prices.API_GATEWAY_REQUEST,
        "eventbridge": usage.bus_events * prices.EVENTBRIDGE_EVENT,
        "cloudwatch_logs": usage.log_bytes / BYTES_A_GIGABYTE * prices.CLOUDWATCH_LOGS_GB,
    }


def per_million(usage: Usage) -> dict[str, float]:
    """US dollars by service and in total for a million recipients in campaigns of this run's size."""
    services = {name: usd * prices.MILLION / usage.recipients for name, usd in cost(usage).items()}
    return {name: round(usd, 4) for name, usd in {**services, "total": sum(services.values())}.items()}


def spread(totals: Sequence[float]) -> float:
    """How far the lowest and the highest are from their middle, as a part of it."""
    middle = (min(totals) + max(totals)) / 2
    return (max(totals) - middle) / middle


@cache
def campaign(
    channel: Channel,
    recipients: int,
    *,
    text_provider: str = "twilio",
    rate: float = RATE,
    capped: bool = False,
    written: Written = Written.AS_CONTENT,
) -> Usage:
    """The usage of one campaign to so many customers; another part that asks for the same gets the same."""
    with deployment(rate) as deployed:
        deployed.open_business(text_provider, capped=capped)
        deployed.fill(recipients)
        said: dict[str, Any] | None = None
        if written is Written.AS_LAYOUT:
            said = {"layout": LAYOUT}
        elif written is Written.AS_TEMPLATE:
            deployed.api("PUT", "/v1/templates/autumn", TEMPLATE)
            said = {"template_id": "autumn", "variables": {"price": "12.50 USD"}}
        elif written is Written.AS_VARIANTS:
            said = {"variants": VARIANTS}
        return deployed.run(channel, recipients, said)


def table_units(units: Mapping[str, float], recipients: int) -> Mapping[str, float]:
    """Units for each recipient, by table."""
    return {name.removesuffix("Table").lower(): round(number / recipients, 3) for name, number in sorted(units.items())}


def run(
    sizes: Sequence[int] = SIZES, text_size: int = 2_000, capped_size: int = 10_000, written_size: int = 10_000
) -> dict[str, Any]:
    """The figures, and whether they meet the budget."""
    emails: dict[str, Any] = {}
    for size in sizes:
        usage = campaign(Channel.EMAIL, size)
        emails[str(size)] = {
            **per_million(usage),
            "write_units": table_units(usage.writes, size),
            "read_units": table_units(usage.reads, size),
            "state_transitions": usage.transitions,
            "results": usage.results,
        }
    totals = [emails[str(size)]["total"] for size in sizes]
    texts = {
        provider: per_million(campaign(Channel.SMS, text_size, text_provider=provider))
        for provider in ("twilio", "sns")
    }
    usage = campaign(Channel.EMAIL, capped_size, capped=True)
    capped = {
        **per_million(usage),
        "write_units": table_units(usage.writes, capped_size),
        "read_units": table_units(usage.reads, capped_size),
        "results": usage.results,
    }
    from_layout, from_template, in_variants = (
        per_million(campaign(Channel.EMAIL, written_size, written=each))
        for each in (Written.AS_LAYOUT, Written.AS_TEMPLATE, Written.AS_VARIANTS)
    )
    otherwise = max(from_layout["total"], from_template["total"], in_variants["total"])
    return {
        "email": emails,
        "email_from_layout": {"recipients": written_size, **from_layout},
        "email_from_template": {"recipients": written_size, **from_template},
        "email_in_variants": {"recipients": written_size, **in_variants},
        "email_capped": {"recipients": capped_size, **capped},
        "text": {"recipients": text_size, **texts},
        "sending_rate": RATE,
        "short": {
            **{f"a million emails in campaigns of {size:,}, USD": emails[str(size)]["total"] for size in sizes},
            f"a million emails from a layout in campaigns of {written_size:,}, USD": from_layout["total"],
            f"a million emails from a template in campaigns of {written_size:,}, USD": from_template["total"],
            f"a million emails in two variants in campaigns of {written_size:,}, USD": in_variants["total"],
            f"a million capped emails in campaigns of {capped_size:,}, USD": capped["total"],
            **{f"a million texts over {provider}, USD": found["total"] for provider, found in texts.items()},
            "furthest from the middle": f"{spread(totals):.1%}",
        },
        "spread": round(spread(totals), 4),
        "bars": {
            f"email under {BUDGET:g} USD": max(*totals, otherwise) < BUDGET,
            f"from a layout or a template, or in variants, within {AS_CHEAP:.0%}": otherwise
            <= (1 + AS_CHEAP) * emails[str(written_size)]["total"],
            f"flat within {SPREAD:.0%} of the middle": spread(totals) <= SPREAD,
        },
        "notes": [
            "lambda_cpu is this machine's CPU time, stretched to a function's part of a CPU at its memory size",
            "lambda_waiting is at latencies that are assumed (tests/benchmarks/prices.py)",
            "by the month and not here: storage, idle pollers, alarms, metrics",
        ],
    }


if __name__ == "__main__":
    sys.exit(main("usd_per_million"))
