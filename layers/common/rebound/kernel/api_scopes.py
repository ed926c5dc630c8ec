"""What an API key may do."""

from enum import StrEnum
from typing import Final

SCOPED: Final = ("business", "customers", "segments", "campaigns", "messages")
"""The resources for which a key gets a read and a write scope; each area of the API names the one it belongs to."""


class ApiScope(StrEnum):
    """What a key may do, such as ``customers:read``."""

    vars().update({f"{what}:{right}": f"{what}:{right}" for what in SCOPED for right in ("read", "write")})


ALL_SCOPES: Final = tuple(ApiScope)
