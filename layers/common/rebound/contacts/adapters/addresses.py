"""Reading addresses: email syntax by email-validator (RFC 5321, 5322), numbers by phonenumbers (ITU-T E.164).

Both libraries are large, and imported only when they are needed: most API requests read no address, and nearly all
email addresses are so plain that ``_PLAIN`` accepts them.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from email_validator import EmailNotValidError

MAX_EMAIL: Final = 254
MAX_PHONE: Final = 32
_PLAIN: Final = re.compile(
    r"""
    (?=[^@]{1,64}@) [a-z0-9!\#$%&'*+/=?^_`{|}~-]+ (?:\.[a-z0-9!\#$%&'*+/=?^_`{|}~-]+)*
    @ (?!.*--) (?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+ (?!(?:arpa|invalid|local|localhost|onion)$) [a-z]{2,63}
    """,
    re.VERBOSE,
)
"""What the library would accept unchanged: lower-case ASCII, no internationalised or special-use domain."""


class LibraryAddressReader:
    """Implements ``AddressReader``."""

    def email(self, text: str) -> str:
        if not text.isprintable():
            raise ValueError("Must be an email address without control characters, such as ana@example.com.")
        text = text.strip()
        if len(text) > MAX_EMAIL:
            raise ValueError(f"Must be an email address of at most {MAX_EMAIL} characters, such as ana@example.com.")
        if _PLAIN.fullmatch(text):
            return text
        from email_validator import EmailNotValidError, EmailSyntaxError, EmailUndeliverableError, validate_email

        try:
            # Test environment: we accept addresses under domains reserved for examples like any others.
            address = validate_email(
                text, check_deliverability=False, test_environment=True, allow_smtputf8=False, strict=True
            )
        except (EmailSyntaxError, EmailUndeliverableError, EmailNotValidError) as error:
            raise ValueError(f"Must be an email address, such as ana@example.com: {_reason(error)}") from None
        return address.ascii_email or address.normalized

    def country(self, text: str) -> str:
        import phonenumbers

        country = text.strip().upper()
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("Must be a country as two letters, such as US (ISO 3166-1 alpha-2).")
        return country

    def phone(self, text: str, country: str) -> str:
        if not text.isprintable():
            raise ValueError("Must be a phone number without control characters, such as +14155550123.")
        if len(text) > MAX_PHONE:
            raise ValueError(f"Must be a phone number of at most {MAX_PHONE} characters, such as +14155550123.")
        import phonenumbers

        try:
            number = phonenumbers.parse(text, country)
        except phonenumbers.NumberParseException:
            raise ValueError("Must be a phone number, such as +14155550123.") from None
        if number.extension:
            raise ValueError("Must be a phone number without an extension.")
        if not phonenumbers.is_possible_number(number):
            raise ValueError("Must be a possible phone number: check the country code and the number of digits.")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _reason(error: EmailNotValidError) -> str:
    """The library's sentence, unless it repeats what was typed."""
    sentence = str(error)
    return sentence if "'" not in sentence and '"' not in sentence else "it has a part that is not allowed."
