"""What an API key may do."""

from enum import StrEnum
from typing import Final

SCOPED: Final = ("business", "customers", "segments", "campaigns", "messages", "vouchers")
"""The resources for which a key gets a read and a write scope; each area of the API names the one it belongs to."""


class ApiScope(StrEnum):
    """What a key may do, such as ``customers:read``."""

    vars().update({f"{what}:{right}": f"{what}:{right}" for what in SCOPED for right in ("read", "write")})
    vars().update({"customers:write_as_customer": "customers:write_as_customer"})


AS_CUSTOMER: Final = ApiScope("customers:write_as_customer")
"""For a client's own portal, in which customers edit their profiles: what is written with it, the customer wrote.

It may change and confirm profiles without ``customers:write``.
"""
ALL_SCOPES: Final = tuple(ApiScope(f"{what}:{right}") for what in SCOPED for right in ("read", "write"))
"""What a key gets unless somebody says otherwise: nobody speaks for customers by chance."""


class OperatorScope(StrEnum):
    """What an operator's key may do; no key of a business has any of these, and no operator's key one of the others."""

    READ = "operator:read"
    WRITE = "operator:write"


OPERATOR_SCOPES: Final = tuple(OperatorScope)


class Realm(StrEnum):
    """Whose keys open a part of the API. A key opens the parts of its own realm alone, whatever its scopes."""

    BUSINESS = "business"
    OPERATOR = "operator"
