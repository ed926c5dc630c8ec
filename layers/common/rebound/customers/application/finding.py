"""Finding customers by what somebody typed: what it is, by its shape, and who has all of it."""

from __future__ import annotations

from typing import Final

from rebound.customers.application.name_words import begin_all, name_words, words_of
from rebound.customers.domain import Customer, Kind, Typed, fields_of
from rebound.kernel.ids import id_of_external
from rebound.kernel.search import digits_of, ends_in, is_number, number_parts
from rebound.kernel.written_text import folded, tidied

FEWEST_DIGITS: Final = 6
"""What all spellings of a number end in alike, and the length of the shortest national ones (Andorra, the Faroes).

Runs of fewer digits are words.
"""
_AROUND: Final = "<>()[]{},;:\"'"


def read_typed(q: str) -> Typed:
    """What was typed, by its shape. Something of it must be seen (``is_unseen``)."""
    rest: list[str] = []
    addresses: dict[str, None] = {}
    for token in tidied(q).split():
        if "@" in token:
            addresses[folded_address(token.strip(_AROUND))] = None
        else:
            rest.append(token)
    words: dict[str, None] = {}
    numbers: dict[str, None] = {}
    for written, is_of_digits in number_parts(" ".join(rest)):
        if is_of_digits and len(own_digits(written)) >= FEWEST_DIGITS:
            numbers[written] = None
        else:
            words.update(dict.fromkeys(words_of(written)))
    told_apart = [word for word in words if not any(other != word and other.startswith(word) for other in words)]
    return Typed(tidied(q), tuple(told_apart), tuple(numbers), tuple(addresses))


def folded_address(email: str) -> str:
    """An email address as it is compared; a domain in letters of any script as mail has it (RFC 5891)."""
    local, at, domain = email.rpartition("@")
    if at and not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return folded(email)
    return folded(f"{local}{at}{domain}")


def own_digits(written: str) -> str:
    """The digits of a number as written, without zeros that are dialled first."""
    return digits_of(written).lstrip("0")


def is_the_number(written: str, number: str) -> bool:
    """Whether a kept number is the one that was typed (``is_number``), also without its area code."""
    return is_number(written, number) or ("+" not in written and ends_in(number, own_digits(written)))


def is_found(customer: Customer, typed: Typed) -> bool:
    """Whether everything that was typed is found of a customer, the external id apart: see ``Typed``."""
    if not (typed.words or typed.numbers or typed.addresses):
        return False
    address = folded_address(customer.email or "")
    numbers = [number for name in fields_of(Kind.PHONE) if (number := getattr(customer, name))]
    return (
        begin_all(typed.words, name_words(customer.first_name, customer.last_name))
        and all(address.startswith(each) for each in typed.addresses)
        and all(any(is_the_number(each, number) for number in numbers) for each in typed.numbers)
    )


def external_ids_typed(business_id: str, typed: Typed) -> tuple[str, ...]:
    """The ids of the customers whose external id it may be; the first that exists is the one that is meant."""
    return tuple(id_of_external(business_id, each) for each in typed.external_ids)
