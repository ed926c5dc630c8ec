"""What operators did to the stack, and to a business."""

from collections.abc import Callable

from rebound.console.http.history.listed import ALL_KINDS, OF_OPERATORS, found, page_of_one
from rebound.console.http.operations.watching import TABS
from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit


def show(visit: Visit) -> PageAnswer:
    """What operators did."""
    kinds = [kind for kind in ALL_KINDS if kind in OF_OPERATORS]
    return visit.page("operations_history", tabs=TABS, tab="history", **found(visit, kinds, "operations", "history"))


def show_business(visit: Visit, business_id: str) -> PageAnswer:
    """What operators did to a business."""
    name: Callable[[], str] = lambda: visit.behind.tenant_service.get_business(business_id).name  # noqa: E731
    return page_of_one(visit, "business", business_id, name, "operations", "businesses")
