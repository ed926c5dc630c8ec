"""The footer of every email, with links to choose what to get, and the headers that offer to unsubscribe.

Clients may place the links themselves (``links_for``). Each part of an email that sells in which they have not placed
``##{{unsubscribe_url}}`` where it can be seen gets the footer, and of any other email ``##{{preferences_url}}``.
Promotional emails also say where the business is (CAN-SPAM, 15 U.S.C. 7704(a)(5)(A)(iii)).
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.consent_words import Scope
from rebound.kernel.languages import read_words

UNSUBSCRIBE_URL: Final = "unsubscribe_url"
PREFERENCES_URL: Final = "preferences_url"
CONFIRM_URL: Final = "confirm_url"
STOP_URL: Final = "stop_url"
APPOINTMENT_URL: Final = "appointment_url"
"""Of the page on which an appointment is confirmed: in emails in place of texts that ask for it, and only there."""
POSTAL_ADDRESS: Final = "postal_address"
LINKS: Final = (UNSUBSCRIBE_URL, PREFERENCES_URL)
"""The links of emails that sell, which their footer has."""
LINKS_OF_TEXTS: Final = (STOP_URL,)
"""Those of texts that sell. Others are answered with STOP, and so are these where their sender can be answered."""
LINKS_OF_OTHERS: Final = (PREFERENCES_URL, CONFIRM_URL)
"""Those of all other emails. ``CONFIRM_URL`` is only here: no marketing asks for consent to marketing."""

ALL_LINKS: Final = (UNSUBSCRIBE_URL, PREFERENCES_URL, CONFIRM_URL, STOP_URL, APPOINTMENT_URL)
"""The variables whose value is a whole address."""

COLOUR: Final = "#595959"
"""Of its letters: 7 to 1 on white."""
_HTML: Final = """
<div lang="{language}" style="margin-top:32px;padding-top:12px;border-top:1px solid #d9d9d9;\
font:13px/1.6 Arial,Helvetica,sans-serif!important;display:block!important;visibility:visible!important;\
opacity:1!important;color:{colour}">{lines}</div>
"""
"""What the client's style sheet says of all ``div`` and ``a`` does not hide it."""
_HTML_LINK: Final = """<a href="##{{{{{name}}}}}" style="color:{colour};text-decoration:underline;\
font-size:inherit!important;display:inline!important;visibility:visible!important;opacity:1!important">{words}</a>"""


class FooterWords(Struct, frozen=True):
    """What a footer says in one language; ``unsubscribe`` has the words for each scope."""

    said: str
    choose: str
    unsubscribe: Mapping[str, str]


@cache
def footer_words(language: str) -> FooterWords:
    """What a footer says in one of the languages."""
    return FooterWords(**read_words("templates", language)["footer"])


class Footer(Struct, frozen=True):
    """The footer of an email, as templates; a part that uses the variable ``stands_for`` needs no footer."""

    html: str
    text: str
    stands_for: str


def scope_of(category: Category) -> Scope | None:
    """The scope that the footer of what sells offers to stop: the category's own, no more. ``None`` for the others."""
    return category.traits.scope if category.is_promotional else None


def one_click_scope(category: Category) -> Scope | None:
    """The scope that mail programs offer to stop with one click: the category's own. ``None`` if that is everything.

    Reminders and transactional emails have it too: their footer leads to the page with the same switch.
    """
    scope = category.traits.scope
    return None if scope is Scope.ALL else scope


def links_for(category: Category) -> tuple[str, ...]:
    """The links that the body of an email of a kind may have: to unsubscribe too, wherever mail programs offer it."""
    if scope_of(category) is not None:
        return LINKS
    return LINKS_OF_OTHERS if one_click_scope(category) is None else (UNSUBSCRIBE_URL, *LINKS_OF_OTHERS)


@cache
def footer_of(category: Category, language: str, *, links: bool = True, address: bool = False) -> Footer:
    """The footer of every email of a kind in a language: with the links, the postal address, or both."""
    scope, wording = scope_of(category), footer_words(language)
    words = {PREFERENCES_URL: wording.choose}
    if scope is not None:
        words = {UNSUBSCRIBE_URL: wording.unsubscribe[scope], **words}
    html, text = list[str](), list[str]()
    if links:
        html += [
            wording.said,
            " &middot; ".join(_HTML_LINK.format(name=name, words=each, colour=COLOUR) for name, each in words.items()),
        ]
        text += [wording.said, *(f"{each}: ##{{{{{name}}}}}" for name, each in words.items())]
    if address:
        where = f"##{{{{business_name}}}}, ##{{{{{POSTAL_ADDRESS}}}}}"
        html.append(where)
        text.append(where)
    as_html = _HTML.format(language=language, colour=COLOUR, lines="<br>".join(html))
    return Footer(as_html, "\n\n--\n" + "\n".join(text) + "\n", next(iter(words)))


def one_click(url: str) -> Mapping[str, str]:
    """The headers that make mail programs offer to unsubscribe with one click (RFC 2369 §3.2, RFC 8058 §3.1)."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
