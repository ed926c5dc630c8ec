"""Who is meant, and who is taken out, as the rows of campaigns keep it."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import convert, to_builtins

from rebound.campaigns.domain.campaigns import Campaign
from rebound.kernel.ids import id_of_external
from rebound.segments.domain.matching import Moment
from rebound.segments.domain.selections import Selection

_TAKEN_OUT: Final = "exclude_customer_ids"
_TAKEN_OUT_EXTERNAL: Final = "exclude_external_ids"


def write_selection(campaign: Campaign) -> Mapping[str, Any]:
    """The selection without what follows from it: customer ids are hashes of external ids, and longer than most.

    Who is taken out stands in it as well, because the index of running campaigns has it.
    """
    taken_out = {
        _TAKEN_OUT: sorted(campaign.named_to_exclude) or None,
        _TAKEN_OUT_EXTERNAL: sorted(campaign.exclude_external_ids) or None,
    }
    return _selected(campaign.selection) | {name: ids for name, ids in taken_out.items() if ids is not None}


def _selected(selection: Selection) -> dict[str, Any]:
    if selection.external_ids is not None:
        return {"segment_id": None, "filter": None, "customer_ids": None, "external_ids": selection.external_ids}
    written = {"segment_id": selection.segment_id, "filter": selection.filter, "customer_ids": selection.customer_ids}
    return written if selection.as_of is None else {**written, "as_of": to_builtins(selection.as_of)}


def read_selection(business_id: str, written: Mapping[str, Any]) -> Selection:
    """The selection that a campaign's row keeps."""
    customer_ids, external_ids = written["customer_ids"], written.get("external_ids")
    if external_ids is not None:
        found = dict.fromkeys(id_of_external(business_id, each) for each in external_ids)
        return Selection(None, None, tuple(found), tuple(external_ids))
    return Selection(
        written["segment_id"],
        written["filter"],
        None if customer_ids is None else tuple(customer_ids),
        as_of=convert(written.get("as_of"), Moment | None),
    )


def read_taken_out(written: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Our ids of those whom a campaign's row says are taken out, and the business's own."""
    return frozenset(written.get(_TAKEN_OUT, ())), frozenset(written.get(_TAKEN_OUT_EXTERNAL, ()))
