"""Every sentence that use cases can say to people has an entry in each language, and no entry is without one."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from string import Formatter
from typing import Final

import pytest

from rebound.console.http.words import LANGUAGES
from rebound.customers.domain import PROFILE
from rebound.kernel.provider_codes import all_codes
from rebound.templates.domain.template_events import about_variables, template_events
from tests.fakes.aws import REPOSITORY

PACKAGE: Final = REPOSITORY / "layers/common/rebound"
SAID: Final = PACKAGE / "console/words/said"
OTHERS: Final = [language for language in LANGUAGES if language != "en"]
ANY: Final = "\0"
"""Whatever is filled in."""
LAYERS: Final = ("domain", "domain.py", "application", "application.py", "kernel")
"""Where use cases and what they say are."""
ALSO: Final = (
    "businesses/adapters/dynamo_directory.py",
    "businesses/http.py",
    "console/http/frame.py",
    "console/http/layouts/editor.py",
    "console/http/message_templates/form.py",
    "console/http/requests.py",
    "console/http/segments.py",
    "contacts/adapters/addresses.py",
    "contacts/adapters/dynamo_replies.py",
    "operations/http/tenants.py",
    "platform/http/problems.py",
    "platform/http/shapes.py",
)
"""What speaks beside them on pages: shapes of forms, and what reads addresses."""
NOT_ON_PAGES: Final = (
    "activity/domain",
    "kernel/problem_codes.py",
    "operations/application/run_command.py",
    "text_plans/application/tell_owner.py",
    "vouchers",
    "webhooks",
)
"""What only clients of the API, the command line, or readers of an email are told."""
ELSEWHERE: Final = frozenset(
    {
        "On which channels the customer gets reminders of appointments.",
        "The events about each single message that the event bus gets; none unless it is asked for.",
        "The postal address.",
        f"{ANY} confirmed by an answer.",
        f"This key lacks the scope {ANY}.",
        "With local: what a clock shows, without an offset.",
    }
)
"""Descriptions that stand in none of the calls that are ``NOT_SAID``, and what is said of requests alone."""
NOT_SAID: Final = frozenset(
    {
        *(
            "ProfileField",
            "Meta",
            "Field",
            "Path",
            "Query",
            "Header",
            "ProviderTraits",
            "AssertionError",
            "LookupError",
        ),
        *("MalformedReceiptError", "compile", "info", "warning", "error", "exception", "problem", "Response"),
    }
)
"""Calls whose texts are for documents, for logs and for programmers."""
OF_PYDANTIC: Final = frozenset(
    {
        *("boolean", "dictionary", "integer", "Is not a field of this request.", f"Must be greater than {ANY}."),
        "Must be a valid integer, unable to parse string as an integer.",
        "Must be a valid number, unable to parse string as a number.",
    }
)
"""What is said of the shapes of forms, with words of pydantic's own."""
MOST_FORMS: Final = 64
FEW: Final = 5
"""Letters by which a text, or words by which an entry, cannot be told."""
MANY: Final = 500
_WORD: Final = re.compile(r"[A-Za-z]{2,}")
_SENTENCE: Final = re.compile(r"[A-Z“\0].*\w.* .*[.?:]", re.DOTALL)
_ENDS: Final = re.compile(r"(?<=[.?!]) |(?<=\0) (?=[A-Z])")
_FORMATTED: Final = re.compile(r"(?<!\{)\{\w+\}(?!\})")
IN_PLACES: Final = frozenset({"confirmations", "email", "list", "paragraph", "parts", "text"})
"""Words of sources that an entry has a place for."""


def modules() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        is_ours = name in ALSO or any(part in LAYERS for part in name.split("/")[:2])
        if is_ours and not name.startswith((*NOT_ON_PAGES, *(("console",) if name not in ALSO else ()))):
            yield path


class Texts(ast.NodeVisitor):
    """The texts of a module, each with ``ANY`` for what is filled in, in all forms that its own words give it."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # else it documents something
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = ast.unparse(node.func)
        if called.rpartition(".")[2] not in NOT_SAID and not called.startswith(("app.", "router.")):
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        self.found |= set(forms(node))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.found |= {ANY + form for form in forms(node.value)}
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.found |= set(forms(node))
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self.found |= set(forms(node))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)


def forms(node: ast.expr) -> list[str]:
    """What an expression can come to, with ``ANY`` for what its source does not say."""
    match node:
        case ast.Constant(value=str() as text):
            return [_FORMATTED.sub(ANY, text)]
        case ast.JoinedStr(values=parts):
            several = [forms(each.value if isinstance(each, ast.FormattedValue) else each) for each in parts]
            found = ["".join(each) for each in product(*several)] if _size(several) <= MOST_FORMS else [ANY]
            return [re.sub(f"{ANY}+", ANY, each) for each in found]
        case ast.IfExp(body=one, orelse=other):
            return [*forms(one), *forms(other)]
        case ast.BinOp(op=ast.Add(), left=one, right=other):
            return [first + second for first, second in product(forms(one), forms(other))]
    return [ANY]


def _size(several: Iterable[list[str]]) -> int:
    size = 1
    for each in several:
        size *= len(each)
    return size


@cache
def texts() -> frozenset[str]:
    """Those of all modules, of the table of providers' codes, and of what is known of the events of templates."""
    found = {row.sentence for row in all_codes()} | {event.name for event in template_events().values()}
    found |= {variable.description for variable in about_variables().values()}
    for path in modules():
        reader = Texts()
        reader.visit(ast.parse(path.read_text(encoding="utf-8")))
        found |= reader.found
    return frozenset(found)


@cache
def parts() -> frozenset[str]:
    """Each sentence or part of one that stands in them."""
    found = {part for each in texts() for part in _ENDS.split(each.strip())}
    return frozenset(found - ELSEWHERE)


@cache
def sentences() -> frozenset[str]:
    """Those of the parts that are sentences, by their beginning and end."""
    return frozenset(each for each in parts() if _SENTENCE.fullmatch(each) and each.strip(f"{ANY} .:"))


def words_in(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def shape(key: str) -> str:
    """An entry's English side, with ``ANY`` for its places."""
    return "".join(words + (ANY if name is not None else "") for words, name, _, _ in Formatter().parse(key))


def meet(one: str, other: str) -> bool:
    """Whether something can be both."""
    begins, other_begins = one.partition(ANY)[0], other.partition(ANY)[0]
    if not begins.startswith(other_begins) and not other_begins.startswith(begins):
        return False
    here = {0}  # the places of ``other`` to which what is read of ``one`` so far can have come
    for letter in one:
        here = _closed(here, other)
        if letter == ANY:
            here = set(range(min(here), len(other) + 1))
            continue
        here = {
            place if other[place] == ANY else place + 1
            for place in here
            if place < len(other) and other[place] in (letter, ANY)
        }
        if not here:
            return False
    return len(other) in _closed(here, other)


def _closed(places: set[int], other: str) -> set[int]:
    """With those behind a place that may be empty."""
    found = set(places)
    for place in range(min(places, default=0), len(other)):
        if place in found and other[place] == ANY:
            found.add(place + 1)
    return found


def is_telling(text: str) -> bool:
    """Whether enough of a text is known to tell it from others."""
    return len(text.replace(ANY, "")) > FEW


def entries(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((SAID / f"{language}.json").read_text(encoding="utf-8"), object_pairs_hook=once)
    return found


def once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Of two entries of one sentence the first would never be shown."""
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names)
    return dict(pairs)


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_has_an_entry(language: str) -> None:
    shapes = {each: words_in(each) for each in map(shape, entries(language)) if is_telling(each)}

    assert len(sentences()) > MANY
    unsaid = []
    for each in sentences():
        own = words_in(each) - IN_PLACES
        unsaid += [] if any(own <= words and meet(each, one) for one, words in shapes.items()) else [each]
    assert sorted(unsaid) == [], "write them into console/words/said"


def test_every_entry_is_of_something_that_is_said() -> None:
    pieces = {piece for each in parts() for piece in (each, *each.split("; "))}
    known = pieces | texts() | {each.replace("the customer", "the recipient") for each in pieces}
    said = [each.removesuffix(".") for each in known if is_telling(each)]
    words = {word for each in (*known, *PROFILE) for word in _WORD.findall(each.replace("_", " ").lower())}
    unused = []
    for each in map(shape, entries(OTHERS[0])):
        own = _WORD.findall(each.lower())
        is_used = any(meet(each.removesuffix("."), one) for one in said) or (len(own) <= FEW and words.issuperset(own))
        unused += [] if is_used or each in OF_PYDANTIC else [each]

    assert unused == [], unused


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_entry_once_in_order_with_the_same_places(language: str) -> None:
    own = entries(language)

    assert list(own) == sorted(entries(OTHERS[0]))
    for english, other in own.items():
        places = [name for _, name, _, _ in Formatter().parse(english) if name is not None]
        assert len(set(places)) == len(places), english
        assert {name for _, name, _, _ in Formatter().parse(other) if name is not None} <= set(places), english
        assert other.strip() == other != "", english
        assert english[-1] not in ".:?" or other[-1] in ".:?", english
        assert ANY + ANY not in shape(english), "where one place ends and the next begins nobody knows"


BARE: Final = re.compile(r"\{\{ [\w.]*\.(?:message|sentence|next_step|failure|reason) \}\}")
"""Something that use cases say, as it stands."""
BY_STAFF: Final = {"operations_business.html"}
"""Templates that show a reason that somebody typed."""


def test_templates_put_what_use_cases_say_into_the_reader_s_language() -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in (PACKAGE / "console/http/templates").iterdir()}

    assert sum("w.said(" in text for text in pages.values()) > FEW
    assert {name: found for name, text in pages.items() if (found := BARE.findall(text))}.keys() == BY_STAFF
