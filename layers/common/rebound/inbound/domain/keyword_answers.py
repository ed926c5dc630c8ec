"""What is answered to STOP, START and HELP: who writes, and how it ends or begins again.

Carriers want each answer to name the business, and HELP to say how to reach a person (CTIA, "Messaging Principles and
Best Practices"). The texts keep to GSM-7, so that with a name of usual length each fits one segment: Spanish and
Portuguese do without the accents that it lacks. The words to text stay English, because those are what providers know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from rebound.kernel.languages import read_words

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.contacts.domain.keywords import Keyword


@cache
def _answers(language: str) -> Mapping[str, str]:
    answers: Mapping[str, str] = read_words("inbound", language)["keyword_answers"]
    return answers


def answer_to(keyword: Keyword, businesses: Sequence[Business], language: str) -> str:
    """One answer for the businesses that share a sender, in their order; at least one."""
    contacts = [business.owner_email for business in businesses if business.owner_email is not None]
    names = ", ".join(business.name for business in businesses)
    contact = ", ".join(dict.fromkeys(contacts)) or names
    # One after the other would read a placeholder in a name.
    return _answers(language)[keyword].format_map({"name": names, "contact": contact})
