"""The operator's word about what texts a business may send in a month."""

from __future__ import annotations

import re
from copy import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec import Struct

from rebound.businesses.domain.text_plan import MAX_TIER, MOST_INCLUDED, TextPlan
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.retrying import retried
from rebound.kernel.written_text import is_one_line, tidied

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory

MAX_URL: Final = 500
_PRINTABLE: Final = re.compile(r"[!-~]+")
_NO_URL: Final = f"Must be an address such as https://example.com/plans, of at most {MAX_URL} characters of ASCII."


class SetTextPlan(Struct, frozen=True, kw_only=True):
    """Sets what a business may use, and takes it away: then nobody counts its texts.

    What the month has used so far stays counted, so that the plan may be raised and lowered within it.
    """

    businesses: BusinessDirectory

    def __call__(self, business_id: str, plan: TextPlan | None) -> Business:
        """Set the plan; the same again changes nothing. Raises ``NotFoundError`` and ``InvalidInputError``."""
        checked = None if plan is None else _checked(plan)

        def write() -> Business:
            business = self.businesses.get(business_id)
            if business.text_plan != checked:
                business = replace(business, text_plan=checked)
                self.businesses.replace(business)
            return business

        return retried(write)


def _checked(plan: TextPlan) -> TextPlan:
    errors: list[FieldError] = []
    if not 0 <= plan.included <= MOST_INCLUDED:
        errors.append(FieldError("included", f"Must be a whole number from 0 to {MOST_INCLUDED}."))
    tier = None if plan.tier is None else tidied(plan.tier)
    if tier is not None and not (0 < len(tier) <= MAX_TIER and is_one_line(tier)):
        errors.append(FieldError("tier", f"Must be 1 to {MAX_TIER} characters on one line."))
    if plan.upgrade_url is not None and not _is_url(plan.upgrade_url):
        errors.append(FieldError("upgrade_url", _NO_URL))
    if errors:
        raise InvalidInputError(*errors)
    return replace(plan, tier=tier)


def _is_url(written: str) -> bool:
    if len(written) > MAX_URL or not _PRINTABLE.fullmatch(written):
        return False
    try:
        parts = urlsplit(written)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
