"""What stands below every email so that whoever gets it can say what they want to get, and the headers for that.

A client may put the links where they like, with ``##{{unsubscribe_url}}`` and ``##{{preferences_url}}``; the footer is
for the parts of an email in which they have not.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.consent_words import Scope
from rebound.kernel.languages import read_words
from rebound.messages.domain.links import Purpose

UNSUBSCRIBE_URL: Final = "unsubscribe_url"
PREFERENCES_URL: Final = "preferences_url"
CONFIRM_URL: Final = "confirm_url"
VARIABLE_OF: Final = {
    Purpose.UNSUBSCRIBE: UNSUBSCRIBE_URL,
    Purpose.PREFERENCES: PREFERENCES_URL,
    Purpose.CONFIRM: CONFIRM_URL,
}
LINKS: Final = (UNSUBSCRIBE_URL, PREFERENCES_URL)
"""Variables of emails alone, a text is answered with STOP; these are of emails that may be unsubscribed from."""
LINKS_OF_OTHERS: Final = (PREFERENCES_URL, CONFIRM_URL)
"""Nobody is asked for marketing by marketing."""

_HTML: Final = """
<div lang="{language}" style="margin-top:32px;padding-top:12px;border-top:1px solid #d9d9d9;\
font:13px/1.6 Arial,Helvetica,sans-serif;color:#595959">{said}<br>{links}</div>
"""
_HTML_LINK: Final = '<a href="##{{{{{name}}}}}" style="color:#595959;text-decoration:underline">{words}</a>'


class FooterWords(Struct, frozen=True):
    """What a footer says in one language; how to unsubscribe by scope."""

    said: str
    choose: str
    unsubscribe: Mapping[str, str]


@cache
def footer_words(language: str) -> FooterWords:
    """What a footer says in one of the languages."""
    return FooterWords(**read_words("messages", language)["footer"])


class Footer(Struct, frozen=True):
    """The end of an email, as templates; ``stands_for`` is the variable that makes it needless where it is used."""

    html: str
    text: str
    stands_for: str


def scope_of(category: Category) -> Scope | None:
    """What one click in a message of this kind stops: what that message is, and no more. ``None``: nothing at once."""
    return category.traits.scope if category.is_promotional else None


@cache
def footer_of(category: Category, language: str) -> Footer:
    """The footer of every email of a kind in a language."""
    scope, wording = scope_of(category), footer_words(language)
    words = {PREFERENCES_URL: wording.choose}
    if scope is not None:
        words = {UNSUBSCRIBE_URL: wording.unsubscribe[scope], **words}
    links = " &middot; ".join(_HTML_LINK.format(name=name, words=each) for name, each in words.items())
    lines = "\n".join(f"{each}: ##{{{{{name}}}}}" for name, each in words.items())
    html = _HTML.format(language=language, said=wording.said, links=links)
    return Footer(html, f"\n\n--\n{wording.said}\n{lines}\n", next(iter(words)))


def one_click(url: str) -> Mapping[str, str]:
    """The headers with which a mail program offers to unsubscribe by itself (RFC 2369 §3.2, RFC 8058 §3.1)."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
