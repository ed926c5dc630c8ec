"""The settings of a business as a stored document: ``Business`` as msgspec writes it, except for two settings."""

from collections.abc import Mapping
from datetime import time
from typing import Any, Final

from msgspec import convert, to_builtins
from msgspec.structs import asdict

from rebound.businesses.domain.business import Bundle, Business
from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.contacts.domain.reachability import STANDARD_POLICY, ReachabilityPolicy, counts_of, policy_of
from rebound.kernel.categories import Category


def write_policy(policy: ReachabilityPolicy) -> Mapping[str, Any]:
    """The stored form of a policy. A preset is stored by name only, and so means whatever its name means now."""
    return {"preset": policy.preset, "counts": counts_of(policy)}


def read_policy(document: Mapping[str, Any] | None) -> ReachabilityPolicy:
    """The policy from its stored form; settings older than policies have ``None``, which means the standard policy."""
    return STANDARD_POLICY if document is None else policy_of(document["preset"], document["counts"])


OLDER_BASIC: Final = frozenset({Bundle.MARKETING})
"""What the basic bundle was, before bulk email was limited."""
_BESIDE: Final = ("business_id", "version")
"""Fields that are attributes of the row, outside its document."""


def write_settings(business: Business) -> dict[str, Any]:
    """The document of a business's settings."""
    windows = asdict(business.quiet_hours).items()
    own_form = {
        "bundles": sorted(business.bundles),
        "policy": write_policy(business.policy),
        "quiet_hours": {channel: _write_window(window) for channel, window in windows},
    }
    settings = asdict(business).items()
    written: dict[str, Any] = {}
    for name, value in settings:
        if name == "bundles":
            # For functions of the version before, which run for some seconds more while this one takes their place.
            written["bundle"] = business.bundle
        if name not in _BESIDE:
            written[name] = own_form[name] if name in own_form else to_builtins(value)
    return written


def read_settings(document: Mapping[str, Any], business_id: str, version: int) -> Business:
    """The business from its document; a setting or option that is not in the document gets its default."""
    windows = document.get("quiet_hours", {}).items()
    own_form = {
        "bundles": _read_bundles(document),
        "policy": read_policy(document.get("policy")),
        "quiet_hours": QuietHours(**{channel: _read_window(window) for channel, window in windows}),
    }
    return convert({**document, **own_form, "business_id": business_id, "version": version}, Business)


def _read_bundles(document: Mapping[str, Any]) -> frozenset[Bundle]:
    """What is booked; settings older than the set of bundles are of businesses that have marketing."""
    if "bundles" in document:
        return frozenset(map(Bundle, document["bundles"]))
    return frozenset(Bundle) if document.get("bundle", Bundle.PREMIUM) == Bundle.PREMIUM else OLDER_BASIC


def _write_window(window: QuietWindow | None) -> Mapping[str, Any] | None:
    if window is None:
        return None
    return {"from": f"{window.start:%H:%M}", "until": f"{window.end:%H:%M}", "categories": sorted(window.categories)}


def _read_window(document: Mapping[str, Any] | None) -> QuietWindow | None:
    if document is None:
        return None
    return QuietWindow(
        time.fromisoformat(document["from"]),
        time.fromisoformat(document["until"]),
        frozenset(map(Category, document["categories"])),
    )
