"""A list of customers as a salon's software writes it, in German: not tidy."""

import csv
import io
import random
from typing import Final

COLUMNS: Final = {
    "Vorname": "first_name",
    "Nachname": "last_name",
    "E-Mail": "email",
    "Mobil": "mobile_phone",
    "Telefon": "day_phone",
    "Geburtstag": "birthday",
    "Kunde seit": "customer_since",
    "Merkmale": "general_tags",
    "Sprache": "language",
    "Newsletter abgemeldet": "email_opted_out",
    "Keine SMS": "sms_opted_out",
    "Notiz": None,
    "Kundennummer": "external_id",
}
"""What its columns are; the import is told by ``columns``."""
DATE_FORMAT: Final = "DD.MM.YYYY"
_FIRST: Final = ("Anna", "Jörg", "Zoë", "MARIE", "bernd", "José", "Renée", "Åsa", "Anne Marie", "Li")
_LAST: Final = ("Müller", "O'Hara", "von der Heide", "SCHMIDT", "Weiß", "garcía", "Lind", "Özdemir", "Nguyen")
_TAGS: Final = ("Stammkunde", "Farbe, Schnitt", "VIP;Farbe", "", "", "kommt mit Hund")


def salon_file(customers: int, *, seed: int = 1, numbered: bool = True, encoding: str = "cp1252") -> bytes:
    """The file: ``customers`` of them, some twice or in other notations, with blanks, and rows of separators between.

    Twice are only those who have an address: of whom there is nothing but a name, nobody can tell.

    Not ``numbered``, its rows have no id of the salon's own.
    """
    draw = random.Random(seed)  # noqa: S311 - the same in every run
    rows: list[list[str]] = []
    for number in range(customers):
        first, last = draw.choice(_FIRST), f"{draw.choice(_LAST)} {_letters(number)}"
        email = draw.choice((f"{_letters(number)}.Kunde@Example.com", f"{_letters(number)}@example.com", "", "keine"))
        subscriber = 10_000_000 + number
        mobiles = [f"0151 {subscriber}", f"0151/{subscriber}", f"+49 (0)151 {subscriber}", f"0049151{subscriber}", ""]
        mobiles += [f"151{subscriber}.0", f'="0151{subscriber}"', f"49151{subscriber}", "", "fehlt"]
        mobile = draw.choice(mobiles)
        row = [
            first,
            last,
            email,
            mobile,
            draw.choice(("", f"030 {number:07d}", f"030 {number:07d} App. 12")),
            draw.choice(("", f"{number % 28 + 1:02d}.{number % 12 + 1:02d}.19{number % 60 + 40}", "00.00.0000")),
            draw.choice(("", f"{number % 28 + 1}.{number % 12 + 1}.2019 09:30", "2020-02-29 00:00:00")),
            draw.choice(_TAGS),
            draw.choice(("", "de-DE", "DE", "en_GB", "xx")),
            draw.choice(("", "Nein", "nein", "Ja", "marketing")),
            draw.choice(("", "0", "1", "x", "")),
            draw.choice(("", 'sagt "bitte anrufen"', "zwei\nZeilen; mit Semikolon")),
            f"K-{number}",
        ]
        rows.append(row)
        can_be_told = "@" in email or "1" in mobile
        if number % 17 == 0 and can_be_told:
            rows.append(row)
        if number % 23 == 0 and can_be_told:
            # Written once more, with another hand.
            rows.append([first.upper(), f" {last.lower()} ", email.upper(), mobile, *row[4:]])
        if number % 100 == 50:
            rows += [[""] * len(COLUMNS)] * 3
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    kept = len(COLUMNS) if numbered else len(COLUMNS) - 1
    for row in ([*COLUMNS], *rows):
        writer.writerow(row[:kept])
    return out.getvalue().encode(encoding)


def _letters(number: int) -> str:
    """A number as a word, because names have no digits."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))
