"""What is said about texts that are stopped: since when, by whom, and what brings them back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.consent.domain.consent import ConsentEvidence
from rebound.consent.domain.taking_back import TakenBackBy, how_to_take_back, number_to_text, taken_back_by
from rebound.contacts.domain.replies import Keyword
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource
from rebound.kernel.languages import read_words
from rebound.kernel.text_senders import SenderKind, kind_of


@cache
def _answers(language: str) -> Mapping[str, str]:
    answers: Mapping[str, str] = read_words("inbound", language)["keyword_answers"]
    return answers


def answer_to(keyword: Keyword, businesses: Sequence[Business], language: str) -> str:
    """One answer for the businesses (at least one) that share a sender, which it names in their order."""
    contacts = [business.owner_email for business in businesses if business.owner_email is not None]
    names = ", ".join(business.name for business in businesses)
    contact = ", ".join(dict.fromkeys(contacts)) or names
    # In one pass: a second one would replace a placeholder that stands in a name.
    return _answers(language)[keyword].format_map({"name": names, "contact": contact})


class StoppedTexts(Struct, frozen=True):
    """The opt-out of all texts that is in force, for the reception desk.

    ``text_start_to`` is the number to which the customer texts START; ``None`` when something else brings texts back,
    or when we do not know the number: then ``sentence`` says where to find it.
    """

    since: datetime
    source: ConsentSource
    text_start_to: str | None
    sentence: str


def stopped_texts(opt_out: ConsentEvidence, business: Business, number_texted: str | None) -> StoppedTexts:
    """The opt-out for the desk; ``number_texted`` is the number to which the customer texted STOP, if it is known.

    A START to the business's own number counts. A messaging service sends from several numbers, of which only the one
    that the customer texted is known here.
    """
    if taken_back_by(opt_out) is not TakenBackBy.CUSTOMER:
        return StoppedTexts(
            opt_out.at, opt_out.source, None, how_to_take_back(opt_out, Channel.SMS, business.text_from)
        )
    sender = business.text_from
    kind = None if sender is None else kind_of(sender)
    number = sender if kind in (SenderKind.NUMBER, SenderKind.SHORT_CODE) else number_texted
    where = number or number_to_text(sender)
    if number is None and kind is SenderKind.MESSAGING_SERVICE:
        where += f"; in Twilio's console it is in the sender pool of the messaging service {sender}"
    return StoppedTexts(
        opt_out.at, opt_out.source, number, f"Only the customer can undo this: they text START to {where}."
    )
