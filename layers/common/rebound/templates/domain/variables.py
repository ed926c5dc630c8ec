"""Variables that a template declares: which there are, what a client may give for them, and what a recipient reads.

Nothing is empty by mistake: where nothing is given, the variable's default stands, and where it has none and is
required, nothing is sent. A variable of the customer's or the business's may be declared as well, to make it required
or to give it a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from rebound.customers.domain import COUNTED_FIELDS, PROFILE, Kind
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.languages import LANGUAGES, LAST_RESORT
from rebound.kernel.placeholders import SAMPLE_VALUES, VOUCHER_VARIABLES
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.typed_values import Reader, VariableType, allowed, checked, is_empty, sample, written

MOST_VARIABLES: Final = 50
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
"""The name of a variable: ``##{{name}}``."""
_BAD_NAME: Final = "The name of a variable is a letter and up to 63 letters, digits and _."
_OF_THE_BUSINESS: Final = ("business_name", "postal_address")
_TYPES_OF_KNOWN: Final[Mapping[str, tuple[VariableType, ...]]] = {
    **{
        name: (VariableType.TEXT, VariableType.DATE) if row.kind is Kind.DATE else (VariableType.TEXT,)
        for name, row in PROFILE.items()
        if row.placeholder and row.kind is not Kind.TAGS
    },
    **dict.fromkeys((*COUNTED_FIELDS, "full_name", *_OF_THE_BUSINESS), (VariableType.TEXT,)),
}
"""As what the variables that every template has may be declared."""


class Variable(Struct, frozen=True):
    """A variable that a template declares.

    ``default`` and ``example`` are as the client wrote them, in JSON; ``None`` for none. The default is used where
    nothing is given, the example in previews. ``texts`` are those of cases, by a word for each and by language: where
    such a word is given, its text stands.
    """

    type: VariableType = VariableType.TEXT
    required: bool = False
    default: Any = None
    example: Any = None
    texts: Mapping[str, Mapping[str, str]] | None = None


MOST_CASES: Final = 20
WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""The word for a case. A value that looks like one and is none is a mistake; any other is a text of its own."""
_NO_WORD: Final = "The word for a case is a small letter and up to 39 of a–z, 0–9 and _."

Declared = Mapping[str, Variable]
"""The variables of a template by name."""


class Filled(Struct, frozen=True):
    """What each declared variable says to one reader; ``missing`` names those that are required and say nothing."""

    values: Mapping[str, str]
    missing: tuple[str, ...] = ()


def check_declared(declared: Declared, field: str = "variables") -> None:
    """Refuse variables that nobody could fill in. Raises ``InvalidInputError`` about each, below ``field``."""
    errors = [error for name, variable in declared.items() for error in _flaws_of(f"{field}.{name}", name, variable)]
    if len(declared) > MOST_VARIABLES:
        errors.insert(0, FieldError(field, f"Has {len(declared)} variables; at most {MOST_VARIABLES} are allowed."))
    alike: dict[str, str] = {}
    for name in declared:
        first = alike.setdefault(name.replace("_", "").casefold(), name)
        if first != name:
            errors.append(FieldError(f"{field}.{name}", f"Is {first} but for capitals and _: give it another name."))
    if errors:
        raise InvalidInputError(*errors)


def _flaws_of(field: str, name: str, variable: Variable) -> Iterator[FieldError]:
    if not NAME.fullmatch(name):
        yield FieldError(field, _BAD_NAME)
        return
    if name in ALL_LINKS:
        yield FieldError(field, "Is a link that Rebound makes for each recipient: give the variable another name.")
        return
    types = _TYPES_OF_KNOWN.get(name)
    if types is not None and variable.type not in types:
        said = f"Is the customer's or the business's own, of type {' or '.join(types)}: give the variable another name."
        yield FieldError(f"{field}.type", said)
        return
    for part, value in (("default", variable.default), ("example", variable.example)):
        if is_empty(value):
            continue
        try:
            checked(variable.type, value)
        except ValueError as error:
            yield FieldError(f"{field}.{part}", str(error))
        if (flaw := _no_case(f"{field}.{part}", variable, value)) is not None:
            yield flaw
    if variable.texts is not None:
        yield from _flaws_of_texts(f"{field}.texts", variable.type, variable.texts)


def _flaws_of_texts(field: str, kind: VariableType, texts: Mapping[str, Mapping[str, str]]) -> Iterator[FieldError]:
    if kind is not VariableType.TEXT:
        yield FieldError(field, "Are for variables of type text alone.")
        return
    if not 0 < len(texts) <= MOST_CASES:
        yield FieldError(field, f"Must have 1 to {MOST_CASES} cases.")
    for word, said in texts.items():
        if not WORD.fullmatch(word):
            yield FieldError(f"{field}.{word}", _NO_WORD)
        if not said:
            yield FieldError(f"{field}.{word}", "Must have at least one language.")
        for language, text in said.items():
            here = f"{field}.{word}.{language}"
            if language not in LANGUAGES:
                yield FieldError.unknown(here, f"Must be one of {', '.join(LANGUAGES)}.", language, LANGUAGES)
            elif not text or is_empty(text) or "{{" in text:
                yield FieldError(here, "Must say something, without placeholders.")
            else:
                try:
                    checked(VariableType.TEXT, text)
                except ValueError as error:
                    yield FieldError(here, str(error))


def _no_case(field: str, variable: Variable, value: object) -> FieldError | None:
    """What is wrong with a value that is a word for a case that there is not."""
    word = value.strip() if isinstance(value, str) else ""
    looks_like_one = WORD.fullmatch(word.lower() if word.isupper() else word)
    if variable.texts is None or not looks_like_one or _case_of(variable.texts, word) is not None:
        return None
    what = f"Must be one of {', '.join(variable.texts)}, or a text of more than one word."
    return FieldError.unknown(field, what, word, variable.texts)


def _case_of(texts: Mapping[str, object], word: str) -> str | None:
    """The case that a word names, in whatever capitals: many programs write such words in capitals."""
    return word if word in texts else next((each for each in texts if each.casefold() == word.casefold()), None)


def check_given(declared: Declared, given: Mapping[str, Any], field: str = "variables") -> Mapping[str, Any]:
    """What a client gives for a template's variables, in the form in which rows keep it, without what is empty.

    Raises ``InvalidInputError`` for names that the template does not declare, and for values of another type.
    """
    kept, errors = dict[str, Any](), list[FieldError]()
    for name, value in given.items():
        variable = declared.get(name)
        if variable is None:
            errors.append(_unknown(f"{field}.{name}", name, declared))
        elif not is_empty(value):
            try:
                kept[name] = checked(variable.type, value)
            except ValueError as error:
                errors.append(FieldError(f"{field}.{name}", str(error)))
            if (flaw := _no_case(f"{field}.{name}", variable, value)) is not None:
                errors.append(flaw)
    if errors:
        raise InvalidInputError(*errors)
    return kept


def _unknown(field: str, name: str, declared: Declared) -> FieldError:
    if name in _TYPES_OF_KNOWN:
        said = "Is filled in by itself. A template that wants it given declares it as a variable of its own."
        return FieldError(field, said)
    known = f"the template has {', '.join(declared)}" if declared else "the template declares none"
    return FieldError.unknown(field, f"No such variable; {known}.", name, declared)


def check_required(declared: Declared, missing: tuple[str, ...], field: str = "variables") -> None:
    """Refuse a message to one person in which required variables say nothing. Raises ``InvalidInputError``."""
    if missing:
        raise InvalidInputError(*(FieldError(f"{field}.{name}", _lacks(name, declared[name])) for name in missing))


def _lacks(name: str, variable: Variable) -> str:
    if name in _OF_THE_BUSINESS:
        return "Is required, and the business has none: set it in its settings (PATCH /v1/business), or give it here."
    if name in _TYPES_OF_KNOWN:
        return "Is required, and the customer has none: complete the profile, or give it here."
    return f"Is required, and has no default. {allowed(variable.type)}"


def filled(declared: Declared, given: Mapping[str, Any], known: Mapping[str, str], reader: Reader) -> Filled:
    """What the declared variables say to a reader: what is given, else what is known, else the default.

    ``given`` has passed ``check_given``; ``known`` are the values of the customer and the business. A variable that
    need not say anything and does not is the empty text.
    """
    values, missing = dict[str, str](), list[str]()
    for name, variable in declared.items():
        sources = (given.get(name), known.get(name), variable.default)
        value = next((each for each in sources if not is_empty(each)), None)
        values[name] = "" if value is None else written(variable.type, _said(variable, value, reader), reader)
        if value is None and variable.required:
            missing.append(name)
    return Filled(values, tuple(missing))


def _said(variable: Variable, value: Any, reader: Reader) -> Any:
    """The value, or where it is the word for a case, that case's text in the reader's language, or else another."""
    texts = variable.texts or {}
    case = _case_of(texts, value.strip()) if isinstance(value, str) else None
    if case is None:
        return value
    said = texts[case]
    return next(said[each] for each in (reader.language, LAST_RESORT, *said) if each in said)


def missing_of(declared: Declared, given: Mapping[str, Any], known: Mapping[str, str]) -> tuple[str, ...]:
    """The variables for which ``filled`` would say ``missing``, found without writing any."""
    return tuple(
        name
        for name, variable in declared.items()
        if variable.required and all(is_empty(each) for each in (given.get(name), known.get(name), variable.default))
    )


def examples_of(declared: Declared) -> Mapping[str, Any]:
    """A value for each variable, to be shown in previews: its example, else its default, else one of its type.

    A text without any says its own name.
    """
    return {
        name: next(
            each for each in (variable.example, variable.default, sample(variable.type), name) if not is_empty(each)
        )
        for name, variable in declared.items()
    }


def links_of(declared: Declared) -> tuple[str, ...]:
    """The variables whose value is a whole address."""
    return tuple(name for name, variable in declared.items() if variable.type is VariableType.URL)


def with_vouchers_of(said: str, declared: Declared) -> Declared:
    """The variables of a template and, where what is said has one of a voucher's, those too."""
    if not any(name in said for name in VOUCHER_VARIABLES):
        return declared
    return {**of_vouchers(), **declared}


def of_vouchers() -> Declared:
    """The variables of a voucher, as a template might declare them."""
    return {name: Variable(example=value) for name, value in SAMPLE_VALUES.items()}
