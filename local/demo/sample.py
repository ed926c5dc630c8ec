"""Reads the sample customers, and gives their test mailboxes new labels when the stack has seen them before."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAMPLE_FILE: Final = Path(__file__).parent.parent / "samples" / "salon_customers.csv"

_LABELLED: Final = re.compile(r"[^@+]+\+[^@]+@(simulator\.amazonses\.com|twin\.example\.com)")


@dataclass(frozen=True)
class SampleCustomer:
    """What the demo needs to know of one line of the file; ``""`` where the customer has no such address."""

    external_id: str
    first_name: str
    last_name: str
    email: str
    mobile_phone: str
    tags: frozenset[str]
    birthday: str = ""


def e164(number: str) -> str:
    """A number of the sample as Rebound stores it; those without a country code are American."""
    digits = re.sub(r"\D", "", number)
    if not digits or number.startswith("+"):
        return number and f"+{digits}"
    return f"+1{digits}"


def relabelled(csv_text: str, run: str) -> str:
    """The file with ``.<run>`` added to every label of a test mailbox.

    Some of the twin's mailboxes remember what they were sent. A second run over the same stack therefore needs
    mailboxes of its own to tell the same story; what becomes of a text is in the number's digits and never changes.
    """
    rows = csv.DictReader(io.StringIO(csv_text))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows.fieldnames or (), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        if _LABELLED.fullmatch(row["email"]):
            row["email"] = row["email"].replace("@", f".{run}@")
        writer.writerow(row)
    return out.getvalue()


def with_birthday(csv_text: str, birthday: str, external_ids: Iterable[str]) -> str:
    """The file with that birthday for some of its customers."""
    theirs = set(external_ids)
    rows = csv.DictReader(io.StringIO(csv_text))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows.fieldnames or (), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "birthday": birthday} if row["external_id"] in theirs else row for row in rows)
    return out.getvalue()


def parse(csv_text: str) -> list[SampleCustomer]:
    """The customers of a file's text, in its order."""
    return [
        SampleCustomer(
            external_id=row["external_id"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            email=row["email"],
            mobile_phone=e164(row["mobile_phone"]),
            tags=frozenset(filter(None, row["general_tags"].split(";"))),
            birthday=row["birthday"],
        )
        for row in csv.DictReader(io.StringIO(csv_text))
    ]


def replacement_mailbox(address: str, taken: Iterable[str]) -> str:
    """An ordinary mailbox in place of one that is gone: ``ana.silva.7@example.com`` for ``bounce+ana.silva.7@…``."""
    local = address.partition("@")[0].partition("+")[2] or "new.address"
    used = set(taken)
    candidate, number = f"{local}@example.com", 2
    while candidate in used:
        candidate, number = f"{local}-{number}@example.com", number + 1
    return candidate
