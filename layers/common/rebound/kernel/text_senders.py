"""What texts can come from: numbers, short codes, messaging services, and names where a country allows them.

Which countries do is kept as data, in ``sender_names.csv``. A country that has no row does not.
"""

import re
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

MESSAGING_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")
SHORT_CODE: Final = re.compile(r"[0-9]{3,6}")
"""Twilio's and SNS's have five or six digits, those of some countries three or four; subscribers' numbers have more."""
LONGEST_NAME: Final = 11
"""3GPP TS 23.040 §9.1.2.5: what fits in an originating address."""
NAME: Final = re.compile(rf"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 _&+-]{{0,{LONGEST_NAME - 1}}}(?<! )")
"""Source: Twilio, "Alphanumeric Sender ID": letters, digits and a few signs, and never digits alone."""


class SenderKind(StrEnum):
    """What a sender of texts is."""

    NUMBER = "number"
    SHORT_CODE = "short_code"
    MESSAGING_SERVICE = "messaging_service"
    NAME = "name"

    @property
    def takes_answers(self) -> bool:
        """Whether a text back reaches anybody: nobody can answer a name."""
        return self is not SenderKind.NAME


def kind_of(sender: str) -> SenderKind:
    """What a sender is, as it is granted and stored."""
    if sender.startswith("+"):
        return SenderKind.NUMBER
    if SHORT_CODE.fullmatch(sender):
        return SenderKind.SHORT_CODE
    return SenderKind.MESSAGING_SERVICE if MESSAGING_SERVICE.fullmatch(sender) else SenderKind.NAME


@cache
def countries_with_names() -> frozenset[str]:
    """The countries (ISO 3166-1 alpha-2) in which a text may come from a name."""
    import csv  # noqa: PLC0415 - only a change of a sender asks

    text = Path(__file__).with_name("sender_names.csv").read_text(encoding="utf-8")
    return frozenset(row["country"] for row in csv.DictReader(text.splitlines()) if row["names"] != "no")
