"""Texts that a phone or a mailbox answers by itself while nobody reads: no reply of a person."""

from __future__ import annotations

from typing import Final

from rebound.contacts.domain.replies import plain

_BEGINNINGS: Final = (
    "abwesenheitsnotiz",
    "automaticreply",
    "automatischeantwort",
    "autoreply",
    "autoresponse",
    "imdrivingrightnow",
    "imdrivingwithdonotdisturb",
    "imdrivingwithfocus",
    "imnotreceivingnotifications",
    "outofoffice",
    "respostaautomática",
    "respuestaautomática",
    "rispostaautomatica",
    "réponseautomatique",
)
"""Of what phones say while their owners drive or would not be disturbed, and of answers that call themselves so."""


def is_automatic(body: str) -> bool:
    """Whether a text is one of those that are known."""
    return plain(body).startswith(_BEGINNINGS)
