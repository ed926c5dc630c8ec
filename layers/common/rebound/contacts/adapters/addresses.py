"""Reading addresses: email syntax by email-validator (RFC 5321, 5322), numbers by phonenumbers (ITU-T E.164).

Both libraries are large, and imported only when they are needed: most API requests read no address, and nearly all
email addresses are so plain that ``_PLAIN`` accepts them.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rebound.kernel.channels import MAX_EMAIL, MAX_PHONE, canonical_number
from rebound.kernel.written_text import is_one_line, tidied

if TYPE_CHECKING:
    from email_validator import EmailNotValidError
    from phonenumbers import PhoneNumber

MAX_EXTENSION: Final = 7
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
        given, text = text, tidied(text)
        # An invisible mark inside may stand for a character that is lost, and another address is a stranger's.
        if text not in given or not is_one_line(text):
            raise ValueError(
                "Must be an email address without control and invisible characters, such as ana@example.com."
            )
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

    def phone(self, text: str, country: str, *, mobile: bool = True) -> str:
        text = tidied(text)
        if not is_one_line(text):
            raise ValueError("Must be a phone number without control characters, such as +14155550123.")
        if len(text) > MAX_PHONE:
            raise ValueError(f"Must be a phone number of at most {MAX_PHONE} characters, such as +14155550123.")
        _refuse_what_a_spreadsheet_wrote(text)
        text = _EXTENSION.sub(r" ext. \1", _SCHEME.sub("", text).replace(_JAPANESE_DASH, "-"))
        number = _of_today(_read_number(text, country, mobile=mobile))
        _refuse_letters(text)
        _refuse_what_reaches_nobody(number, text, country)
        if not number.extension:
            return _e164(number)
        if mobile:
            raise ValueError("Must be a phone number without an extension.")
        if len(number.extension) > MAX_EXTENSION:
            raise ValueError(f"Must be a phone number with an extension of at most {MAX_EXTENSION} digits.")
        return f"{_e164(number)} ext. {number.extension}"


_SHORTENED: Final = re.compile(r"\+?\d(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)
_DECIMAL: Final = re.compile(r"\+?\d{5,}[.,]0+")
_EXTENSION: Final = re.compile(
    r"""
    [\s,;.(\[]* (?<![^\W\d]) (?:
        extensi[o\u00f3]n | extens[a\u00e3]o
        | extension | extn? | x | anexo | durchwahl | dw | apparat | app | nebenstelle | nst
        | poste | interno | int | ramal | toestel | tst | \u0434\u043e\u0431
    ) [\s.:=\#-]* ([0-9]+) [\s)\].]* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""An extension at the end, as offices write it in the languages of the pages."""
_SCHEME: Final = re.compile("^tel:", re.IGNORECASE)
_JAPANESE_DASH: Final = "\u30fc"
"""The sign for a long vowel, a letter, which keyboards have where others have a dash."""
_PLUS: Final = re.compile(r"[^\w+\uff0b]*[+\uff0b]")


def _refuse_what_a_spreadsheet_wrote(text: str) -> None:
    if _SHORTENED.fullmatch(text):
        raise ValueError("Was shortened by a spreadsheet, and digits are lost: format the column as text.")
    if _DECIMAL.fullmatch(text):
        raise ValueError("Was written by a spreadsheet as a decimal: leave the .0 out.")


def _read_number(text: str, country: str, *, mobile: bool) -> PhoneNumber:
    """The number that is meant. Many systems write the country code without its plus, so both readings are tried.

    The one that is valid is meant. When both are, a mobile number is meant where a mobile is asked for, else the
    national one.
    """
    national = _parsed(text, country)
    if _PLUS.match(text):
        if national is None:
            raise ValueError("Must be a phone number, such as +14155550123.")
        return national
    from phonenumbers import PhoneNumberType, is_valid_number, number_type

    abroad = _parsed(f"+{text}", None)
    valid = [number for number in (national, abroad) if number is not None and is_valid_number(number)]
    if mobile and len(valid) > 1:
        texted = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
        valid = [number for number in valid if number_type(number) in texted] or valid
    meant = valid[0] if valid else national
    if meant is None:
        raise ValueError("Must be a phone number, such as +14155550123.")
    return meant


def _parsed(text: str, country: str | None) -> PhoneNumber | None:
    import phonenumbers

    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _of_today(number: PhoneNumber) -> PhoneNumber:
    """The number in the spelling of today, where its country has stopped using the one that is given."""
    import phonenumbers

    today = canonical_number(_e164(number))
    if phonenumbers.is_possible_number(number) or today == _e164(number):
        return number
    written = phonenumbers.parse(today)
    written.extension = number.extension
    return written


def _e164(number: PhoneNumber) -> str:
    import phonenumbers

    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refuse_letters(text: str) -> None:
    """Letters would be dialled as digits, of a stranger's number."""
    if any(character.isalpha() for character in _EXTENSION.sub("", text)):
        raise ValueError("Must be a phone number without letters: put names and notes into other fields.")


def _refuse_what_reaches_nobody(number: PhoneNumber, text: str, country: str) -> None:
    import phonenumbers
    from phonenumbers import ValidationResult, shortnumberinfo

    digits = str(number.national_number)
    typed = "".join(character for character in text if character.isdigit())
    if len(set(digits)) == 1 or len(set(typed)) == 1:
        raise ValueError("Is one digit again and again, which is a placeholder: leave the field empty instead.")
    dialled = not _PLUS.match(text) and typed
    if dialled and shortnumberinfo.is_emergency_number(dialled, country):
        raise ValueError("Is an emergency number.")
    region = phonenumbers.region_code_for_number(number) or country
    if not phonenumbers.is_valid_number(number) and shortnumberinfo.is_valid_short_number_for_region(number, region):
        raise ValueError("Is a short number of a service, not a customer's.")
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.IS_POSSIBLE:
            return
        case ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            raise ValueError("Is possible only inside one town: give it with its area code.")
        case _:
            raise ValueError("Must be a possible phone number: check the country code and the number of digits.")


def _reason(error: EmailNotValidError) -> str:
    """The library's sentence, unless it repeats what was typed."""
    sentence = str(error)
    return sentence if "'" not in sentence and '"' not in sentence else "it has a part that is not allowed."
