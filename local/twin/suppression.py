"""The SES account suppression list."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.twin.aws_errors import AwsError


@dataclass(frozen=True, slots=True)
class SuppressedDestination:
    """One entry, under the exact spelling in which it was put; ``updated_at`` in epoch seconds."""

    address: str
    reason: str
    updated_at: float

    def summary(self) -> dict[str, Any]:
        """The entry as the list and get calls show it."""
        return {"EmailAddress": self.address, "Reason": self.reason, "LastUpdateTime": self.updated_at}


class SuppressionList:
    """Entries that were put by hand: the twin's own bounces never add one, so that outcomes stay those of the table.

    Not safe for several threads at once: callers hold the decision lock.
    """

    MAX_PAGE = 1000

    def __init__(self) -> None:
        self._entries: dict[str, SuppressedDestination] = {}

    def put(self, address: str, reason: str, at: float) -> None:
        """Add an entry, or replace the one of the same spelling."""
        self._entries[address] = SuppressedDestination(address, reason, at)

    def get(self, address: str) -> SuppressedDestination:
        """The entry of exactly that spelling; raises NotFoundException."""
        try:
            return self._entries[address]
        except KeyError:
            raise _absent(address) from None

    def delete(self, address: str) -> None:
        """Remove the entry of exactly that spelling; raises NotFoundException."""
        self.get(address)
        del self._entries[address]

    def reason(self, address: str) -> str | None:
        """Why a message to the address is not delivered, whatever the spelling; None where it is not listed."""
        entry = self._entries.get(address) or self._entries.get(address.lower())
        return entry.reason if entry else None

    def page(
        self,
        reasons: Sequence[str],
        since: float | None,
        until: float | None,
        size: int | None,
        token: str | None,
    ) -> tuple[list[SuppressedDestination], str | None]:
        """Entries by address, and the token of the next page where there is one."""
        start = _decode(token) if token else ""
        wanted = sorted(
            (
                entry
                for entry in self._entries.values()
                if entry.address > start
                and (not reasons or entry.reason in reasons)
                and (since is None or entry.updated_at > since)
                and (until is None or entry.updated_at < until)
            ),
            key=lambda entry: entry.address,
        )
        page = wanted[: size or self.MAX_PAGE]
        return page, _encode(page[-1].address) if len(page) < len(wanted) else None


def _absent(address: str) -> AwsError:
    return AwsError("NotFoundException", f"Email address {address} does not exist on your suppression list.", 404)


def _encode(address: str) -> str:
    return base64.urlsafe_b64encode(address.encode()).decode()


def _decode(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise AwsError("InvalidNextTokenException", "The specified request includes an invalid token.") from None
