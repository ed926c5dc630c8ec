"""What is random in the twin, drawn from the seed: ids and jitter."""

import hashlib
from collections import Counter


class Story:
    """Ids and jitter of one run: same seed, same story.

    Each kind of id is numbered on its own, so that what one provider is asked does not change another's ids. Not safe
    for several threads at once: callers hold the decision lock.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._told: Counter[str] = Counter()

    def _digest(self, *parts: object) -> str:
        words = ":".join(map(str, (self._seed, *parts)))
        return hashlib.blake2b(words.encode(), digest_size=32).hexdigest()

    def _next(self, kind: str) -> str:
        self._told[kind] += 1
        return self._digest(kind, self._told[kind])

    def ses_id(self, kind: str) -> str:
        """A message id or feedback id as SES writes them: region and time, a UUID, a part number."""
        digest = self._next(kind)
        return f"0100{digest[:12]}-{_uuid(digest[12:44])}-000000"

    def twilio_sid(self, prefix: str = "SM") -> str:
        """A Twilio resource id: two letters and 32 hex digits."""
        return prefix + self._next(prefix)[:32]

    def uuid(self, kind: str) -> str:
        """A UUID, such as an SNS message id."""
        return _uuid(self._next(kind)[:32])

    def jitter(self, subject: str, step: int) -> float:
        """A factor from 0.5 up to 1.5 that belongs to one step in the life of one message."""
        return 0.5 + int(self._digest("jitter", subject, step)[:12], 16) / 16**12


def _uuid(digits: str) -> str:
    """32 hex digits as a UUID of version 4; several are made for each message, so without the uuid module."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
