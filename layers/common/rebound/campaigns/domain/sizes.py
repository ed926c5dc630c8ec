"""Whether a row holds a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import json

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.domain.content import TemplateContent, written_said

if TYPE_CHECKING:
    from rebound.campaigns.domain.campaigns import Campaign

MOST_BYTES: Final = 380_000
"""Of what a campaign says and whom it names, as JSON in UTF-8: a row of the table holds 409,600, and has more."""


def check_fits(campaign: Campaign) -> None:
    """Refuse what is too large to be kept, by the field that takes most of it. Raises ``InvalidInputError``."""
    sizes = {name: len(json.encode(part)) for name, part in _parts(campaign).items() if part}
    size = sum(sizes.values())
    if size > MOST_BYTES:
        message = f"With all that it says and whom it names the campaign has {size} bytes; at most"
        largest = max(sizes, key=lambda name: sizes[name])
        raise InvalidInputError(FieldError(largest, f"{message} {MOST_BYTES} are allowed."))


def _parts(campaign: Campaign) -> Mapping[str, Any]:
    """What may be large, by the names of the request."""
    selection, said = campaign.selection, written_said(campaign.content)
    variants = () if campaign.split is None else campaign.split.variants
    others = [written for each in variants if each.content and (written := written_said(each.content)) != said]
    by_tier = {tier: written_said(each) for tier, each in (campaign.contents or {}).items()}
    one = "variables" if isinstance(campaign.content, TemplateContent) else "content"
    said_in = "variants" if variants else one
    return {
        "contents": by_tier,
        said_in: [said, *others],
        "filter": selection.filter,
        "customer_ids": selection.customer_ids if selection.external_ids is None else None,
        "external_ids": selection.external_ids,
        "include_customer_ids": sorted(campaign.include_customer_ids),
        "include_external_ids": sorted(campaign.include_external_ids),
        "exclude_customer_ids": sorted(campaign.named_to_exclude),
        "exclude_external_ids": sorted(campaign.exclude_external_ids),
    }
