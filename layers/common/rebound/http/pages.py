"""The pages behind the links in messages, as HTML that needs no script, no picture and nothing from anywhere else."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

from rebound.application.honour_links import Standing
from rebound.domain.channels import Channel
from rebound.domain.consent import Scope
from rebound.domain.preferences import Choice

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1c1e; --soft: #55555b; --line: #85858d; --paper: #ffffff; --ground: #f2f2f4;
  --act: #17558f; --on-act: #ffffff; --good: #1d6b3a; --good-ground: #e5f4ea; }
@media (prefers-color-scheme: dark) { :root { --ink: #f2f2f4; --soft: #b9b9c0; --line: #8d8d95; --paper: #1f1f23;
  --ground: #131316; --act: #8cc2f5; --on-act: #10263b; --good: #9ddcb3; --good-ground: #16301f; } }
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
.said { padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; font-weight: 600; }
.done { border-color: transparent; background: var(--good-ground); color: var(--good); }
.note { margin: 1.5rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .9375rem;
  color: var(--soft); }
"""
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_KINDS: Final = {Channel.EMAIL: "emails", Channel.SMS: "texts"}
_SAVED: Final = '<p class="said done" role="status">Saved.</p>'
_PRESS: Final = '<p class="said" role="status">Nothing has been changed yet: please press the button.</p>'
_ONE_CLICK: Final = '<input type="hidden" name="List-Unsubscribe" value="One-Click">'


def ask_to_unsubscribe(standing: Standing, *, pressed: bool = True) -> str:
    """The page with the button, which says so when something came that was no press of it."""
    if _is_stopped(standing):
        return unsubscribed(standing)
    kind, scope = _KINDS[standing.link.contact.channel], standing.link.scope
    head = {
        Scope.ALL: f"Stop all our {kind}?",
        Scope.MARKETING: "Unsubscribe from our offers and news?",
        Scope.LOYALTY: f"Unsubscribe from our loyalty {kind}?",
    }[scope]
    return _page(
        standing.business.name,
        head,
        "" if pressed else _PRESS,
        _p(f"This is about {_whom(standing)}. {_what_stays(kind, scope)}"),
        f'<form method="post">{_ONE_CLICK}<button type="submit">Unsubscribe</button></form>',
        _to_preferences(standing, "Choose what you get instead"),
    )


def unsubscribed(standing: Standing) -> str:
    """The page that says that it is done, with the way back."""
    kind, scope = _KINDS[standing.link.contact.channel], standing.link.scope
    if standing.choice is Choice.NOTHING:
        scope = Scope.ALL
    what = {Scope.ALL: "", Scope.MARKETING: "marketing ", Scope.LOYALTY: "loyalty "}[scope]
    again = (
        _p(escape(_text_start(standing)))
        if standing.stopped_by_word
        else f'<form method="post" action="../preferences/{standing.preferences}">'
        f'<input type="hidden" name="choice" value="{standing.before}">'
        '<button type="submit" class="second">Subscribe again</button></form>'
    )
    return _page(
        standing.business.name,
        "You are unsubscribed",
        _p(f"We send no more {what}{kind} to {_whom(standing)}. {_what_stays(kind, scope)}"),
        again,
        _to_preferences(standing, "Choose what you get"),
    )


def ask_to_confirm(standing: Standing, *, pressed: bool = True) -> str:
    """The page with the button by which somebody says that they want to be written to."""
    if standing.confirmed and not _is_stopped(standing):
        return confirmed(standing)
    kind = _KINDS[standing.link.contact.channel]
    return _page(
        standing.business.name,
        "Would you like our offers and news?",
        "" if pressed else _PRESS,
        _p(f"We send them as {kind} to {_whom(standing)}, and only if you confirm it. You can stop them at any time."),
        '<form method="post"><input type="hidden" name="confirm" value="yes">'
        '<button type="submit">Yes, send them to me</button></form>',
        _to_preferences(standing, "Choose what you get"),
    )


def confirmed(standing: Standing) -> str:
    """The page that says that it is done, with the way to change it."""
    kind = _KINDS[standing.link.contact.channel]
    return _page(
        standing.business.name,
        "Thank you, that is confirmed",
        _p(f"We send our offers and news as {kind} to {_whom(standing)}."),
        _to_preferences(standing, "Choose what you get"),
    )


def preferences(standing: Standing, *, saved: bool = False, pressed: bool = True) -> str:
    """The page on which everything can be chosen, which says what came of a choice."""
    kind = _KINDS[standing.link.contact.channel]
    if standing.stopped_by_word:
        return _page(standing.business.name, f"Our {kind} are stopped", _p(escape(_text_start(standing))))
    options = "".join(_option(choice, standing.choice, *_words(choice, kind)) for choice in Choice)
    return _page(
        standing.business.name,
        "What you get from us",
        _SAVED if saved else "" if pressed else _PRESS,
        _p(f"This is about {_whom(standing)}."),
        f'<form method="post"><fieldset><legend>Send me</legend>{options}</fieldset>'
        '<button type="submit">Save</button></form>',
        '<p class="note">This page is about emails. To stop our text messages, answer one of them with STOP; '
        "START brings them back.</p>"
        if standing.link.contact.channel is Channel.EMAIL
        else "",
    )


def no_such_link() -> str:
    """The page for whatever is no link of ours."""
    return _page(
        "",
        "This link does not work",
        _p("Nothing has been changed. Please open the link in the message once more, and see that all of it is there."),
        _p("If it still does not work, answer the message and ask to be unsubscribed."),
    )


def not_understood() -> str:
    """The page for a form that nobody of ours sent."""
    return _page("", "That could not be read", _p("Nothing has been changed. Please open the link once more."))


def come_again() -> str:
    """The page for when others are changing the same thing just now."""
    return _page("", "Please try again", _p("Nothing has been changed yet. Please try again in a moment."))


def _is_stopped(standing: Standing) -> bool:
    covering = {
        Scope.ALL: (Choice.NOTHING,),
        Scope.MARKETING: (Choice.NOTHING, Choice.NO_MARKETING),
        Scope.LOYALTY: (Choice.NOTHING, Choice.NO_MARKETING, Choice.NO_LOYALTY),
    }
    return standing.choice in covering[standing.link.scope]


def _what_stays(kind: str, scope: Scope) -> str:
    return {
        Scope.ALL: f"That is all of our {kind}, also reminders of appointments.",
        Scope.MARKETING: f"You still get {kind} about your appointments and purchases.",
        Scope.LOYALTY: f"You still get our other {kind}.",
    }[scope]


def _words(choice: Choice, kind: str) -> tuple[str, str]:
    return {
        Choice.EVERYTHING: ("Everything", f"Offers and news, loyalty {kind}, appointments and purchases"),
        Choice.NO_LOYALTY: (f"Everything but loyalty {kind}", "Offers and news, appointments and purchases"),
        Choice.NO_MARKETING: (
            "Only about my appointments and purchases",
            "Confirmations, reminders, receipts and answers",
        ),
        Choice.NOTHING: ("Nothing at all", "Not even reminders of appointments"),
    }[choice]


def _text_start(standing: Standing) -> str:
    sender = standing.business.text_from or ""
    number = sender if sender.startswith("+") else "the number that they came from"
    return f"You stopped our texts with a word such as STOP. Text START to {number} to get them again."


def _whom(standing: Standing) -> str:
    """The address as whoever has it knows it, and others do not learn it from a link that was passed on."""
    address = standing.address
    if address is None:
        return "the address that the message went to"
    local, at, domain = address.rpartition("@")
    shown = f"{local[:1]}\N{BULLET}\N{BULLET}\N{BULLET}@{domain}" if at else f"the number that ends in {address[-3:]}"
    return f"<strong>{escape(shown)}</strong>"


def _to_preferences(standing: Standing, words: str) -> str:
    return f'<p><a class="way" href="../preferences/{standing.preferences}">{words}</a></p>'


def _option(choice: Choice, chosen: Choice, label: str, more: str) -> str:
    checked = " checked" if choice is chosen else ""
    return (
        f'<div class="choice"><input type="radio" name="choice" id="{choice}" value="{choice}"{checked}>'
        f'<label for="{choice}">{label}<span>{more}</span></label></div>'
    )


def _p(inner: str) -> str:
    return f"<p>{inner}</p>"


def _page(business: str, head: str, *parts: str) -> str:
    name = escape(business)
    title = f"{head} \N{EN DASH} {name}" if name else head
    owner = f'<p class="business">{name}</p>' if name else ""
    return f"""<!doctype html>
<html lang="en">
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
"""
