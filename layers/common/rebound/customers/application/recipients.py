"""Who gets copies of a customer's emails about appointments: how they are written, and who they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rebound.customers.domain import MOST_RECIPIENTS
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.ids import CUSTOMER_IDS, id_of_external
from rebound.kernel.written_text import is_one_line, tidied

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.contacts.ports import AddressReader
    from rebound.customers.ports import CustomerBook

MAX_RECIPIENT: Final = 320
"""Characters of one: an email address is the longest."""
_NOT_ONE: Final = f"Has up to {MOST_RECIPIENTS} ids of customers, yours or ours, and email addresses"


def is_address(recipient: str) -> bool:
    """Whether a recipient, as written or as kept, is an email address and no customer."""
    return "@" in recipient


def read_recipients(written: Sequence[str], business: Business, addresses: AddressReader) -> tuple[str, ...]:
    """The recipients as they are kept, each once: customers by our id, and email addresses as they are written.

    What has an ``@`` is an email address; of what has none, 32 hexadecimal digits are our id of a customer and all else
    is the business's. Raises ``ValueError`` with a sentence for people.
    """
    found: dict[str, str] = {}
    for each in map(tidied, written):
        recipient = _read(each, business, addresses)
        is_email = is_address(recipient)
        same = str(ContactKey.of(business.business_id, Channel.EMAIL, recipient)) if is_email else recipient
        found.setdefault(same, recipient)
    if len(found) > MOST_RECIPIENTS:
        raise ValueError(f"{_NOT_ONE}; these are {len(found)}.")
    return tuple(found.values())


def _read(written: str, business: Business, addresses: AddressReader) -> str:
    if not 0 < len(written) <= MAX_RECIPIENT or not is_one_line(written):
        raise ValueError(f"{_NOT_ONE}, each on one line.")
    if is_address(written):
        try:
            return addresses.email(written)
        except ValueError:
            raise ValueError(f"{_NOT_ONE}; “{written}” is none.") from None
    return written if CUSTOMER_IDS.fullmatch(written) else id_of_external(business.business_id, written)


def check_there_are(
    recipients: Collection[str], given: Mapping[str, Any], business_id: str, customers: CustomerBook
) -> None:
    """Refuse customers whom there are not. Nothing is read where no customer is named.

    ``given`` has the recipients as the client wrote them. Raises ``InvalidInputError``.
    """
    ids = [each for each in recipients if not is_address(each)]
    missing = set(ids).difference(customers.get_many(business_id, ids, as_of_now=True)) if ids else set()
    if missing:
        named = recipients_named(given["cc"], business_id)
        names = ", ".join(f"“{written}”" for id_, written in named.items() if id_ in missing)
        raise InvalidInputError(FieldError("cc", f"There is no customer {names}; a customer must be there first."))


def recipients_named(written: Iterable[str], business_id: str) -> dict[str, str]:
    """Those recipients who are named as customers: our id of each, and how it is written."""
    return {
        each if CUSTOMER_IDS.fullmatch(each) else id_of_external(business_id, each): each
        for each in map(tidied, written)
        if not is_address(each)
    }
