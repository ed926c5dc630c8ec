"""What stands on the pages behind links, in every language.

It is HTML, so whatever is put into a sentence is escaped before. ``{kind}`` is one of ``kinds`` and ``{by}`` one of
``by``; ``{whom}`` is an address, or ``somewhere``.
"""

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from rebound.kernel.languages import read_words


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

    what_you_get: str
    send_me: str
    choices: Mapping[str, Mapping[str, str]]
    """The ``name`` of each, and what it ``means``."""
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
