"""The page on which somebody says whether they belong to a customer, as HTML that needs no script."""

from functools import cache
from html import escape

from msgspec import Struct

from rebound.kernel.languages import read_words
from rebound.preferences.application.relation_invitations import InvitationState, InvitationView
from rebound.preferences.http.pages import HtmlPage, html_page, page_words


class RelationWords(Struct, frozen=True):
    """The page's sentences in one language."""

    ask: str
    about: str
    accept: str
    decline: str
    accepted: str
    accepted_more: str
    declined: str
    declined_more: str
    closed: str
    closed_more: str


@cache
def relation_words(language: str) -> RelationWords:
    """What the page says in a language."""
    return RelationWords(**read_words("preferences", language)["relation"])


def relation_page(view: InvitationView, *, pressed: bool = True) -> HtmlPage:
    """The page that asks, or that says what was answered."""
    words = relation_words(view.language)
    match view.state:
        case InvitationState.OPEN:
            note = "" if pressed else f'<p class="said" role="status">{page_words(view.language).pressed_nothing}</p>'
            return html_page(
                view.language,
                view.business.name,
                words.ask,
                note,
                f"<p>{_filled(words.about, view)}</p>",
                _button("accept", words.accept, ""),
                _button("decline", words.decline, ' class="second"'),
            )
        case InvitationState.ACCEPTED:
            return _said(view, words.accepted, words.accepted_more)
        case InvitationState.DECLINED:
            return _said(view, words.declined, words.declined_more)
        case InvitationState.CLOSED:
            return _said(view, words.closed, words.closed_more)


def _button(answer: str, words: str, kind: str) -> str:
    return (
        f'<form method="post"><input type="hidden" name="answer" value="{answer}">'
        f'<button type="submit"{kind}>{words}</button></form>'
    )


def _said(view: InvitationView, head: str, more: str) -> HtmlPage:
    return html_page(view.language, view.business.name, head, f"<p>{_filled(more, view)}</p>")


def _filled(sentence: str, view: InvitationView) -> str:
    return sentence.format(
        name=f"<strong>{escape(view.name)}</strong>", business=f"<strong>{escape(view.business.name)}</strong>"
    )
