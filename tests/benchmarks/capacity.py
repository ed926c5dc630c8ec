"""DynamoDB's capacity units, counted as AWS counts them.

Source: DynamoDB developer guide, "Item sizes and formats" and "Capacity consumption": a write unit is 1 KB and a read
unit 4 KB, rounded up for each item (for a query: for the whole answer); transactions cost double, eventually consistent
reads half. A write counts the larger of the item before and after it. A condition that fails is charged as well.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

WRITE_BYTES: Final = 1024
READ_BYTES: Final = 4096

type Item = Mapping[str, Mapping[str, Any]]
"""As DynamoDB writes it: ``{"name": {"S": "…"}}``."""


def item_size(item: Item) -> int:
    """Bytes that an item counts."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number_size(content)
        case "BOOL" | "NULL":
            return 1
        case "B":
            # As base64 in JSON.
            return len(content) * 3 // 4
        case "SS":
            return sum(len(member.encode()) for member in content)
        case "NS":
            return sum(map(_number_size, content))
        case "L":
            return 3 + sum(1 + _value_size(member) for member in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(member) for name, member in content.items())
        case _:
            raise ValueError(f"the size of type {kind} is not known")


def _number_size(written: str) -> int:
    """A byte for two significant digits, one more, and one for a sign."""
    number = Decimal(written).normalize()
    digits = len(number.as_tuple().digits)
    return (digits + 1) // 2 + 1 + (number < 0)


def write_units(before: int, after: int, *, transaction: bool = False) -> int:
    """For one write of an item of so many bytes before and after; 0 where there is none."""
    return max(1, -(-max(before, after) // WRITE_BYTES)) * (2 if transaction else 1)


def read_units(sizes: Iterable[int], *, consistent: bool, transaction: bool = False) -> float:
    """For items that are read each by its key; an item that is not there counts 0 bytes and costs a unit."""
    units = sum(max(1, -(-size // READ_BYTES)) for size in sizes)
    return units * (2 if transaction else 1 if consistent else 0.5)


def query_units(total: int, *, consistent: bool) -> float:
    """For all items that a query looked at, before its filter, together."""
    return max(1, -(-total // READ_BYTES)) * (1 if consistent else 0.5)
