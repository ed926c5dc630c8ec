"""The pages behind the links in messages, as HTML that needs no script, no picture and nothing from anywhere else."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from html import escape
from typing import Final

from msgspec import Struct

from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import COVERED_BY, Scope
from rebound.kernel.languages import read_words
from rebound.kernel.text_senders import SenderKind, kind_of
from rebound.preferences.application.confirm_appointment import AppointmentState, AppointmentView
from rebound.preferences.application.follow_links import LinkView


class PageWords(Struct, frozen=True):
    """The pages' sentences in one language; where there are several of a kind, by channel, scope or choice."""

    kinds: Mapping[str, str]
    by: Mapping[str, str]
    about: str
    somewhere: str
    pressed_nothing: str
    saved: str
    choose: str

    ask_to_stop: Mapping[str, str]
    what_stays: Mapping[str, str]
    only_personal: str
    """What stays without marketing where what is about appointments and purchases is off too."""
    unsubscribe: str
    choose_instead: str
    unsubscribed: str
    no_more: Mapping[str, str]
    subscribe_again: str

    ask_to_confirm: str
    only_if_confirmed: str
    confirm: str
    confirmed: str
    we_send: str

    ask_to_test: str
    only_tests: str
    confirm_tests: str
    tests_come: str

    ask_to_come: str
    about_appointment: str
    come: str
    coming: str
    see_you: str
    nothing_to_confirm: str
    appointment_over: str

    in_a_test: str
    nothing_of_a_test: str

    what_you_get: str
    send_me: str
    what_i_choose: str
    choices: Mapping[str, Mapping[str, str]]
    """The ``name`` of each switch, and what it ``means``, by scope: that of ``all`` is about getting nothing."""
    save: str
    about_emails: str
    texts_stopped: str
    text_start_to: str
    text_start: str
    """For a sender without a number of its own."""

    no_such_link: str
    look_whole: str
    ask_for_it: str
    not_understood: str
    open_again: str
    try_again: str
    in_a_moment: str


@cache
def page_words(language: str) -> PageWords:
    """What the pages say in a language."""
    return PageWords(**read_words("preferences", language)["pages"])


_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1c1e; --soft: #55555b; --line: #85858d; --paper: #ffffff; --ground: #f2f2f4;
  --act: #17558f; --on-act: #ffffff; --bad: #a3261b; --good: #1d6b3a; --good-ground: #e5f4ea; }
@media (prefers-color-scheme: dark) { :root { --ink: #f2f2f4; --soft: #b9b9c0; --line: #8d8d95; --paper: #1f1f23;
  --ground: #131316; --act: #8cc2f5; --on-act: #10263b; --bad: #ff9d92; --good: #9ddcb3; --good-ground: #16301f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: anywhere;
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1.25rem 2rem; background: var(--paper); min-height: 100vh; }
@media (min-width: 40rem) { main { margin: 3rem auto; padding: 2.25rem 2.5rem 2.5rem; border-radius: .75rem;
  min-height: 0; box-shadow: 0 1px 3px rgba(0, 0, 0, .2); } }
.business { margin: 0 0 1.5rem; font-weight: 600; color: var(--soft); }
h1 { margin: 0 0 .75rem; font-size: 1.625rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
form { margin: 1.5rem 0; }
fieldset { margin: 0 0 1.5rem; padding: 0; border: 0; }
legend { padding: 0; margin-bottom: .75rem; font-weight: 600; }
.choice { position: relative; margin-bottom: .625rem; }
.choice input { position: absolute; left: 1rem; top: 1.0625rem; width: 1.25rem; height: 1.25rem; margin: 0;
  accent-color: var(--act); }
.choice label { display: block; padding: .8125rem 1rem .8125rem 3.125rem; border: 1px solid var(--line);
  border-radius: .5rem; cursor: pointer; font-weight: 600; }
.choice label span { display: block; font-weight: 400; font-size: .9375rem; color: var(--soft); }
.choice input:checked + label { border-color: var(--act); box-shadow: inset 0 0 0 1px var(--act); }
button { display: block; width: 100%; min-height: 3rem; padding: .75rem 1.25rem; border: 2px solid var(--act);
  border-radius: .5rem; background: var(--act); color: var(--on-act); font: inherit; font-weight: 600;
  cursor: pointer; }
button.second { background: transparent; color: var(--act); }
a { color: var(--act); }
a.way { display: inline-block; padding: .625rem 0; }
a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid var(--act); outline-offset: 3px; }
.within .choice { margin-left: 1.75rem; }
.within .part { margin-left: 3.5rem; }
.said { padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; font-weight: 600; }
.done { border-color: transparent; background: var(--good-ground); color: var(--good); }
.field { margin-bottom: 1.25rem; }
.field label { display: block; margin-bottom: .375rem; font-weight: 600; }
.field input { display: block; width: 100%; min-height: 3rem; padding: .625rem .75rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--paper); color: var(--ink); font: inherit; }
.field input[aria-invalid] { border: 2px solid var(--bad); }
.wrong { margin: 0 0 .375rem; color: var(--bad); font-size: .9375rem; }
.note { margin: 1.5rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .9375rem;
  color: var(--soft); }
"""
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
WAS: Final = "was_"
"""Before the name of a switch: how the page showed it."""
ON: Final = "on"
OFF: Final = "off"
_ONE_CLICK: Final = '<input type="hidden" name="List-Unsubscribe" value="One-Click">'


class HtmlPage(Struct, frozen=True):
    """A page and the language that it is in (ISO 639-1)."""

    language: str
    html: str


def ask_to_unsubscribe(view: LinkView, *, pressed: bool = True) -> HtmlPage:
    """The page with the button, which says so when something came that was no press of it."""
    if view.is_test:
        return of_a_test(view)
    if view.is_stopped:
        return unsubscribed(view)
    words, scope = page_words(view.language), view.link.scope
    return _own_page(
        view,
        _fill(words.ask_to_stop[scope], view),
        "" if pressed else _press(words),
        _p(_fill(f"{words.about} {_what_stays(words, scope, view)}", view)),
        f'<form method="post">{_ONE_CLICK}<button type="submit">{words.unsubscribe}</button></form>',
        _to_preferences(view, words.choose_instead),
    )


def unsubscribed(view: LinkView) -> HtmlPage:
    """The page that says that it is done, with the way back."""
    if view.is_test:
        return of_a_test(view)
    words, scope = page_words(view.language), view.link.scope
    if Scope.ALL in view.opted_out:
        scope = Scope.ALL
    again = (
        _p(_text_start(view))
        if view.stopped_by_word
        else f'<form method="post" action="../preferences/{view.preferences}">'
        f"{_switched_on_again(view)}"
        f'<button type="submit" class="second">{words.subscribe_again}</button></form>'
    )
    return _own_page(
        view,
        words.unsubscribed,
        _p(_fill(f"{words.no_more[scope]} {_what_stays(words, scope, view)}", view)),
        again,
        _to_preferences(view, words.choose),
    )


def ask_to_confirm(view: LinkView, *, pressed: bool = True) -> HtmlPage:
    """The page with the button by which somebody says that they want to be written to."""
    if view.is_test:
        return confirmed_tests(view) if view.confirmed else ask_for_tests(view, pressed=pressed)
    if view.confirmed and not view.is_stopped:
        return confirmed(view)
    words = page_words(view.language)
    return _own_page(
        view,
        words.ask_to_confirm,
        "" if pressed else _press(words),
        _p(_fill(words.only_if_confirmed, view)),
        '<form method="post"><input type="hidden" name="confirm" value="yes">'
        f'<button type="submit">{words.confirm}</button></form>',
        _to_preferences(view, words.choose),
    )


def confirmed(view: LinkView) -> HtmlPage:
    """The page that says that it is done, with the way to change it."""
    if view.is_test:
        return confirmed_tests(view)
    words = page_words(view.language)
    return _own_page(view, words.confirmed, _p(_fill(words.we_send, view)), _to_preferences(view, words.choose))


def preferences(view: LinkView, *, saved: bool = False, pressed: bool = True) -> HtmlPage:
    """The page on which everything can be chosen, which says what came of a choice."""
    if view.is_test:
        return of_a_test(view)
    words = page_words(view.language)
    if view.stopped_by_word:
        return _own_page(view, words.texts_stopped, _p(_text_start(view)))
    done = f'<p class="said done" role="status">{words.saved}</p>'
    return _own_page(
        view,
        words.what_you_get,
        done if saved else "" if pressed else _press(words),
        _p(_fill(words.about, view)),
        f'<form method="post">{_shown(view)}<fieldset><legend>{words.send_me}</legend>{_options(view)}</fieldset>'
        f'<button type="submit">{words.save}</button></form>',
        f'<p class="note">{words.about_emails}</p>' if view.link.contact.channel is Channel.EMAIL else "",
    )


def ask_for_tests(view: LinkView, *, pressed: bool) -> HtmlPage:
    """The page with the button by which somebody says that tests may be sent to them."""
    words = page_words(view.language)
    return _own_page(
        view,
        words.ask_to_test,
        "" if pressed else _press(words),
        _p(_fill(words.only_tests, view)),
        '<form method="post"><input type="hidden" name="confirm" value="yes">'
        f'<button type="submit">{words.confirm_tests}</button></form>',
    )


def confirmed_tests(view: LinkView) -> HtmlPage:
    """The page that says that tests may be sent."""
    words = page_words(view.language)
    return _own_page(view, words.confirmed, _p(_fill(words.tests_come, view)))


def of_a_test(view: LinkView) -> HtmlPage:
    """The page behind the links in a test, which do nothing."""
    words = page_words(view.language)
    return _own_page(view, words.in_a_test, _p(words.nothing_of_a_test))


def appointment(view: AppointmentView, *, pressed: bool = True) -> HtmlPage:
    """The page on which an appointment is confirmed, or that says how it stands."""
    words, name = page_words(view.language), view.business.name
    match view.state:
        case AppointmentState.CONFIRMED:
            return html_page(view.language, name, words.coming, _p(words.see_you))
        case AppointmentState.CLOSED:
            return html_page(view.language, name, words.nothing_to_confirm, _p(words.appointment_over))
        case AppointmentState.ASKED:
            return html_page(
                view.language,
                name,
                words.ask_to_come,
                "" if pressed else _press(words),
                _p(words.about_appointment.format(business=f"<strong>{escape(name)}</strong>")),
                '<form method="post"><input type="hidden" name="confirm" value="yes">'
                f'<button type="submit">{words.come}</button></form>',
            )


def no_such_link(language: str) -> HtmlPage:
    """The page for whatever is no link of ours."""
    words = page_words(language)
    return html_page(language, "", words.no_such_link, _p(words.look_whole), _p(words.ask_for_it))


def not_understood(language: str) -> HtmlPage:
    """The page for a form that nobody of ours sent."""
    words = page_words(language)
    return html_page(language, "", words.not_understood, _p(words.open_again))


def come_again(language: str) -> HtmlPage:
    """The page for when others are changing the same thing just now."""
    words = page_words(language)
    return html_page(language, "", words.try_again, _p(words.in_a_moment))


def _press(words: PageWords) -> str:
    return f'<p class="said" role="status">{words.pressed_nothing}</p>'


def _text_start(view: LinkView) -> str:
    words, sender = page_words(view.language), view.business.text_from
    if sender is None or kind_of(sender) not in (SenderKind.NUMBER, SenderKind.SHORT_CODE):
        return words.text_start
    return words.text_start_to.format(number=escape(sender))


def _whom(view: LinkView) -> str:
    """The address as whoever has it knows it, and others do not learn it from a link that was passed on."""
    address = view.address
    if address is None:
        return page_words(view.language).somewhere
    local, at, domain = address.rpartition("@")
    hidden = "\N{BULLET}" * 3
    return f"<strong>{escape(f'{local[:1]}{hidden}@{domain}' if at else hidden + address[-3:])}</strong>"


def _to_preferences(view: LinkView, words: str) -> str:
    return f'<p><a class="way" href="../preferences/{view.preferences}">{words}</a></p>'


def _what_stays(words: PageWords, scope: Scope, view: LinkView) -> str:
    """What is still sent without a scope."""
    if scope is Scope.MARKETING and Scope.TRANSACTIONAL in view.opted_out:
        return words.only_personal
    return words.what_stays[scope]


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{value}">'


def _shown(view: LinkView) -> str:
    """How the page shows each switch, so that only those that are moved change anything."""
    return "".join(_hidden(WAS + scope, OFF if scope in view.opted_out else ON) for scope in Scope)


def _switched_on_again(view: LinkView) -> str:
    """The fields of a form that takes the opt-outs back by which the link's messages are stopped, and no others."""
    stopped = (scope for scope in COVERED_BY[view.link.scope] if scope in view.opted_out)
    return "".join(_hidden(WAS + scope, OFF) + _hidden(scope, ON) for scope in stopped)


def _options(view: LinkView) -> str:
    """Either what is chosen, by a box for each scope, or nothing at all."""
    words = page_words(view.language)
    nothing = Scope.ALL in view.opted_out
    boxes = "".join(_option("checkbox", scope, scope, ON, view) for scope in Scope if scope is not Scope.ALL)
    chosen = _choice("radio", Scope.ALL, "chosen", ON, words.what_i_choose, checked=not nothing)
    return f'{chosen}<div class="within">{boxes}</div>{_option("radio", Scope.ALL, "nothing", OFF, view)}'


def _option(kind: str, scope: Scope, own_id: str, value: str, view: LinkView) -> str:
    """What is switched by a scope, with what it means."""
    words = page_words(view.language).choices[scope]
    label, more = _fill(words["name"], view), _fill(words["means"], view)
    is_on = scope not in view.opted_out
    part = " part" if scope is Scope.LOYALTY else ""
    return _choice(kind, scope, own_id, value, f"{label}<span>{more}</span>", checked=is_on is (value == ON), also=part)


def _choice(kind: str, name: str, own_id: str, value: str, label: str, *, checked: bool, also: str = "") -> str:
    return (
        f'<div class="choice{also}"><input type="{kind}" name="{name}" id="{own_id}" value="{value}"'
        f'{" checked" if checked else ""}><label for="{own_id}">{label}</label></div>'
    )


def _p(inner: str) -> str:
    return f"<p>{inner}</p>"


def _fill(sentence: str, view: LinkView) -> str:
    words, channel = page_words(view.language), view.link.contact.channel
    return sentence.format(kind=words.kinds[channel], by=words.by[channel], whom=_whom(view))


def _own_page(view: LinkView, head: str, *parts: str) -> HtmlPage:
    return html_page(view.language, view.business.name, head, *parts)


def html_page(language: str, business: str, head: str, *parts: str) -> HtmlPage:
    """A page of a business's, under its name; everything given but that is HTML."""
    name = escape(business)
    title = f"{head} \N{EN DASH} {name}" if name else head
    owner = f'<p class="business">{name}</p>' if name else ""
    return HtmlPage(
        language,
        f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{owner}
<h1>{head}</h1>
{"".join(parts)}
</main>
</body>
</html>
""",
    )
