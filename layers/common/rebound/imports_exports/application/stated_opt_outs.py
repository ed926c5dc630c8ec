"""The opt-outs that a row of an import states for its addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rebound.consent.domain.consent import ConsentEvidence
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import FieldError, InvalidInputError

if TYPE_CHECKING:
    from rebound.imports_exports.domain import ImportJob

_FIRST_OPT_OUT: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""No list of opt-outs is older, so an earlier time is a mistake."""


def checked_opt_outs(given: Mapping[str, Any], job: ImportJob) -> Mapping[Channel, Sequence[ConsentEvidence]]:
    """The opt-outs that a row states for its addresses; as of the import when the row does not say since when.

    Raises ``InvalidInputError`` with everything that is wrong.
    """
    opt_outs: dict[Channel, Sequence[ConsentEvidence]] = {}
    wrong: list[FieldError] = []
    for channel in Channel:
        name = f"{channel}_opted_out"
        scopes = {text.strip().lower() for text in given.get(name) or ()}
        if not scopes.issubset(Scope):
            wrong.append(FieldError(name, f"Must be a list of {', '.join(Scope)}."))
            continue
        try:
            at = _time(given.get(f"{name}_at"), job.created_at)
        except ValueError as error:
            wrong.append(FieldError(f"{name}_at", str(error)))
            continue
        opt_outs[channel] = [
            ConsentEvidence(at, scope, opted_out=True, source=ConsentSource.IMPORT, who=f"import {job.import_id}")
            for scope in Scope
            if scope in scopes
        ]
    if wrong:
        raise InvalidInputError(*wrong)
    return opt_outs


def _time(given: str | None, imported_at: datetime) -> datetime:
    if given is None or not given.strip():
        return imported_at
    sentence = "Must be a time as RFC 3339, such as 2024-05-01T00:00:00Z, between 2000 and the import."
    try:
        at = datetime.fromisoformat(given.strip())
    except ValueError:
        raise ValueError(sentence) from None
    if at.tzinfo is None or not _FIRST_OPT_OUT <= at <= imported_at:
        raise ValueError(sentence)
    return at.astimezone(UTC)
