"""The sentences about each reason to leave somebody out, one row each, for readers at a reception desk."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.businesses.domain.business import RECIPIENT_LIMIT, Barrier
from rebound.businesses.domain.frequency import CapState
from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.consent.domain.taking_back import how_to_take_back
from rebound.contacts.domain.reachability import REACHABLE, Verdict
from rebound.contacts.domain.suppressions import LISTED_BOUNCE
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import Exclusion, Hold
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ADJECTIVES, Scope
from rebound.kernel.provider_codes import look_up

SHOWN_ZONES: Final = 4


class ExclusionWords(Struct, frozen=True, kw_only=True):
    """The sentences about one reason.

    ``stops`` says why a message is not sent, ``step`` the one thing to do about it, and ``passes`` what the rule found
    when it lets a message pass (empty for a reason without a rule). ``left_out`` is the end of the sentence about a
    message that was not sent, "It was left out: …".
    """

    stops: Callable[[Case], str]
    step: Callable[[Case], str]
    left_out: str
    passes: Callable[[Case], str] = lambda _: ""


# --- words ------------------------------------------------------------------------------------------------------------


def address_noun(case: Case) -> str:
    """What the channel's address is called."""
    return "email address" if case.mailing.channel is Channel.EMAIL else "mobile number"


def _by(case: Case) -> str:
    return "email" if case.mailing.channel is Channel.EMAIL else "text"


def plural_noun(case: Case) -> str:
    """What the channel's messages are called."""
    return "emails" if case.mailing.channel is Channel.EMAIL else "texts"


def kind_of_message(case: Case) -> str:
    """The category as people say it, at the beginning of a sentence."""
    return case.mailing.category.traits.plural


def written(at: datetime, case: Case) -> str:
    """A time as the business's own clock shows it."""
    local = at.astimezone(ZoneInfo(case.business.time_zone))
    return f"{local.day} {local:%B %Y, %H:%M}"


def days(number: int) -> str:
    """A number of days in words."""
    return "1 day" if number == 1 else f"{number} days"


# --- why, and why not -------------------------------------------------------------------------------------------------


def holding_sentence(hold: Hold, case: Case) -> str:
    """Why a recipient gets the message later, and when."""
    when = f"sent on {written(hold.until, case)}, by the business's clock"
    if hold.because is HoldReason.SEND_AT:
        return f"The time for which the message was planned has not come where the customer is; it is {when}."
    if hold.because is HoldReason.WINNER:
        return f"Which variant is best is tried on others first; the best of them is {when}."
    return (
        f"It is quiet time {_where(case)}, so {kind_of_message(case).lower()} wait and are {when}. Quiet hours for "
        f"{plural_noun(case)} are {_hours(case)}."
    )


def _hours(case: Case) -> str:
    window = case.business.quiet_hours.window(case.mailing.channel, case.mailing.category)
    return "none" if window is None else f"{window.start:%H:%M} to {window.end:%H:%M}"


def _where(case: Case) -> str:
    """Where the customer is, or may be, and how that is known."""
    zones = sorted(case.places.zones)
    if case.customer.time_zone is not None:
        return f"where the customer is ({zones[0]}, as entered here)"
    if len(zones) == 1:
        return f"where the customer is taken to be ({zones[0]})"
    named = ", ".join(zones[:SHOWN_ZONES])
    more = f" and {len(zones) - SHOWN_ZONES} more" if len(zones) > SHOWN_ZONES else ""
    return f"in one of the time zones that the mobile number may belong to ({named}{more})"


_BARRED: Final[Mapping[Barrier, str]] = {
    Barrier.SWITCHED_OFF: "The business has switched {plural} off, so none go out.",
    Barrier.CONFIRMATIONS_OFF: "The business has switched text confirmations off, so none go out.",
    Barrier.NO_BUNDLE: "Text confirmations come with the premium bundle, which the business does not have.",
    Barrier.NO_STOP_URL: "The text comes from a name, which nobody can answer, and has no link to stop {plural} with.",
    Barrier.NO_ANSWERS: "The text asks for an answer, and the business sends {plural} from a name.",
    Barrier.NO_SENDER: "The business has no sender set for {plural}, so none go out.",
}


def _not_sent(case: Case) -> str:
    return _BARRED[case.barrier or Barrier.NO_SENDER].format(plural=plural_noun(case))


def _can_be_sent(case: Case) -> str:
    asks = case.mailing.asks_confirmation and not _is_email(case)
    return f"The business can send {'text confirmations' if asks else plural_noun(case)}."


def _no_address(case: Case) -> str:
    rest = "" if _is_email(case) else "; day and night numbers are not texted"
    return f"The customer has no {address_noun(case)}{rest}."


def _opted_out(case: Case) -> str:
    what = f"{ADJECTIVES[case.opted_out_of or Scope.ALL]} {plural_noun(case)}"
    return f"The customer has opted out of {what} from this business."


def _flagged(case: Case) -> str:
    evidence = _verdict(case).evidence
    cause = look_up(evidence.provider, evidence.code).sentence if evidence is not None else "Messages to it came back."
    due = case.next_try_at
    probe = "" if due is None else f" One marketing message is tried from {written(due, case)} on."
    flagged = f"The {address_noun(case)} is flagged as invalid, and {kind_of_message(case).lower()} leave it out."
    return f"{flagged} {cause}{probe}"


def _not_yet(case: Case) -> str:
    evidence, due = _verdict(case).evidence, case.next_try_at
    cause = f" {look_up(evidence.provider, evidence.code).sentence}" if evidence is not None else ""
    when = f"from {written(due, case)} on" if due is not None else "later"
    return (
        f"The {address_noun(case)} is flagged as invalid, and {kind_of_message(case).lower()} are tried {when}.{cause}"
    )


def _capped(case: Case) -> str:
    full = [state for state in _cap_states(case) if state.free_again_at is not None]
    caps = " and ".join(
        f"“{state.cap.name}” allows (at most {state.cap.at_most} within {days(state.cap.within_days)})"
        for state in full
    )
    when = f", and is free again on {written(case.free_again_at, case)}" if case.free_again_at is not None else ""
    return f"The customer has had as many messages as {caps or 'you allow'}{when}."


def _allowed(case: Case) -> str:
    if case.contact is not None and case.contact.consent.opted_out:
        only = " and ".join(ADJECTIVES[scope] for scope in case.contact.consent.opted_out)
        return f"The customer has opted out of {only} {plural_noun(case)} only, and this is none."
    return f"The customer has not opted out of {plural_noun(case)}."


def _need_not_confirm(case: Case) -> str:
    if not case.mailing.category.is_promotional:
        return "This rule is about marketing."
    if not case.business.double_opt_in.is_asked_for(case.mailing.channel):
        return f"The business asks nobody to confirm that they want marketing {plural_noun(case)}."
    return "The customer has confirmed that they want marketing."


def _not_left_out(case: Case) -> str:
    noun = address_noun(case)
    if not _verdict(case).invalid:
        return f"The {noun} is not flagged as invalid."
    if not case.mailing.category.is_promotional:
        how = "still tried" if case.next_try_at is None else "tried now and then"
        return f"The {noun} is flagged as invalid, but {kind_of_message(case).lower()} are {how}."
    if case.try_is_due:
        return f"The {noun} is flagged as invalid, but a try with one marketing message is due."
    return f"The {noun} is flagged as invalid, but this campaign is sent to it all the same."


def _need_not_wait(case: Case) -> str:
    noun = address_noun(case)
    if case.mailing.category.is_promotional:
        return "This rule is about messages that are not marketing."
    if not case.business.recovery.spaced:
        return "The business tries flagged addresses every time."
    if not _verdict(case).invalid:
        return f"The {noun} is not flagged as invalid."
    if case.next_try_at is None:
        return f"The {noun} is flagged for something that does not pass by itself, and is tried every time."
    if case.try_is_due:
        return f"The {noun} is flagged as invalid, and its next try is due."
    return f"The {noun} is flagged as invalid, but this campaign is sent to it all the same."


def _has_room(case: Case) -> str:
    if not case.business.is_capped(case.mailing.category, case.mailing.channel):
        return f"The business has no cap on how many {kind_of_message(case).lower()} a customer gets."
    counted = ", ".join(f"{s.counted} of {s.cap.at_most} by “{s.cap.name}”" for s in _cap_states(case))
    return f"There is room for one more under every cap{f': {counted} so far' if counted else ''}."


def _cap_states(case: Case) -> Sequence[CapState]:
    return () if case.frequency is None else case.frequency.states(case.business.frequency_caps, case.hand_over)


def _until(case: Case) -> str:
    return written(case.mailing.expires_at or case.now, case)


def _is_not_quiet(case: Case) -> str:
    if case.business.quiet_hours.window(case.mailing.channel, case.mailing.category) is None:
        return f"{kind_of_message(case)} by {'email' if _is_email(case) else 'text'} go out at any hour."
    return f"It is not quiet time {_where(case)}; quiet hours for {plural_noun(case)} are {_hours(case)}."


def _is_email(case: Case) -> bool:
    return case.mailing.channel is Channel.EMAIL


def _verdict(case: Case) -> Verdict:
    return case.contact.verdict(case.business.policy) if case.contact is not None else REACHABLE


# --- what to do -------------------------------------------------------------------------------------------------------


def _let_it_be_sent(case: Case) -> str:
    what = {
        Barrier.SWITCHED_OFF: f"{plural_noun(case)} on again (switches.{case.mailing.channel})",
        Barrier.CONFIRMATIONS_OFF: "text confirmations on again (switches.text_confirmations)",
    }
    match case.barrier:
        case Barrier.SWITCHED_OFF | Barrier.CONFIRMATIONS_OFF as barrier:
            return f"Ask whoever looks after your messaging to switch {what[barrier]} in the business's settings."
        case Barrier.NO_BUNDLE:
            return "Ask whoever runs Rebound for the premium bundle, or text without asking for a confirmation."
        case Barrier.NO_STOP_URL:
            return "Send a text that has ##{{stop_url}}, or ask whoever runs Rebound for a number to text from."
        case Barrier.NO_ANSWERS:
            return "Text without asking for a confirmation, or ask whoever runs Rebound for a number to text from."
        case _:
            return _set_a_sender(case)


def _set_a_sender(case: Case) -> str:
    what = "an address to send from (email_from)" if _is_email(case) else "a number to text from (text_from)"
    return f"Ask whoever looks after your messaging to set {what} in the business's settings."


def _ask_for_an_address(case: Case) -> str:
    return f"Ask the customer for a{'n' * _is_email(case)} {address_noun(case)} and enter it here."


def _respect_the_opt_out(case: Case) -> str:
    scope = case.opted_out_of or Scope.ALL
    opt_out = case.contact.consent.of(scope).opt_out if case.contact is not None else None
    if opt_out is None:
        return "Leave it as it is."
    step = how_to_take_back(opt_out, case.mailing.channel, case.business.text_from)
    left = _kept_on(case, scope)
    return step if left is None else f"{step.removesuffix('.')}; {left} sent."


def _kept_on(case: Case, scope: Scope) -> str | None:
    """What an opt-out of a scope leaves as it is, up to the verb of the sentence; ``None`` for nothing."""
    if scope is Scope.ALL or case.contact is None or case.contact.consent.keeps_back(Scope.ALL):
        return None
    other = Scope.MARKETING if scope is Scope.TRANSACTIONAL else Scope.TRANSACTIONAL
    if case.contact.consent.keeps_back(other):
        return "messages to this customer alone are still"
    return "marketing may still be" if other is Scope.MARKETING else "reminders are still"


def mend_the_address(case: Case) -> str:
    """What to do about an address that is flagged."""
    evidence = _verdict(case).evidence
    if evidence is not None and evidence.code == LISTED_BOUNCE:
        return (
            f"Ask the customer whether the {address_noun(case)} is right: if it is, confirm it here, which also takes "
            "it off Amazon's suppression list; if not, correct it. Either clears the flag."
        )
    due = case.contact.next_try_at(case.business.policy) if case.contact is not None else None
    if due is not None:
        return f"Nothing to do: {_next_try(case, due)} tried and clears the flag when it arrives."
    return f"Ask the customer for another {address_noun(case)}, then correct it here: that clears the flag."


def _next_try(case: Case, due: datetime) -> str:
    """The beginning of a sentence on what is tried next under the business's options, up to its verb."""
    recovery = case.business.recovery
    when = "" if due <= case.now else f" from {written(due, case)} on"
    if recovery.spaced:
        return f"the next {'message' if recovery.probe_marketing else 'reminder'}{when} is"
    if recovery.probe_marketing:
        return f"the next reminder or{when} a marketing message is"
    return "the next reminder is still"


def _wait_for_room(case: Case) -> str:
    when = f" from {written(case.free_again_at, case)} on" if case.free_again_at is not None else " soon"
    return f"Nothing to do: the customer gets these messages again{when}, by the caps in the business's settings."


def _missing(case: Case) -> str:
    return " and ".join(case.missing_variables) or "a variable"


WORDS: Final[Mapping[Exclusion, ExclusionWords]] = {
    Exclusion.NOT_FOUND: ExclusionWords(
        stops=lambda _: "There is no such customer (any more).",
        step=lambda _: "Look the customer up again: this one has been removed.",
        left_out="the customer had been removed",
    ),
    Exclusion.CHANNEL_OFF: ExclusionWords(
        stops=_not_sent,
        passes=_can_be_sent,
        step=_let_it_be_sent,
        left_out="the business had switched such messages off, or had no sender set",
    ),
    Exclusion.ACCOUNT_HELD: ExclusionWords(
        stops=lambda _: "The account mostly sends bulk and is held: nothing goes to many until the hold is lifted.",
        passes=lambda case: (
            "The account is held, which keeps back what goes to many, and this does not."
            if case.business.hold is not None
            else "The account is not held."
        ),
        step=lambda case: (
            "Ask whoever runs Rebound to lift the hold" + (f": {hold.contact}" if (hold := case.business.hold) else ".")
        ),
        left_out="the account was held, because it mostly sent bulk",
    ),
    Exclusion.TAKEN_OUT: ExclusionWords(
        stops=lambda _: "The customer was taken out of this campaign by hand.",
        passes=lambda _: "Nobody has taken the customer out by hand.",
        step=lambda _: "Nothing to do: whoever planned the campaign wanted it to go without this customer.",
        left_out="the customer had been taken out of the campaign by hand",
    ),
    Exclusion.NO_ADDRESS: ExclusionWords(
        stops=_no_address,
        passes=lambda case: f"The customer has a{'n' * _is_email(case)} {address_noun(case)}.",
        step=_ask_for_an_address,
        left_out="the customer had no address to send it to",
    ),
    Exclusion.OPTED_OUT: ExclusionWords(
        stops=_opted_out, passes=_allowed, step=_respect_the_opt_out, left_out="the customer had opted out"
    ),
    Exclusion.NOT_CONFIRMED: ExclusionWords(
        stops=lambda case: (
            f"The business sends marketing {plural_noun(case)} only to those who have confirmed that they want them, "
            "and this customer has not."
        ),
        passes=_need_not_confirm,
        step=lambda case: (
            "Ask the customer whether they want marketing, and have the question sent to their "
            f"{address_noun(case)} from here: once they confirm, the next message is sent."
        ),
        left_out="the customer had not confirmed that they want marketing",
    ),
    Exclusion.REMINDER_OFF: ExclusionWords(
        stops=lambda case: f"Reminders by {_by(case)} are switched off in the customer's profile.",
        passes=lambda case: (
            f"Reminders by {_by(case)} are on in the customer's profile."
            if case.mailing.category.traits.follows_reminders
            else "This rule is about reminders."
        ),
        step=lambda case: (
            "Nothing to do if the customer wants it so; else switch them on in the profile "
            f"(reminders.{case.mailing.channel}), or remind by another channel."
        ),
        left_out="the customer had switched reminders off on this channel",
    ),
    Exclusion.INVALID_CONTACT: ExclusionWords(
        stops=_flagged, passes=_not_left_out, step=mend_the_address, left_out="the address was flagged as invalid"
    ),
    Exclusion.WAITING_FOR_RETRY: ExclusionWords(
        stops=_not_yet,
        passes=_need_not_wait,
        step=mend_the_address,
        left_out="the address was flagged as invalid, and its next try not due yet",
    ),
    Exclusion.NO_TIER_CONTENT: ExclusionWords(
        stops=lambda case: (
            f"The campaign says something to these tiers: {', '.join(sorted(case.mailing.contents or ()))}; the "
            "customer is of none of them."
        ),
        passes=lambda _: "The message says something to everybody whom it is for.",
        step=lambda _: "Give a content for the customer's loyalty tier as well, or one content for everybody.",
        left_out="the campaign had nothing to say to the customer's loyalty tier",
    ),
    Exclusion.MISSING_VARIABLE: ExclusionWords(
        stops=lambda case: (
            f"The message cannot do without {_missing(case)}, which says nothing for this customer and has no default."
        ),
        passes=lambda _: "Nothing is missing that the message cannot do without.",
        step=lambda case: (
            f"Fill in {_missing(case)}: in the customer's profile if it is there, else where the message is made; or "
            "give it a default in the template."
        ),
        left_out="something that it could not do without said nothing for this customer",
    ),
    Exclusion.FREQUENCY_CAP: ExclusionWords(
        stops=_capped,
        passes=_has_room,
        step=_wait_for_room,
        left_out="the customer had had as many messages as a cap allows",
    ),
    Exclusion.SAME_ADDRESS: ExclusionWords(
        stops=lambda case: (
            f"Another customer ({case.goes_to}) has the same {address_noun(case)} and gets the message there: what "
            "sells goes to each address once."
        ),
        passes=lambda case: (
            f"Nobody else gets the message at this {address_noun(case)} instead."
            if case.mailing.once_per_address
            else f"The message is for this customer, whoever else has the {address_noun(case)}."
        ),
        step=lambda case: (
            f"Nothing to do if they are one household; enter the customer's own {address_noun(case)} if there is one, "
            "or remove the profile if both are one person."
        ),
        left_out="another customer with the same address got it",
    ),
    Exclusion.RECIPIENT_LIMIT: ExclusionWords(
        stops=lambda _: (
            f"Without the marketing bundle, campaigns by email reach fewer than {RECIPIENT_LIMIT} recipients a day "
            "together, and this one would make it more: nobody gets it."
        ),
        passes=lambda _: "The business may reach all whom this is for.",
        step=lambda _: (
            "Ask whoever runs Rebound for the marketing bundle, send to fewer, or send on a day with fewer campaigns."
        ),
        left_out=f"it would have made {RECIPIENT_LIMIT} recipients or more that day, without the marketing bundle",
    ),
    Exclusion.EXPIRED: ExclusionWords(
        stops=lambda case: (
            f"The message would come too late: it was to arrive before {_until(case)}, and it may not go out before "
            "then."
        ),
        passes=lambda case: (
            "The message has no time after which it would come too late."
            if case.mailing.expires_at is None
            else f"The message is in time: it has until {_until(case)}."
        ),
        step=lambda _: "Nothing to do here: send it again with a later expires_at if it is still of use.",
        left_out="by the time at which it could go out it would have come too late",
    ),
    Exclusion.QUIET_HOURS: ExclusionWords(
        stops=lambda case: (
            "No minute of the day is outside the quiet hours everywhere the customer may be: the mobile number may "
            f"belong to {len(case.places.zones)} time zones."
        ),
        passes=_is_not_quiet,
        step=lambda _: (
            "Ask the customer where they live and enter the time zone here: then only the night there counts."
        ),
        left_out="it was quiet time at every hour in one of the zones of its mobile number",
    ),
    Exclusion.HOLDOUT: ExclusionWords(
        stops=lambda _: (
            "The campaign is kept from some of its recipients, drawn by lot, to see what it does for the others; this "
            "customer is one of them."
        ),
        passes=lambda case: (
            "The campaign is kept from nobody for the sake of comparison."
            if case.mailing.split is None or not case.mailing.split.holdout
            else "The campaign is kept from some for the sake of comparison, and this customer is not one of them."
        ),
        step=lambda _: "Nothing to do: the next campaign draws anew.",
        left_out="the campaign was kept from some of its recipients, by lot, to see what it does for the others",
    ),
    Exclusion.CANNOT_RENDER: ExclusionWords(
        stops=lambda _: "With this customer's details filled in, the message was empty or far too long.",
        step=lambda _: "Fill in the details of the customer that the message shows, or have its wording changed.",
        left_out="with this customer's details filled in, it was empty or far too long",
    ),
    Exclusion.TEXT_PLAN_EXHAUSTED: ExclusionWords(
        stops=lambda _: (
            "The texts of the business's plan are used up for this month, and the message may not go to this customer "
            "by email instead."
        ),
        step=lambda _: (
            "Ask whoever runs Rebound for a larger text plan, or add an email address that the customer agrees to."
        ),
        left_out="the business's text plan was used up, and it might not go by email",
    ),
}
