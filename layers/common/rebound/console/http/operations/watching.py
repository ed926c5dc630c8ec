"""Operators' first page with the alarms, what a month costs, and who sends from where."""

from typing import Final

from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit
from rebound.kernel.text_senders import kind_of

PAGE: Final = 50
TABS: Final = ("", "dead-letters", "costs", "businesses", "senders", "plans", "history")
"""The parts of these pages, by their addresses behind ``operations``."""


def show(visit: Visit) -> PageAnswer:
    """The alarms, those that have gone off first."""
    queues = {alarm_of(name): name for name in visit.behind.ports.dead_letter_queues.names}
    alarms = visit.behind.read_alarms()
    return visit.page("operations", tabs=TABS, tab="", alarms=alarms, queues=queues, runbook="; see docs/runbook.md.")


def alarm_of(queue: str) -> str:
    """What the template calls the alarm of a queue's dead letters."""
    return "".join(word.capitalize() for word in queue.split("-")) + "DeadLetters"


def show_costs(visit: Visit) -> PageAnswer:
    """What this month costs so far, or the one before."""
    before = visit.request.query.one("month") == "before"
    costs = visit.behind.estimate_costs(before=before)
    return visit.page("operations_costs", tabs=TABS, tab="costs", costs=costs, before=before)


def show_senders(visit: Visit) -> PageAnswer:
    """The identities of the stack, and a page of businesses with what they may send from."""
    senders = visit.behind.read_senders(PAGE, visit.request.query.given("cursor"))
    return visit.page("operations_senders", tabs=TABS, tab="senders", senders=senders, kind_of=kind_of)
