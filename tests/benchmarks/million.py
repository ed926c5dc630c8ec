"""How long a million recipients take, and what holds them up: AWS's quotas against what one was measured to need.

The arithmetic is checked on a run: what it predicts for 100,000 recipients from a run with 10,000 is held against the
counts of a run with 100,000.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from rebound.campaigns.domain.chunks import CHUNK_SIZE
from rebound.kernel.channels import Channel
from rebound.sending.application.run_campaign import MOST_POLLS, WORTH_A_RANGE, wait_for_the_rest
from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import Usage, megabytes
from tests.benchmarks.usd_per_million import RATE, campaign

RECIPIENTS: Final = 1_000_000
SES_RATES: Final = (14.0, 500.0, 2_000.0)
QUICK: Final = {"measured": 4_000, "checked": 10_000}
TOLERANCE: Final = 0.05
RANGES: Final = 8
"""The template's ``ExpansionRanges``."""
TAIL_SECONDS: Final = 5.0
"""From the last send to its receipt, counted: batching windows of the receipts queue and of the stream."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit of AWS, as an account has it without asking for more."""

    limit: float
    source: str


PARTITION_WRITES: Final = Quota(1_000, "DynamoDB developer guide, 'Partitions and data distribution': units a second")
PARTITION_READS: Final = Quota(3_000, "as above")
NEW_TABLE_WRITES: Final = Quota(
    4_000, "DynamoDB developer guide, 'On-demand capacity': what a new table can do at once"
)
NEW_TABLE_READS: Final = Quota(12_000, "as above")
CONCURRENCY: Final = Quota(1_000, "Lambda developer guide, 'Lambda quotas': concurrent executions of an account")
HISTORY_EVENTS: Final = Quota(25_000, "Step Functions developer guide, 'Quotas': events of one execution")
FUNCTION_SECONDS: Final = Quota(900, "Lambda developer guide, 'Lambda quotas': timeout")

ONE_PARTITION: Final = frozenset({"CustomersTable", "CampaignsTable", "ChunksTable", "DirectoryTable"})
"""Tables where all that a campaign touches has one partition key: its business or itself. The others spread."""


def ranges_of(recipients: int) -> int:
    """How many key ranges a business with so many customers gets."""
    return max(1, min(RANGES, -(-recipients // WORTH_A_RANGE)))


def looks_of(recipients: int, rate: float) -> int:
    """How often the drain looks until everybody is handed over at an even pace."""
    seconds, looks = 0.0, 0
    while True:
        looks += 1
        handed = min(recipients, int(max(0.0, seconds) * rate))
        if handed == recipients:
            return looks
        seconds += round(wait_for_the_rest(timedelta(seconds=seconds), recipients - handed, handed).total_seconds())


def transitions_of(ranges: int, looks: int) -> int:
    """Plan and its choice, map; one for a range; two for a look and one for the wait between two; the end."""
    return 3 + ranges + 2 * looks + (looks - 1) + 1


def history_of(ranges: int, looks: int) -> int:
    """Events of the longest execution: a task has five, a map four and two for each range, everything else two."""
    looks = min(looks, MOST_POLLS)
    return 2 + 2 + 5 + 4 + ranges * (2 + 5) + looks * (5 + 2) + (looks - 1) * 2 + 5


@dataclass(frozen=True, slots=True)
class Needs:
    """What one recipient needs, from a measured run."""

    writes: Mapping[str, float]
    """Write units by table."""
    reads: Mapping[str, float]
    seconds: Mapping[str, float]
    """Of each function's time: CPU stretched to its part of one, and waiting."""

    @classmethod
    def measured(cls, usage: Usage) -> "Needs":
        """By a run."""

        def each(units: Mapping[str, float]) -> dict[str, float]:
            return {table: number / usage.recipients for table, number in units.items()}

        return cls(
            each(usage.writes),
            each(usage.reads),
            {
                function: (taken.cpu * prices.FULL_CPU_MEGABYTES / megabytes(function) + taken.waiting)
                / usage.recipients
                for function, taken in usage.invocations.items()
            },
        )

    def limits(self) -> dict[str, float]:
        """The most recipients a second that each quota lets through."""
        found: dict[str, float] = {}
        for kind, units, hot, spread in (
            ("writes", self.writes, PARTITION_WRITES, NEW_TABLE_WRITES),
            ("reads", self.reads, PARTITION_READS, NEW_TABLE_READS),
        ):
            for table, number in units.items():
                if number:
                    quota = hot if table in ONE_PARTITION else spread
                    found[f"{kind} of {table.removesuffix('Table').lower()}"] = quota.limit / number
        found["Lambda concurrency"] = CONCURRENCY.limit / sum(self.seconds.values())
        ranges = ranges_of(RECIPIENTS)
        found["expansion"] = ranges / self.seconds["expand_campaign"]
        return found


def plan(needs: Needs, recipients: int, ses_rate: float) -> dict[str, Any]:
    """How long so many recipients take at an SES rate, and what binds."""
    limits = {**needs.limits(), "SES rate": ses_rate}
    binding = min(limits, key=limits.__getitem__)
    rate = limits[binding]
    ranges, looks = ranges_of(recipients), looks_of(recipients, rate)
    return {
        "recipients_a_second": round(rate, 1),
        "binding": binding,
        "seconds": round(recipients / rate + TAIL_SECONDS),
        "hours": round((recipients / rate + TAIL_SECONDS) / 3600, 2),
        "concurrent_functions": math.ceil(rate * sum(needs.seconds.values())),
        "history_events": history_of(ranges, looks),
        "executions": -(-looks // MOST_POLLS),
        "expansion_seconds": round(recipients / ranges * needs.seconds["expand_campaign"]),
    }


def predicted(small: Usage, recipients: int, rate: float) -> dict[str, float]:
    """What a run with so many recipients is charged for, by a smaller one."""
    ranges, looks = ranges_of(recipients), looks_of(recipients, rate)
    larger = recipients / small.recipients
    return {
        "SendBulkEmail calls": recipients / CHUNK_SIZE + ranges / 2,
        "write units": sum(small.writes.values()) * larger,
        "read units": sum(small.reads.values()) * larger,
        "SQS requests": small.sqs_requests * larger,
        "state transitions": transitions_of(ranges, looks),
        "history events": history_of(ranges, looks),
    }


def counted(usage: Usage) -> dict[str, float]:
    """The same of a run."""
    return {
        "SendBulkEmail calls": usage.calls["sesv2:SendBulkEmail"],
        "write units": sum(usage.writes.values()),
        "read units": sum(usage.reads.values()),
        "SQS requests": usage.sqs_requests,
        "state transitions": usage.transitions,
        "history events": usage.longest_history,
    }


def run(measured: int = 10_000, checked: int = 100_000, ses_rates: Sequence[float] = SES_RATES) -> dict[str, Any]:
    """The plan, and whether what it is made of predicts a larger run."""
    small, large = campaign(Channel.EMAIL, measured), campaign(Channel.EMAIL, checked)
    needs = Needs.measured(small)
    expected, found = predicted(small, checked, RATE), counted(large)
    plans = {f"{rate:g} a second": plan(needs, RECIPIENTS, rate) for rate in ses_rates}
    # A look more or less is three transitions, which matters only while there are few of them.
    allowed = {"state transitions": 6, "history events": 18}
    return {
        "short": {f"at {name}, hours": f"{p['hours']} ({p['binding']})" for name, p in plans.items()},
        "plans": plans,
        "limits_recipients_a_second": {name: round(limit) for name, limit in sorted(needs.limits().items())},
        "check": {
            "recipients": checked,
            **{name: {"predicted": round(number), "counted": round(found[name])} for name, number in expected.items()},
        },
        "quotas": {
            name: {"limit": quota.limit, "source": quota.source}
            for name, quota in globals().items()
            if isinstance(quota, Quota)
        },
        "bars": {
            **{
                f"{name} predicted within {TOLERANCE:.0%}": abs(number - found[name])
                <= max(TOLERANCE * found[name], allowed.get(name, 0))
                for name, number in expected.items()
            },
            "histories within 25,000 events": all(p["history_events"] < HISTORY_EVENTS.limit for p in plans.values()),
        },
    }


if __name__ == "__main__":
    sys.exit(main("million"))
