"""What keeps a business's messages back, in words that name the setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rebound.businesses.domain.business import Barrier, Business
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError


def check_barrier(business: Business, channel: Channel, *, asks_confirmation: bool = False) -> None:
    """Raise ``ConflictError``, naming the setting, when the business's settings keep such messages back."""
    barrier = business.barrier(channel, asks_confirmation=asks_confirmation)
    if barrier is not None:
        raise ConflictError("channel_off", _BARRED[barrier, channel], channel=channel, barrier=barrier)


_BARRED: Final[Mapping[tuple[Barrier, Channel], str]] = {
    (Barrier.SWITCHED_OFF, Channel.EMAIL): (
        "Emails are switched off for this business: set switches.email to true in its settings (PATCH /v1/business)."
    ),
    (Barrier.SWITCHED_OFF, Channel.SMS): (
        "Texts are switched off for this business: set switches.sms to true in its settings (PATCH /v1/business)."
    ),
    (Barrier.CONFIRMATIONS_OFF, Channel.SMS): (
        "Text confirmations are switched off for this business: set switches.text_confirmations to true in "
        "its settings (PATCH /v1/business) first, or text without asks_confirmation."
    ),
    (Barrier.NO_BUNDLE, Channel.SMS): (
        "Text confirmations come with the premium bundle, and this business has the basic one: whoever runs Rebound "
        "can change it (rebound set-bundle). Or text without asks_confirmation."
    ),
    (Barrier.NO_STOP_URL, Channel.SMS): (
        "The business texts from a name, which nobody can answer with STOP: a text that sells must have ##{{stop_url}}."
    ),
    (Barrier.NO_ANSWERS, Channel.SMS): (
        "The business texts from a name, which nobody can answer: choose a text_from that is a number or a short code "
        "in its settings (PATCH /v1/business) first, or text without asks_confirmation."
    ),
    (Barrier.NO_SENDER, Channel.EMAIL): "The business has no email_from: set it in its settings (PATCH /v1/business).",
    (Barrier.NO_SENDER, Channel.SMS): "The business has no text_from: set it in its settings (PATCH /v1/business).",
}
