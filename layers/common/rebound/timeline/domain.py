"""The entries of the logs that people read, each in a sentence or two for the reception desk."""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final

from rebound.campaigns.application.find_waiting import WaitReason
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.history import FlagChanged
from rebound.contacts.domain.replies import Decision, Keyword, Meaning, Reply
from rebound.customers.domain import (
    ASKED_CUSTOMER,
    ASKED_OTHER,
    BY_FORM,
    Customer,
    PointsBooked,
    ProfileEvent,
    ProfileEventKind,
)
from rebound.eligibility.domain.explanation import attempt_sentence
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ADJECTIVES, ConsentSource
from rebound.kernel.provider_codes import all_codes
from rebound.messages.domain.appointments import Answered
from rebound.messages.domain.messages import Message, MessageStatus


def sentence_of_message(message: Message) -> str:
    """What was sent where, and what became of it."""
    what = f"{_kind(message)} to {message.shown_address}" if message.shown_address else _kind(message)
    match message.status:
        case MessageStatus.DELIVERED:
            return f"Sent {what}, and it was delivered."
        case MessageStatus.SENT:
            return f"Sent {what}; there is no word yet of whether it arrived."
        case MessageStatus.EXCLUDED | MessageStatus.CANCELLED:
            return f"Did not send {what}. {_attempt(message)}"
        case MessageStatus.FAILED | MessageStatus.BOUNCED:
            return f"Could not deliver {what}. {_attempt(message)}"
        case MessageStatus.QUEUED | MessageStatus.SENDING:
            return f"About to send {what}."
        case MessageStatus.UNCERTAIN:
            return f"Tried to send {what}. {_attempt(message)}"


def _attempt(message: Message) -> str:
    """What became of it; a copy or an invitation was for somebody else than the customer in whose log it stands."""
    sentence = attempt_sentence(message)
    return sentence.replace("the customer", "the recipient") if message.is_for_another else sentence


def sentence_of_waiting(message: Message, because: WaitReason) -> str:
    """What is about to be sent, and what it waits for."""
    return f"{sentence_of_message(message)} {_WAITS[because]}"


_WAITS: Final[Mapping[WaitReason, str]] = {
    WaitReason.QUIET_HOURS: "It waits until the quiet hours are over where the customer is.",
    WaitReason.SEND_AT: "It waits for the time that was set for it.",
    WaitReason.WINNER: "It waits until it is known which variant is best.",
    WaitReason.DAILY_QUOTA: "It waits until the provider takes more: the day's quota is used up.",
    WaitReason.PAUSED: "Its campaign is paused; it goes out after a resume.",
    WaitReason.TURN: "Nothing keeps it back: it waits for its turn.",
}


def sentence_of_points(booked: PointsBooked) -> str:
    """What was booked, by whom, for what."""
    count = abs(booked.delta)
    what = f"{count} point{'' if count == 1 else 's'}"
    done = f"added {what}" if booked.delta > 0 else f"took off {what}"
    return f"{booked.who} {done}: {booked.reason}. The balance was {booked.balance} afterwards."


def sentence_of_answer(answer: Answered) -> str:
    """What the customer said about the appointment."""
    if answer.confirmed:
        return "Confirmed via the link in an email." if answer.is_by_link else "Confirmed via text."
    return "Answered by text, and it is not clear what is meant: somebody should read it."


def _kind(message: Message) -> str:
    if message.asks_confirmation:
        return "email confirmation" if message.channel is Channel.EMAIL else "text confirmation"
    one = f"{message.category.traits.adjective} {'email' if message.channel is Channel.EMAIL else 'text'}"
    if message.relation_id is not None:
        return "an invitation to family and friends"
    return one if message.copy_of is None else f"a copy of the {one}"


def sentence_of_consent(statement: ConsentEvidence, channel: Channel) -> str:
    """What somebody said about consent, and how."""
    plural = "emails" if channel is Channel.EMAIL else "texts"
    what = f"{ADJECTIVES[statement.scope]} {plural}"
    if statement.source is ConsentSource.REVIEW:
        return (
            f"Held {what} back until staff have read their text."
            if statement.opted_out
            else f"Let {what} through again{_by(statement.who)}."
        )
    how = _HOW[statement.source]
    if statement.source is ConsentSource.KEYWORD and statement.words:
        how = f"by texting {_quoted(statement.words)}"
    return f"Opted {'out of' if statement.opted_out else 'in to'} {what} {how}{_by(statement.who)}."


def _by(who: str | None) -> str:
    """Who at the desk did it, where that is known."""
    return f" ({who})" if who else ""


_HOW: Final[Mapping[ConsentSource, str]] = {
    ConsentSource.KEYWORD: "by a text of their own",
    ConsentSource.ONE_CLICK: "by the link in a message",
    ConsentSource.DOUBLE_OPT_IN: "by confirming what we asked",
    ConsentSource.COMPLAINT: "by marking a message as spam",
    ConsentSource.PROVIDER: "at the provider, which told us so",
    ConsentSource.STAFF: "through staff",
    ConsentSource.IMPORT: "through an import",
    ConsentSource.API: "through a client of the API",
}


def sentence_of_flag(change: FlagChanged, channel: Channel) -> str:
    """That an address was flagged as invalid, or is not flagged any more."""
    noun = "email address" if channel is Channel.EMAIL else "mobile number"
    if change.reason is None:
        return f"The {noun} is not flagged as invalid any more."
    return f"The {noun} was flagged as invalid. {_sentence_of_reason(change.reason)}"


def sentence_of_reply(reply: Reply) -> str:
    """What somebody texted, what it was taken for, and whether somebody must still read it."""
    texted = f"Texted {_quoted(reply.body)}" if reply.body is not None else "Texted something that is not kept any more"
    meant = _KEYWORDS.get(reply.keyword) if reply.keyword is not None else _MEANT.get(reply.meaning)
    if reply.meaning is Meaning.CONFIRMATION and not reply.confirms:
        meant = "which may confirm an appointment"
    sentence = f"{texted}, {meant}." if meant else f"{texted}."
    if reply.decision is not None:
        return f"{sentence} {_DECIDED[reply.decision]}{_by(reply.resolved_by)}."
    return f"{sentence} Somebody should read it." if reply.is_waiting else sentence


_DECIDED: Final[Mapping[Decision, str]] = {
    Decision.OPT_OUT: "It was read as a wish for no more texts",
    Decision.KEEP: "It was read, and texts go on",
}


_KEYWORDS: Final[Mapping[Keyword, str]] = {
    Keyword.STOP: "which stops all texts",
    Keyword.START: "which brings texts back",
    Keyword.HELP: "which asks who is texting",
}
_MEANT: Final[Mapping[Meaning, str]] = {
    Meaning.CONFIRMATION: "which confirms the appointment",
    Meaning.REVOCATION: "which reads like a wish for no more texts",
    Meaning.REACTION: "which a phone sent as a reaction to a text of ours",
}


def sentence_of_profile(event: ProfileEvent, others: Mapping[str, Customer] = MappingProxyType({})) -> str:
    """What happened with the profile, and who did it; ``others`` are those customers of relations who are there."""
    if event.kind in _OF_RELATIONS:
        other = _other(event, others)
        asked = {ASKED_CUSTOMER: ("The customer", other), ASKED_OTHER: (_begun(other), "the customer")}
        who, whom = asked.get(event.asked or "", ("One of the two", "the other"))
        relation = f"as {event.relationship}" if event.relationship else "as family or friend"
        sentence = _OF_RELATIONS[event.kind].format(other=other, who=who, whom=whom, relation=relation)
        return f"{sentence.removesuffix('.')}{_by(event.who)}."
    how = "in the form behind a link" if event.via == BY_FORM else "in a portal"
    fields = _listed([name.replace("_", " ") for name in event.fields]) or "profile"
    if event.kind in _BY_STAFF:
        return _BY_STAFF[event.kind].format(who=event.who, fields=fields)
    if event.kind is ProfileEventKind.CONFIRMED_BY_CUSTOMER:
        return f"The customer said that their {fields} is right, {how}."
    return f"The customer changed their {fields} {how}."


_BY_STAFF: Final[Mapping[ProfileEventKind, str]] = {
    ProfileEventKind.EDITED_BY_STAFF: "{who} changed {fields}.",
    ProfileEventKind.CONFIRMED_BY_STAFF: "{who} said that the {fields} is right.",
    ProfileEventKind.DETAILS_ASKED: "{who} had the customer asked to check their details.",
}
_OF_RELATIONS: Final[Mapping[ProfileEventKind, str]] = {
    ProfileEventKind.RELATION_INVITED: "{who} was asked by email whether to be linked with {whom}, {relation}.",
    ProfileEventKind.RELATION_ADDED: "Linked with {other} {relation}.",
    ProfileEventKind.RELATION_ACCEPTED: "{who} accepted: linked with {other} {relation}.",
    ProfileEventKind.RELATION_DECLINED: "{who} declined: not linked with {other} {relation}.",
    ProfileEventKind.RELATION_REMOVED: "No longer linked with {other} {relation}.",
}


def _other(event: ProfileEvent, others: Mapping[str, Customer]) -> str:
    """The other one of a relation: a customer by the name that they have now, and by none once they are deleted."""
    if event.name:
        return _quoted(event.name)
    found = None if event.other_id is None else others.get(event.other_id)
    return "a customer who was deleted" if found is None else found.full_name


def _begun(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _listed(names: Sequence[str]) -> str:
    *most, last = names or [""]
    return f"{', '.join(most)} and {last}" if most else last


LONGEST_QUOTE: Final = 160


def _quoted(words: str) -> str:
    """The words in quotation marks, on one line, at most ``LONGEST_QUOTE`` characters of them."""
    line = " ".join(words.split())
    return f'"{line if len(line) <= LONGEST_QUOTE else f"{line[: LONGEST_QUOTE - 1]}…"}"'


@cache
def _sentences() -> Mapping[str, str]:
    return {row.reason: row.sentence for row in all_codes()}


def _sentence_of_reason(reason: str) -> str:
    return _sentences().get(reason, "Messages to it came back.")
