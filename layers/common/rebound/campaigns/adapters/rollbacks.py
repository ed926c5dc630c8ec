"""Rollbacks of flags as the rows of campaigns keep them."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import asdict

from rebound.campaigns.domain.campaigns import Rollback
from rebound.platform.adapters.dynamo import read_instant, write_instant

_TIMES: Final = ("requested_at", "since", "until")
"""Fields of a rollback that are times."""


def write_rollback(rollback: Rollback | None) -> Mapping[str, Any] | None:
    """A rollback as a campaign's row keeps it."""
    if rollback is None:
        return None
    document = asdict(rollback)
    return {**document, **{name: document[name] and write_instant(document[name]) for name in _TIMES}}


def read_rollback(document: Mapping[str, Any] | None) -> Rollback | None:
    """The rollback that a campaign's row keeps."""
    if document is None:
        return None
    return Rollback(**{**document, **{name: document[name] and read_instant(document[name]) for name in _TIMES}})
