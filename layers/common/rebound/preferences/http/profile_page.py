"""The form with a customer's own details, as HTML that needs no script; what is wrong stands beside its field."""

from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Final

from msgspec import Struct

from rebound.kernel.languages import read_words
from rebound.preferences.application.own_profile import SEEN, FormField, FormState, ProfileForm
from rebound.preferences.http.pages import HtmlPage, html_page, page_words


class ProfileWords(Struct, frozen=True):
    """The form's sentences in one language."""

    head: str
    about: str
    labels: Mapping[str, str]
    fails: str
    flaws: Mapping[str, str]
    please_check: str
    contested: str
    theirs: str
    emptied: str
    send: str
    saved: str
    saved_more: str
    used: str
    used_more: str
    expired: str
    expired_more: str
    gone: str
    gone_more: str
    ask_again: str


@cache
def profile_words(language: str) -> ProfileWords:
    """What the form says in a language."""
    return ProfileWords(**read_words("preferences", language)["profile"])


_INPUTS: Final[Mapping[str, str]] = {
    "first_name": 'type="text" autocomplete="given-name" maxlength="100" required',
    "last_name": 'type="text" autocomplete="family-name" maxlength="100" required',
    "email": 'type="email" autocomplete="email" maxlength="254"',
    "mobile_phone": 'type="tel" autocomplete="tel" maxlength="40"',
    "day_phone": 'type="tel" maxlength="40"',
    "night_phone": 'type="tel" maxlength="40"',
    "birthday": 'type="date" autocomplete="bday"',
}
"""How a browser helps with each field."""


def profile_page(view: ProfileForm) -> HtmlPage:
    """The form, or the page that says how it stands with it."""
    words = profile_words(view.language)
    match view.state:
        case FormState.OPEN:
            return _form(view, words)
        case FormState.SAVED:
            return _said(view, words.saved, words.saved_more)
        case FormState.USED:
            return _said(view, words.used, words.used_more)
        case FormState.EXPIRED:
            return _said(view, words.expired, words.expired_more)
        case FormState.GONE:
            return _said(view, words.gone, words.gone_more)


def no_such_form(language: str) -> HtmlPage:
    """The page for whatever is no link of ours."""
    words = page_words(language)
    more = profile_words(language).ask_again
    return html_page(language, "", words.no_such_link, f"<p>{words.look_whole}</p><p>{more}</p>")


def _said(view: ProfileForm, head: str, more: str) -> HtmlPage:
    return html_page(view.language, view.business.name, head, f"<p>{_filled(more, view)}</p>")


def _form(view: ProfileForm, words: ProfileWords) -> HtmlPage:
    notice = words.please_check if view.flawed else words.contested if view.contested else None
    head = _filled(words.about, view) if notice is None else notice
    role = "" if notice is None else ' class="said" role="alert"'
    fields = "".join(_field(each, words) for each in view.fields)
    seen = f'<input type="hidden" name="{SEEN}" value="{view.seen}">'
    return html_page(
        view.language,
        view.business.name,
        words.head,
        f"<p{role}>{head}</p>",
        f'<form method="post" novalidate>{fields}{seen}<button type="submit">{words.send}</button></form>',
    )


def _field(field: FormField, words: ProfileWords) -> str:
    """One field with what the page showed in it, so that an edit of somebody else's is noticed."""
    name, notes = field.name, _notes(field, words)
    told = "".join(f'<p class="wrong" id="{name}-{at}">{note}</p>' for at, note in enumerate(notes))
    about = " ".join(f"{name}-{at}" for at in range(len(notes)))
    described = f' aria-describedby="{about}"' if notes else ""
    invalid = ' aria-invalid="true"' if field.flaw is not None or field.theirs is not None else ""
    return (
        f'<div class="field"><label for="{name}">{words.labels[name]}</label>{told}'
        f'<input id="{name}" name="{name}" value="{escape(field.value)}" {_INPUTS[name]}{described}{invalid}>'
        f'<input type="hidden" name="was_{name}" value="{escape(field.base)}"></div>'
    )


def _notes(field: FormField, words: ProfileWords) -> list[str]:
    notes = []
    if field.flaw is not None:
        notes.append(words.flaws[field.flaw])
    elif field.fails:
        notes.append(words.fails)
    if field.theirs is not None:
        notes.append(
            words.theirs.format(value=f"<strong>{escape(field.theirs)}</strong>") if field.theirs else words.emptied
        )
    return notes


def _filled(sentence: str, view: ProfileForm) -> str:
    return sentence.format(business=f"<strong>{escape(view.business.name)}</strong>")
