"""Attempts to sign in and links, in the Directory table; each row ages out."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta
from typing import Any, Final

from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    as_read,
    expiry,
    lost_races,
    next_version,
    read_instant,
    write_instant,
)
from rebound.staff.domain import Attempt, Recent, SignInLink

ATTEMPT: Final = "#attempt#"
LINK: Final = "#link#"
BROWSER: Final = "#browser#"
RECENT: Final = "#"
"""How the partition keys begin, where others have a business id. Each such partition has one row."""
_ONE: Final = "staff-sign-in#"
_AT_ONCE: Final = timedelta()


class _OneRow(Directory):
    """Rows that are alone in their partitions."""

    kind = "staff-sign-in"

    def _find(self, partition: str) -> DirectoryRow | None:
        try:
            return self.row.get(partition, _ONE, consistent_read=True)
        except self.row.DoesNotExist:
            return None

    def _save(
        self, partition: str, document: Mapping[str, Any], expires_at: datetime, *, read: int, version: int
    ) -> None:
        """Write a row of which the version ``read`` was read, 0 for none."""
        given = {
            name: write_instant(value) if isinstance(value, datetime) else value
            for name, value in document.items()
            if value is not None
        }
        ends = expiry(expires_at, _AT_ONCE)
        row = self.row(partition, _ONE, document=given, version=version, expires_at=ends)
        with lost_races():
            row.save(condition=as_read(DirectoryRow, read))

    def _take(self, partition: str, read: int) -> None:
        """Remove a row that is as it was read."""
        with lost_races():
            self.row(partition, _ONE).delete(condition=as_read(DirectoryRow, read))


class DynamoSignInBook(_OneRow):
    """Implements ``SignInBook``."""

    def recent(self, what: str) -> Recent:
        row = self._find(RECENT + what)
        if row is None:
            return Recent(what)
        return Recent(what, list(map(read_instant, row.document["times"])), int(row.version))

    def save_recent(self, recent: Recent, ends: datetime) -> None:
        times = list(map(write_instant, recent.times))
        version = next_version(recent.version)
        self._save(RECENT + recent.what, {"times": times}, ends, read=recent.version, version=version)

    def add_browser(self, browser_hash: str, ends: datetime) -> None:
        self._save(BROWSER + browser_hash, {}, ends, read=0, version=1)

    def knows_browser(self, browser_hash: str) -> bool:
        return self._find(BROWSER + browser_hash) is not None

    def add_attempt(self, attempt: Attempt) -> None:
        self._write(attempt, read=0)

    def attempt(self, attempt_hash: str) -> Attempt | None:
        row = self._find(ATTEMPT + attempt_hash)
        if row is None:
            return None
        ends = read_instant(row.document["expires_at"])
        given = {**row.document, "expires_at": ends}
        return Attempt(**given, attempt_hash=attempt_hash, tries=int(row.version) - 1)

    def count_try(self, attempt: Attempt) -> Attempt:
        counted = replace(attempt, tries=attempt.tries + 1)
        self._write(counted, read=attempt.tries + 1)
        return counted

    def use_attempt(self, attempt: Attempt) -> None:
        self._take(ATTEMPT + attempt.attempt_hash, attempt.tries + 1)

    def _write(self, attempt: Attempt, *, read: int) -> None:
        """The version of the row is one more than the tries: such a row is made only once."""
        document = _fields(attempt, "attempt_hash", "tries")
        partition = ATTEMPT + attempt.attempt_hash
        self._save(partition, document, attempt.expires_at, read=read, version=attempt.tries + 1)

    def add_link(self, link: SignInLink) -> None:
        document = _fields(link, "link_hash")
        self._save(LINK + link.link_hash, document, link.expires_at, read=0, version=1)

    def link(self, link_hash: str) -> SignInLink | None:
        row = self._find(LINK + link_hash)
        if row is None:
            return None
        ends = read_instant(row.document["expires_at"])
        return SignInLink(**{"business_id": None, **row.document, "expires_at": ends}, link_hash=link_hash)

    def use_link(self, link: SignInLink) -> None:
        self._take(LINK + link.link_hash, 1)


def _fields(of: Attempt | SignInLink, *without: str) -> Mapping[str, Any]:
    return {name: getattr(of, name) for name in of.__struct_fields__ if name not in without}
