"""What was done is written down once it was done, and never twice.

A line of the log comes first, by ids alone, then the entry of the audit log, which has addresses and names as well. So
a business's history has nothing that was not done. What was done stays done if the entry cannot be written: the answer
is the same, the log has an error with the ids, and ``AuditEntriesNotWritten`` counts it.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from rebound.console.http.visits import Done
from rebound.platform.telemetry import count, flush_counts, logger, place_of

if TYPE_CHECKING:
    from rebound.console.domain.deeds import Deed
    from rebound.console.http.requests import PageAnswer
    from rebound.console.http.routes import Route
    from rebound.console.http.visits import Visit


def write_down(route: "Route", visit: "Visit", ids: Sequence[str], answer: "PageAnswer") -> None:
    """Write down what a form has done, if it has done anything."""
    member, has_led_on = visit.member, answer.status == HTTPStatus.SEE_OTHER
    found = _done(route, visit, answer)
    if found is None and not (has_led_on and not route.does):
        return
    did = str(found[0]) if found is not None else route.handler
    member_id = member.member_id if member is not None else None
    logger().info("done in the console", did=did, member_id=member_id, ids=list(ids))
    if found is None or member is None:
        return
    deed, done = found
    object_id = done.object_id or (ids[0] if ids else None)
    try:
        visit.behind.audit_log.write(
            member, deed, object_id=object_id, name=done.name, details=done.details, once=done.once
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, what was done is done
        logger().error(
            "done in the console, and not in the audit log",
            did=did,
            member_id=member_id,
            object_id=object_id,
            error=type(error).__name__,
            place=place_of(error),
        )
        count("AuditEntriesNotWritten")
        flush_counts()


def _done(route: "Route", visit: "Visit", answer: "PageAnswer") -> tuple["Deed", Done] | None:
    """What was done: what the handler says, or else the one thing that the route does, if that led on."""
    if visit.is_nothing_done or answer.status >= HTTPStatus.BAD_REQUEST:
        return None
    done = visit.done
    if done is None:
        if len(route.does) != 1 or answer.status != HTTPStatus.SEE_OTHER:
            return None
        done = Done(None, None, None, {}, once=False)
    return done.deed or route.does[0], done
