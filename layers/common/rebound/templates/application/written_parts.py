"""What somebody may write as a template's name and as the parts of its contents.

Whether what placeholders are filled in with makes of it what can be sent, ``rendering`` and ``sendable`` say.
"""

from collections.abc import Callable, Mapping
from typing import Final

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.written_text import one_line, readable
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS, EmailContent, TextContent

MAX_NAME: Final = 200
MAX_GIVEN_SUBJECT: Final = 500
"""Characters of a subject as it is posted, with placeholders."""
MAX_PART_BYTES: Final = 100_000
"""Of each part of an email: both, the lists and the filter fit a row of the table, which holds 400 KB."""
NO_BODY: Final = "Give at least one of html, text."


def name(value: str) -> str:
    """The name of a template as it is kept. Raises ``ValueError`` with a sentence for people."""
    return one_line(_of_length(value.strip(), MAX_NAME))


def subject(value: str) -> str:
    """The subject of an email itself. Raises ``ValueError`` likewise."""
    return _of_length(value, MAX_GIVEN_SUBJECT)


def part(value: str) -> str:
    """The HTML or the text of an email itself. Raises ``ValueError`` likewise."""
    readable(_of_length(value))
    if len(value.encode(errors="surrogatepass")) > MAX_PART_BYTES:
        raise ValueError(f"Must have at most {MAX_PART_BYTES} bytes in UTF-8.")
    return value


def body(value: str) -> str:
    """The body of a text itself. Raises ``ValueError`` likewise."""
    return readable(_of_length(value, MAX_TEXT_CHARACTERS))


_PARTS: Final[Mapping[str, Callable[[str], str]]] = {"subject": subject, "html": part, "text": part}


def email(given: Mapping[str, str], path: str) -> EmailContent:
    """An email of parts, of which those that are empty are none. Raises ``InvalidInputError``, below ``path``."""
    parts = {each: value for each, value in given.items() if value or each == "subject"}
    errors = [flaw for each, value in parts.items() if (flaw := flaw_of(_PARTS[each], value, f"{path}.{each}"))]
    if parts.keys() == {"subject"}:
        errors.append(FieldError(path, NO_BODY))
    if errors:
        raise InvalidInputError(*errors)
    return EmailContent(**parts)


def text(given: str, path: str) -> TextContent:
    """A text. Raises ``InvalidInputError``, below ``path``."""
    flaw = flaw_of(body, given, f"{path}.body")
    if flaw is not None:
        raise InvalidInputError(flaw)
    return TextContent(given)


def flaw_of(check: Callable[[str], str], value: str, field: str) -> FieldError | None:
    """What is wrong with a value, if anything is."""
    try:
        check(value)
    except ValueError as error:
        return FieldError(field, str(error))
    return None


def _of_length(value: str, most: int | None = None) -> str:
    if not value:
        raise ValueError("Must have at least 1 character.")
    if most is not None and len(value) > most:
        raise ValueError(f"Must have at most {most} characters.")
    return value
