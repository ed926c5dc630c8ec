"""Ids: ULIDs, which begin with the milliseconds since 1970 and sort by them, and equal ranges of customers' ids."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from rebound.kernel.written_text import tidied

BASE32: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's alphabet."""
TIME_DIGITS: Final = 10
ULID_DIGITS: Final = 26
CUSTOMER_IDS: Final = re.compile(r"[0-9a-f]{32}")
"""Matches every customer id."""
ULIDS: Final = re.compile(rf"[{BASE32}]{{{ULID_DIGITS}}}")
"""Matches every ULID."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_RANDOM_BITS: Final = 80


def time_of(ulid: str) -> datetime:
    """The millisecond in which a ULID was made. Raises ``ValueError`` when the text is no ULID."""
    if len(ulid) < TIME_DIGITS:
        raise ValueError("not a ULID")
    milliseconds = 0
    for digit in ulid[:TIME_DIGITS]:
        milliseconds = milliseconds << 5 | BASE32.index(digit)
    return _EPOCH + milliseconds * _MILLISECOND


def behind_all_of(at: datetime) -> str:
    """A key that sorts after every ULID of the millisecond of ``at`` and before every ULID of a later millisecond."""
    milliseconds = (at - _EPOCH) // _MILLISECOND
    return "".join(BASE32[milliseconds >> shift & 31] for shift in range(5 * (TIME_DIGITS - 1), -5, -5)) + "~"


def id_of_external(business_id: str, external_id: str) -> str:
    """The customer id for a business's own id of a customer: who has an ``external_id`` has this id, and nobody else.

    So it is found without a read, and created twice it is one customer. Hashes spread as evenly as random ids do; the
    key ranges of expansion rely on that.
    """
    return sha256(f"{business_id}\x1f{tidied(external_id)}".encode(errors="surrogatepass")).hexdigest()[:32]


def derived_ulid(at: datetime, name: str) -> str:
    """The ULID of what happened at ``at`` and is called ``name``: the same each time that it is made.

    ``name`` takes the place of the 80 random bits, by its hash.
    """
    number = (at - _EPOCH) // _MILLISECOND << _RANDOM_BITS | int.from_bytes(sha256(name.encode()).digest()[:10])
    return "".join(BASE32[number >> shift & 31] for shift in range(5 * (ULID_DIGITS - 1), -5, -5))


MAX_RANGES: Final = 256
_ID_SPACE: Final = 1 << 128
_DIGITS: Final = 32


def bounds(index: int, ranges: int) -> tuple[str, str]:
    """First and last customer id (32 hexadecimal digits, both inclusive) of range ``index`` out of ``ranges``."""
    if not 0 <= index < ranges <= MAX_RANGES:
        raise ValueError(f"range {index} of {ranges}: needs 0 <= index < ranges <= {MAX_RANGES}")
    first = _ID_SPACE * index // ranges
    last = _ID_SPACE * (index + 1) // ranges - 1
    return f"{first:0{_DIGITS}x}", f"{last:0{_DIGITS}x}"


def range_of(id_: str, ranges: int) -> int:
    """The index of the range, of so many, that an id is in (``bounds``)."""
    return (int(id_, 16) * ranges + ranges - 1) // _ID_SPACE if ranges > 1 else 0


def range_name(kind: str, index: int) -> str:
    """The sort key of the ``kind`` of row that is kept for a range; names sort in the order of the ranges."""
    return f"{kind}#{index:03d}"


def part_name(kind: str, index: int, number: int) -> str:
    """The sort key of one of the numbered parts of a range; names sort by range, then by number."""
    return f"{range_name(kind, index)}#{number:07d}"


def estimated_size(first_ids: int, last_id: str) -> int:
    """An estimate of how many ids there are, when ``last_id`` is the last of the first ``first_ids`` in order."""
    return first_ids * _ID_SPACE // (int(last_id, 16) + 1)
