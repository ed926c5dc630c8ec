"""What the steps of sequences cost, from the timer that wakes somebody to their next wait, and what it costs to wait.

Customers stand at a wait that is over; the sweep wakes them, they go on, and come to rest at the next wait, all that is
sent and told of it included. Many are due together, or each alone: then there is one in each sweep, and what a sweep
costs that finds nothing is taken off, because it runs each minute whether anybody waits or not.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from rebound.kernel.ids import derived_ulid
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, Stage
from rebound.sequences.domain.tasks import timer_of
from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import EMAIL, START, Deployment, Usage, deployment
from tests.benchmarks.usd_per_million import cost, table_units
from tests.fakes import house
from tests.fakes.making import id_of

QUICK: Final = {"many": 200, "few": 5}
SILENT: Final = 4.0
"""US dollars for a million steps that send nothing."""
A_FEW: Final = 6
"""From so many on who are due together they meet it; whoever is due alone shares requests with nobody."""
SENDING: Final = 8.0
"""For a million steps that send, where many are due together."""
MORE_ALONE: Final = 4.0
"""By how much more a step may cost that sends to one alone than a message that is asked for alone."""
MINUTE: Final = 60
GIGABYTE_MONTH: Final = 0.25
"""DynamoDB, standard class."""
ROW: Final = 100
"""Bytes that DynamoDB adds to each item."""
WAIT: Final[Mapping[str, Any]] = {"wait": {"days": 5}}
STEPS: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "a wait": [],
    "a condition about the profile": [{"if": {"tag": "vip"}, "then": []}],
    "a tag": [{"tag": {"add": "thanked"}}],
    "an email": [{"send": {"channel": "email", "category": "marketing", "content": EMAIL}}],
}
"""What comes between two waits."""
SENDING_NOTHING: Final = ("a wait", "a condition about the profile", "a tag")


def put(deployed: Deployment, between: Sequence[Mapping[str, Any]]) -> None:
    """A sequence: a wait, what comes ``between``, and a wait."""
    given = {"name": "Welcome", "trigger": {"kind": "custom", "name": "x"}, "status": "on", "reentry": "never"}
    deployed.api(
        "PUT", "/v1/sequences/welcome", {**given, "steps": [{"id": "w", **WAIT}, *between, {"id": "v", **WAIT}]}
    )


def wait_until(deployed: Deployment, wakes: Sequence[float]) -> None:
    """Customers who stand at the first wait, each until so many seconds into the run."""
    ports = house.ports()
    sequence = ports.sequences.get(deployed.business_id, "welcome")
    for number, seconds in enumerate(wakes):
        wake_at = START + timedelta(seconds=seconds)
        key = EnrolmentKey(deployed.business_id, id_of(number + 1), "welcome")
        entry = derived_ulid(START, str(number))
        ports.enrolments.enter(
            Enrolment(
                key=key,
                version=1,
                entry_key=entry,
                entered_at=START,
                standing=Stage.WAITING,
                step_id="w",
                since=START,
                wake_at=wake_at,
                uid=sequence.uid,
            ),
            None,
            once=True,
        )
        ports.timers.put([timer_of(key, wake_at)])
    deployed.cloud.tables.changes.clear()


def together(between: Sequence[Mapping[str, Any]], people: int) -> tuple[Usage, bool]:
    """What it takes where so many are due at once, and whether all came to the next wait, each once."""
    with deployment() as deployed:
        deployed.bounces_one_in = None
        deployed.open_business()
        deployed.fill(people)
        put(deployed, between)
        at = 10 * MINUTE
        wait_until(deployed, [at] * people)
        deployed.cloud.now = at - MINUTE
        deployed.forget_usage()
        deployed.invoke("sweep_timers", {})
        usage = deployed.rest(people)
        return usage, is_right(deployed, between, people)


def in_groups(between: Sequence[Mapping[str, Any]], groups: int, size: int) -> tuple[float, bool]:
    """US dollars for each where so many are due together, and nobody else; and whether all came to the next wait."""
    people = groups * size
    with deployment() as deployed:
        deployed.bounces_one_in = None
        deployed.open_business()
        deployed.fill(people + size)
        put(deployed, between)
        # The first are not counted: with them comes what a process asks for once.
        times = [(number + 1) * 20 * MINUTE for number in range(groups + 1)]
        wait_until(deployed, [at for at in times for _ in range(size)])

        def sweep(at: float) -> None:
            deployed.cloud.now = at - MINUTE
            deployed.invoke("sweep_timers", {})
            deployed.rest(size)

        sweep(times[0])
        deployed.forget_usage()
        for at in times[1:]:
            sweep(at)
        full = sum(cost(deployed.usage(people)).values())
        deployed.forget_usage()
        for _ in times[1:]:
            deployed.invoke("sweep_timers", {})
        empty = sum(cost(deployed.usage(people)).values())
        return (full - empty) / people, is_right(deployed, between, people + size)


def asked_for_alone(people: int) -> float:
    """US dollars for a message that is asked for alone."""
    with deployment() as deployed:
        deployed.bounces_one_in = None
        deployed.open_business()
        deployed.fill(people + 1)

        def ask(number: int) -> None:
            asked = {"customer_id": id_of(number + 1), "channel": "email", "category": "marketing", "content": EMAIL}
            deployed.api("POST", "/v1/messages", asked)
            deployed.rest(1)

        ask(0)
        deployed.forget_usage()
        for number in range(people):
            ask(number + 1)
        return sum(cost(deployed.usage(people)).values()) / people


def is_right(deployed: Deployment, between: Sequence[Mapping[str, Any]], people: int) -> bool:
    """Whether everybody stands at the second wait, has been sent what they should once, and is counted there."""
    found = deployed.api("GET", "/v1/sequences/welcome/results")
    by_id = {step["step_id"]: step for step in found["total"]["steps"]}
    rows = house.ports().enrolments.page(deployed.business_id, "welcome", people + 1, None).items
    messages = sum(
        sum(count for status, count in step["messages"].items() if status != "excluded")
        for step in by_id.values()
        if step["messages"]
    )
    sends = sum("send" in step for step in between)
    return (
        [row.step_id for row in rows] == ["v"] * people
        and by_id["v"]["waiting"] == people
        and messages == sends * people
    )


def of_waiting(people: int) -> Mapping[str, float]:
    """What it costs that so many wait: the sweeps' requests beside those of a stack in which nobody does, and bytes."""
    with deployment() as deployed:
        deployed.open_business()
        deployed.fill(people)
        put(deployed, [])

        def an_hour() -> float:
            deployed.forget_usage()
            for _ in range(MINUTE):
                deployed.cloud.now += MINUTE
                deployed.invoke("sweep_timers", {})
            usage = deployed.rest(1)
            return sum(usage.reads.values()) + sum(usage.writes.values())

        nobody = an_hour()
        tables = deployed.cloud.tables.by_name
        wait_until(deployed, [30 * 24 * 60 * MINUTE] * people)
        size = sum(
            sum(row.size + ROW for row in tables[name].everything()) for name in ("SequencesTable", "TimersTable")
        )
        return {
            "bytes_each": round(size / people),
            "usd_a_month_of_a_million": round(size / people * prices.MILLION / (1 << 30) * GIGABYTE_MONTH, 3),
            "units_of_an_hour_of_sweeps": an_hour(),
            "units_of_an_hour_in_which_nobody_waits": nobody,
        }


def run(many: int = 2_000, few: int = 20) -> dict[str, Any]:
    """The figures, and whether they meet the bars."""
    found: dict[str, Any] = {}
    right = True
    for name, between in STEPS.items():
        usage, is_whole = together(between, many)
        usd_alone, is_whole_alone = in_groups(between, few, 1)
        usd_in_few, is_whole_in_few = in_groups(between, few, A_FEW)
        right = right and is_whole and is_whole_alone and is_whole_in_few
        services = {service: round(usd * prices.MILLION / many, 3) for service, usd in cost(usage).items() if usd}
        found[name] = {
            "together": round(sum(cost(usage).values()) * prices.MILLION / many, 3),
            "by_service": services,
            "write_units": table_units(usage.writes, many),
            "read_units": table_units(usage.reads, many),
            "a_few_together": round(usd_in_few * prices.MILLION, 3),
            "alone": round(usd_alone * prices.MILLION, 3),
        }
    single = round(asked_for_alone(few) * prices.MILLION, 3)
    waiting = of_waiting(many)
    email = found["an email"]
    return {
        "steps": found,
        "a message that is asked for alone": single,
        "waiting": waiting,
        "short": {
            **{
                f"a million steps, USD, {many:,} together / {A_FEW} / each alone: {name}": " / ".join(
                    f"{one[how]:.2f}" for how in ("together", "a_few_together", "alone")
                )
                for name, one in found.items()
            },
            "a million messages, each asked for alone, USD": single,
            "a million who wait, USD a month": waiting["usd_a_month_of_a_million"],
        },
        "bars": {
            f"a wait, a condition, and a tag, to {many:,} or to {A_FEW} together, under {SILENT:g} USD a million": all(
                max(found[name]["together"], found[name]["a_few_together"]) < SILENT for name in SENDING_NOTHING
            ),
            f"a step that sends, to many together, under {SENDING:g}": email["together"] < SENDING,
            f"alone at most {MORE_ALONE:g} more than a message asked for alone": email["alone"] < single + MORE_ALONE,
            "who waits costs no request": waiting["units_of_an_hour_of_sweeps"]
            == waiting["units_of_an_hour_in_which_nobody_waits"],
            "everybody came to the next wait, and was sent to once": right,
        },
    }


if __name__ == "__main__":
    sys.exit(main("sequences"))
