"""The sequences of a business: what happens by itself, and what starts it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rebound.console.http.requests import PageAnswer
from rebound.console.http.sequences.sentences import Sentences
from rebound.console.http.visits import Visit
from rebound.sequences.domain.ready_made import ready_made
from rebound.staff.domain import Right

if TYPE_CHECKING:
    from rebound.segments.domain.segments import SavedSegments


def show_list(visit: Visit) -> PageAnswer:
    """All of them, by name."""
    saved = visit.behind.sequence_service.all(visit.business_id)
    named = any(each.definition.segments for each in saved)
    say = Sentences(visit.words, names_of(visit.behind.segment_service.known(visit.business_id)) if named else {})
    rows = sorted(saved, key=lambda each: (each.name.casefold(), each.sequence_id))
    # What they are for is said to the reader; what they say to customers is in the business's language.
    ready = ready_made(visit.words.language) if visit.may(Right.SEND) else ()
    return visit.page(
        "sequences",
        ready=ready,
        rows=[(each, say.happening(each.definition.trigger)) for each in rows],
        done=just_done(visit, ("deleted",)),
    )


def just_done(visit: Visit, among: Sequence[str]) -> str:
    """What the form has done that led to this page; empty of anything else."""
    done = visit.request.query.one("done") if visit.request.method == "GET" else ""
    return done if done in among else ""


def names_of(saved: "SavedSegments") -> Mapping[str, str]:
    """What segments are called, by their ids."""
    return {each.segment_id: each.name for each in saved.segments.values()}
