"""What happened to an address, kept as a record and as proof: statements about consent, changes of the flag, texts.

The two folds hold what is true now; no decision is based on this record beside them. Only replies are ever changed:
the decision of staff is added, and number and words are removed when the address is forgotten.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import ClassVar

from msgspec import Struct

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.replies import Reply


class ConsentStated(Struct, frozen=True):
    """A statement about consent that was the latest of its kind when we learnt of it."""

    kind: ClassVar = "consent"

    statement: ConsentEvidence

    @property
    def at(self) -> datetime:
        """When it was said."""
        return self.statement.at

    @property
    def entry_id(self) -> str:
        """The id of the statement: the same when the statement is reported again."""
        statement = self.statement
        return _digest(
            statement.scope, statement.opted_out, statement.source, statement.message_id, statement.who, statement.words
        )


class FlagChanged(Struct, frozen=True):
    """The address was flagged as invalid for a reason, or the flag was cleared (``reason`` is ``None``).

    ``at`` is the time of the failure that flagged it or of the write that cleared it; ``change_id`` is the write's id.
    """

    kind: ClassVar = "flag"

    at: datetime
    reason: str | None
    change_id: str

    @property
    def entry_id(self) -> str:
        """The id of the change: the same when the change is reported again."""
        return _digest(self.change_id, self.reason)


HistoryEntry = ConsentStated | FlagChanged | Reply


def place_of(entry: HistoryEntry) -> str:
    """Where the entry stands in the history of its address: places sort by time, and no two entries share one."""
    return place_at(entry.at, entry.kind, entry.entry_id)


def place_at(at: datetime, kind: str, entry_id: str) -> str:
    """The place of the entry with this time, kind and id."""
    return f"{moment_of(at)}#{kind}#{entry_id}"


def moment_of(at: datetime) -> str:
    """The prefix of all places of one moment."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _digest(*parts: object) -> str:
    return sha256(repr([None if part is None else str(part) for part in parts]).encode()).hexdigest()[:32]
