"""What happened with somebody, in sentences."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct

from rebound.contacts.domain.history import ConsentStated, FlagChanged
from rebound.contacts.domain.replies import Reply
from rebound.customers.domain import Customer, PointsBooked, ProfileEvent
from rebound.messages.domain.messages import Message
from rebound.sequences.domain.what_next import InSequence, sentence_of_sequence
from rebound.timeline.application.read_timeline import Happened, Timeline
from rebound.timeline.domain import (
    sentence_of_consent,
    sentence_of_flag,
    sentence_of_message,
    sentence_of_points,
    sentence_of_profile,
    sentence_of_reply,
    sentence_of_waiting,
)


class ShownEntry(Struct, frozen=True):
    """One thing that happened."""

    at: datetime
    sentence: str


def entries_of(timeline: Timeline) -> Sequence[ShownEntry]:
    """The entries of a part of it, newest first."""
    return [ShownEntry(entry.at, sentence_of(entry, timeline.others)) for entry in timeline.entries.items]


def sentence_of(entry: Happened, others: Mapping[str, Customer] = MappingProxyType({})) -> str:
    """What happened; ``others`` are the customers of relations."""
    match entry.what:
        case Message() as message if entry.waits_because is not None:
            return sentence_of_waiting(message, entry.waits_because)
        case Message() as message:
            return sentence_of_message(message)
        case PointsBooked() as booked:
            return sentence_of_points(booked)
        case InSequence() as told:
            return sentence_of_sequence(told)
        case Reply() as reply:
            return sentence_of_reply(reply)
        case ProfileEvent() as event:
            return sentence_of_profile(event, others)
        case ConsentStated(statement) if entry.channel is not None:
            return sentence_of_consent(statement, entry.channel)
        case FlagChanged() as change if entry.channel is not None:
            return sentence_of_flag(change, entry.channel)
    raise ValueError("no such entry")
