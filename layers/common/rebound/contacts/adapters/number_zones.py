"""In which time zones a phone number may be, by libphonenumber's map of prefixes (``number_zones.csv``).

Loaded only when a place is asked for: the map and the metadata of numbers take some 50 ms.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import phonenumbers

REMEMBERED: Final = 4096


@lru_cache(maxsize=REMEMBERED)
def zones_of_number(number: str) -> frozenset[str]:
    """Implements ``Whereabouts``.

    A number that belongs to a place (in North America also a mobile, by its area code) may be in that place's zones.
    Any other number, or one of unknown type, may be in any zone of its country code. People who move keep their number:
    a business that knows better enters the customer's time zone.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return frozenset()
    code = str(parsed.country_code)
    by_prefix = _zones_by_prefix()
    kind = phonenumbers.number_type(parsed)
    if not phonenumbers.is_number_type_geographical(kind, parsed.country_code or 0):
        return by_prefix.get(code, frozenset())
    digits = f"{code}{phonenumbers.national_significant_number(parsed)}"
    lengths = range(len(digits), len(code) - 1, -1)
    return next((by_prefix[digits[:n]] for n in lengths if digits[:n] in by_prefix), frozenset())


@cache
def _zones_by_prefix() -> Mapping[str, frozenset[str]]:
    text = Path(__file__).with_name("number_zones.csv").read_text(encoding="utf-8")
    rows = (line.split(",") for line in text.splitlines() if line[:1].isdigit())
    return {prefix: frozenset(zones.split(" ")) for prefix, zones in rows}
