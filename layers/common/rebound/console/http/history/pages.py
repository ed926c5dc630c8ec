"""What everybody did in a business, for its owners, and what was done to one thing, for whoever sees that."""

from collections.abc import Callable

from rebound.console.http.history.listed import ALL_KINDS, OF_OPERATORS, found, page_of_one
from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit


def show(visit: Visit) -> PageAnswer:
    """What was done in the business, the newest first."""
    return visit.page("history", **found(visit, [kind for kind in ALL_KINDS if kind not in OF_OPERATORS], "history"))


def show_campaign(visit: Visit, campaign_id: str) -> PageAnswer:
    """What was done to a campaign."""
    read = visit.behind.campaign_service.find
    return page_of_one(visit, "campaign", campaign_id, lambda: read(visit.business_id, campaign_id).name, "campaigns")


def show_recurring(visit: Visit, recurring_id: str) -> PageAnswer:
    """What was done to a recurring campaign."""
    read = visit.behind.ports.recurring.get
    name: Callable[[], str] = lambda: read(visit.business_id, recurring_id).name  # noqa: E731
    return page_of_one(visit, "recurring", recurring_id, name, "recurring")


def show_segment(visit: Visit, segment_id: str) -> PageAnswer:
    """What was done to a segment."""
    read = visit.behind.segment_service.get
    return page_of_one(visit, "segment", segment_id, lambda: read(visit.business_id, segment_id).name, "segments")


def show_sequence(visit: Visit, sequence_id: str) -> PageAnswer:
    """What was done to a sequence."""
    read = visit.behind.sequence_service.get
    return page_of_one(visit, "sequence", sequence_id, lambda: read(visit.business_id, sequence_id).name, "sequences")


def show_template(visit: Visit, template_id: str) -> PageAnswer:
    """What was done to a template, also as a layout."""
    read = visit.behind.template_service.latest
    name: Callable[[], str] = lambda: read(visit.business_id, template_id).version.name  # noqa: E731
    return page_of_one(visit, "template", template_id, name, "templates")


def show_waiver(visit: Visit, waiver_id: str) -> PageAnswer:
    """Which versions of a waiver were posted here."""
    read = visit.behind.ports.waivers.get
    return page_of_one(visit, "waiver", waiver_id, lambda: read(visit.business_id, waiver_id).waiver_id, "waivers")
