"""What is left of the text plan in this month."""

from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit


def show(visit: Visit) -> PageAnswer:
    """Used, left, and what that means."""
    business = visit.business
    now = visit.behind.read_text_plan(business) if business is not None else None
    share = 0.0 if now is None or not now.plan.included else min(1.0, now.month.used / now.plan.included)
    return visit.page("text_plan", now=now, share=share)
