"""A clock that stands until it is moved, ids that are the same in every run, and addresses read without libraries."""

import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

import time_machine

from tests.fakes.making import NOON

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_COUNTRY_CODES: Final = {"US": "1", "PT": "351", "GB": "44", "DE": "49"}


PLACES: Final[Mapping[str, frozenset[str]]] = {
    "+1212": frozenset({"America/New_York"}),
    "+1312": frozenset({"America/Chicago"}),
    "+1415": frozenset({"America/Los_Angeles"}),
    "+1808": frozenset({"Pacific/Honolulu"}),
    "+1907": frozenset({"America/Adak", "America/Juneau"}),
    "+33": frozenset({"Europe/Paris"}),
    "+44": frozenset({"Europe/London"}),
}


def known_whereabouts(number: str) -> frozenset[str]:
    """Implements ``Whereabouts`` for a few prefixes."""
    return next((zones for prefix, zones in PLACES.items() if number.startswith(prefix)), frozenset())


class FakeClock:
    """Implements ``Clock``."""

    def __init__(self, at: datetime = NOON) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def wait(self, duration: timedelta) -> None:
        self.move(duration)

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by

    def move_to(self, at: datetime) -> None:
        """Let time pass until ``at``; never back."""
        self._now = max(self._now, at)


class MachineClock(FakeClock):
    """The clock of this machine while it is entered: whoever asks for the time in this process, a library too, is told.

    The monotonic clock goes on.
    """

    def __enter__(self) -> Self:
        # As a number, since a time that has a zone would set the machine's zone as well.
        self._travel = time_machine.travel(self.now().timestamp(), tick=False)
        self._traveller = self._travel.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._travel.stop()

    def move(self, by: timedelta) -> None:
        super().move(by)
        self._traveller.shift(by)

    def move_to(self, at: datetime) -> None:
        self.move(max(at - self.now(), timedelta()))


class CountingPatience:
    """Implements ``Patience``: does not wait, and remembers how often it would have."""

    def __init__(self) -> None:
        self.attempts: list[int] = []

    def wait(self, attempt: int) -> None:
        self.attempts.append(attempt)


class SeededIds:
    """Implements ``Ids``."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same in every run
        self._count = 0

    def ulid(self, at: datetime) -> str:
        self._count += 1
        milliseconds = int(at.timestamp() * 1000)
        return _base32(milliseconds, 10) + _base32(self._count, 16)

    def customer_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def secret(self) -> str:
        return f"secret-{self._random.getrandbits(256):064x}"


def _base32(number: int, digits: int) -> str:
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(digits)))


class PlainAddressReader:
    """Implements ``AddressReader`` for plain addresses and the numbers of four countries."""

    def email(self, text: str) -> str:
        if not re.fullmatch(r"[\x21-\x7e]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text.strip()) or ".." in text:
            raise ValueError("Must be an email address, such as ana@example.com.")
        local, _, domain = text.strip().rpartition("@")
        if "@" in local:
            raise ValueError("Must be an email address, such as ana@example.com.")
        return f"{local}@{domain.lower()}"

    def country(self, text: str) -> str:
        if text.strip().upper() not in _COUNTRY_CODES:
            raise ValueError("Must be a country as two letters, such as US.")
        return text.strip().upper()

    def phone(self, text: str, country: str) -> str:
        digits = re.sub(r"[ ().-]", "", text.strip())
        if not re.fullmatch(r"\+?[0-9]{7,15}", digits):
            raise ValueError("Must be a phone number, such as +14155550123.")
        if digits.startswith("+"):
            return digits
        if country not in _COUNTRY_CODES:
            raise ValueError("Must be a possible phone number: check the country code and the number of digits.")
        return f"+{_COUNTRY_CODES[country]}{digits.lstrip('0')}"
