"""Splitting a business's customers into ranges of equal width, which random hexadecimal ids fill evenly."""

from typing import Final

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


def estimated_size(first_ids: int, last_id: str) -> int:
    """How many ids there are, when the first ``first_ids`` of them in order end with ``last_id``."""
    return first_ids * _ID_SPACE // (int(last_id, 16) + 1)
