"""Turns what the demo found into a report that somebody who runs a salon can read."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from local.demo.api import Campaign, Stack
from local.demo.regulars import Gift, Regular
from local.demo.single_messages import Sent
from local.demo.story import Check, Facts, FlaggedAddress, import_in_words

_WIDTH: Final = 100
_SHOWN: Final = 5

LEFT_OUT: Final[Mapping[str, str]] = {
    "no_address": "has no such address",
    "invalid_contact": "address is flagged as not working",
    "opted_out": "asked not to get these",
    "channel_off": "this kind of message is switched off",
    "frequency_cap": "had enough messages lately",
    "same_address": "another customer with the address gets it",
    "not_found": "no longer a customer",
}
"""Why somebody is left out of a campaign, in plain words."""

RESULTS: Final[Mapping[str, str]] = {
    "delivered": "delivered",
    "bounced": "came back: the address's fault",
    "failed": "failed for another reason",
    "uncertain": "uncertain: nobody knows whether it went out",
    "sent": "sent, no final word yet",
    "queued": "still to be sent",
    "cancelled": "cancelled",
}
"""What became of a message, in plain words; in this order in every table."""

_ALWAYS_SHOWN: Final = ("delivered", "bounced", "failed", "uncertain", "sent")

REASONS: Final[Mapping[str, str]] = {
    "bounce:mailbox_does_not_exist": "the mailbox does not exist",
    "bounce:permanent_failure": "the mail server refused it for good",
    "bounce:mailbox_full": "the mailbox is full",
    "bounce:temporary_failure": "out of reach several times in a row",
    "text:invalid_number": "not a valid phone number",
    "text:not_a_mobile_number": "the number cannot receive texts",
    "text:landline": "the number is a landline",
    "text:unknown_number": "the number is no longer in service",
}
"""Why an address is flagged, in plain words; a reason without an entry is shown as the API gives it."""


TIERS: Final[Mapping[str, str]] = {
    "favourite": "favourites, chosen by the staff",
    "new": "new",
    "top": "top, who come most often",
    "inactive": "inactive, away for more than 30 days",
    "loyal": "loyal",
}
"""Loyalty tiers in plain words."""


def table(rows: Iterable[tuple[str, Sequence[str]]], headings: Sequence[str], indent: str = "  ") -> str:
    """Lines with a label on the left and the cells right-aligned in columns under their headings."""
    body = list(rows)
    label_width = max([len(label) for label, _ in body] + [0])
    widths = [max([len(heading)] + [len(cells[at]) for _, cells in body]) for at, heading in enumerate(headings)]
    lines = [("", headings), *body]
    return "\n".join(
        (
            indent
            + label.ljust(label_width)
            + "".join("   " + cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        ).rstrip()
        for label, cells in lines
    )


def campaign_table(campaigns: Sequence[tuple[str, Campaign]]) -> str:
    """Campaigns side by side: who was in the segment, who was left out and why, what became of the rest."""
    shown = [campaign for _, campaign in campaigns]

    def row(label: str, numbers: Iterable[int]) -> tuple[str, list[str]]:
        return label, [f"{number:,}" for number in numbers]

    reasons = _ordered((reason for each in shown for reason in each.audience.excluded), LEFT_OUT)
    results = _ordered((result for each in shown for result in each.results), RESULTS)
    rows = [row("In the segment", (each.audience.matched for each in shown))]
    rows.append(row("Left out", (each.audience.left_out for each in shown)))
    for reason in reasons:
        numbers = [each.audience.excluded.get(reason, 0) for each in shown]
        if any(numbers):
            rows.append(row(f"   {LEFT_OUT.get(reason, reason)}", numbers))
    rows.append(row("Sent to", (each.audience.targeted for each in shown)))
    for result in _ordered((*results, *_ALWAYS_SHOWN), RESULTS):
        numbers = [each.results.get(result, 0) for each in shown]
        if any(numbers) or result in _ALWAYS_SHOWN:
            rows.append(row(f"   {RESULTS.get(result, result)}", numbers))
    return table(rows, [label for label, _ in campaigns])


def flagged_table(flagged: Sequence[FlaggedAddress]) -> str:
    """Flagged addresses by reason, most frequent first, each with one customer as an example."""
    lines = []
    for channel, title in (("email", "mailbox"), ("sms", "mobile number")):
        addresses = [each for each in flagged if each.channel == channel]
        counts = Counter(each.reason for each in addresses)
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            example = min((each for each in addresses if each.reason == reason), key=lambda each: each.address)
            lines.append((title, REASONS.get(reason, reason), f"{count:,}", example.name))
    if not lines:
        return "  nobody"
    widths = [max(len(line[at]) for line in lines) for at in range(3)]
    return "\n".join(
        f"  {title.ljust(widths[0])}   {reason.ljust(widths[1])}   {count.rjust(widths[2])}   such as {example}"
        for title, reason, count, example in lines
    )


def checks_list(checks: Iterable[Check]) -> str:
    """What was checked, with what was found where it does not hold."""
    return "\n".join(
        f"  {'ok   ' if check.holds else 'WRONG'}  {check.sentence}"
        + ("" if check.holds or not check.detail else f"\n         {check.detail}")
        for check in checks
    )


def report(facts: Facts) -> str:
    """The whole report."""
    line = "=" * _WIDTH
    parts = [line, f"Juniper & Vale, a salon that does not exist, and its {facts.customers:,} customers", line]
    parts.append(f"Imported: {import_in_words(facts.import_job)}.")
    if facts.is_second_run:
        parts.append("(The stack had customers already, so this run gave the test mailboxes labels of their own.)")
    if facts.email and facts.text:
        first = campaign_table([("Email to everybody", facts.email), ("Text to VIPs", facts.text)])
        parts += ["", "THE FIRST CAMPAIGNS", first, *_uncertain(facts)]
    mailboxes = sum(1 for each in facts.flagged if each.channel == "email")
    numbers = len(facts.flagged) - mailboxes
    parts += [
        "",
        f"FLAGGED: {mailboxes:,} customers' mailboxes and {numbers:,} customers' mobile numbers do not work",
        flagged_table(facts.flagged),
        "  Blocks, opt-outs, spam complaints, busy networks, unknown codes and our own mistakes flag nobody.",
    ]
    if facts.email and facts.email_after_second and facts.second:
        both = campaign_table([("First email", facts.email_after_second), ("Second email", facts.second)])
        parts += ["", "THE SECOND EMAIL LEAVES THE FLAGGED OUT", both]
        late = facts.email.without_a_final_word - facts.email_after_second.without_a_final_word
        if late > 0:
            parts.append(
                f"  For {late:,} of the first emails the final word came only after the second email was out. A\n"
                "  failure that is older than a delivery does not outweigh it, so nobody was flagged for that."
            )
    if facts.returned:
        parts += ["", "BACK AGAIN"]
        for each in facts.returned:
            address = each.before if each.before == each.after else f"{each.before} → {each.after}"
            parts.append(f"  {each.name}: {each.how}\n     {address}")
    if facts.third:
        delivered = facts.third.results.get("delivered", 0)
        parts.append(f"  The next marketing email: {facts.third.audience.targeted} sent to, {delivered} delivered.")
    if facts.confirmed:
        parts += ["", "A CONFIRMATION FROM A TEMPLATE WITH A LAYOUT", _sent(facts.confirmed)]
    if facts.fell_back:
        parts += ["", "A TEXT MORE THAN THE PLAN HAS ROOM FOR", _sent(facts.fell_back.within)]
        parts += [_sent(facts.fell_back.after)]
    parts += [*_passed(facts), *_regulars(facts.regular)]
    parts += ["", "DOES IT ADD UP?", checks_list(facts.checks), "", _verdict(facts)]
    return "\n".join(parts)


def what_next(stack: Stack) -> str:
    """Commands to go on with; the key is read from its file, so that it does not end up in a terminal's history."""
    return f"""The stack is still up. The API's address and the key are in .local/stack.json. To go on with curl:

  API={stack.api_url}
  KEY=$(python3 -c 'import json; print(json.load(open(".local/stack.json"))["api_key"])')

  # customers whose mailbox is flagged, with the reason
  curl -s -H "Authorization: Bearer $KEY" "$API/v1/customers?failed=email&limit=5"
  # who would get a text if all VIPs were written to now
  curl -s -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
       -d '{{"segment_id": "vip", "channel": "sms", "category": "marketing"}}' "$API/v1/segments/preview"
  # the whole API
  curl -s "$API/v1/openapi.json"
  # every message that the stand-in for the providers was handed
  curl -s "{stack.twin_url.rstrip("/")}/log" | tail -n 3

`make down` stops it."""


def _sent(sent: Sent) -> str:
    return f"  {sent.name}, by {'email' if sent.channel == 'email' else 'text'} to {sent.address}: {sent.status}"


def _passed(facts: Facts) -> list[str]:
    if facts.passed is None:
        return []
    gone = [f"  {each.name}: {', '.join(each.arrived)}. {each.sentence}" for each in facts.passed.all]
    return ["", "A SEQUENCE OF FIVE STEPS, BY ITSELF", *gone]


def _regulars(regular: Regular) -> list[str]:
    occurred = [each for each in (regular.birthdays, regular.lost) if each]
    parts: list[str] = []
    if occurred:
        parts += ["", "OUT BY ITSELF: BIRTHDAYS, AND CUSTOMERS WHO STAY AWAY"]
        for each in occurred:
            told = each.recurring
            parts.append(f"  {told.name}: {told.status}, each day at {told.at}; next on {told.next_date}")
        parts.append(campaign_table([(f"{each.recurring.name}, {each.day}", each.campaign) for each in occurred]))
    if regular.gift:
        parts += ["", "A GIFT TO THE MEMBERS, AND WHAT IT BROUGHT IN", *_gift(regular.gift)]
    if regular.tiers:
        parts += ["", f"LOYALTY, BY {regular.told:,} VISITS, PURCHASES AND MORE OF A YEAR"]
        counts = [*regular.tiers.tiers.items(), ("of no tier", regular.tiers.without_tier)]
        parts.append(table([(TIERS.get(tier, tier), [f"{count:,}"]) for tier, count in counts], ["Customers"]))
    return parts


def _gift(gift: Gift) -> list[str]:
    results, used, found = gift.campaign.results, gift.redemption, gift.brought_in
    return [
        f"  {gift.campaign.audience.targeted:,} vouchers sent, {results.get('delivered', 0):,} delivered",
        f"  {gift.name} came with {used.code}: {used.discount} {used.currency} off an order of {used.amount}",
        f"  Redeemed: {found.redeemed} · revenue: {_money(found.revenue)} · reward: {_money(found.reward)}",
    ]


def _money(amounts: Mapping[str, str]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in amounts.items()) or "nothing"


def _verdict(facts: Facts) -> str:
    wrong, checks = len(facts.failed_checks), len(facts.checks)
    holds = f"{wrong} of {checks} checks do not hold." if wrong else f"All {checks} checks hold."
    return f"{holds} The demo took {facts.seconds:.0f} seconds."


def _uncertain(facts: Facts) -> list[str]:
    if facts.uncertain:
        more = " …" if len(facts.uncertain) > _SHOWN else ""
        return [f"  Uncertain, and not sent again on a guess: {', '.join(facts.uncertain[:_SHOWN])}{more}"]
    if facts.peak_uncertain:
        were = "was" if facts.peak_uncertain == 1 else "were"
        return [
            f"  For a while {facts.peak_uncertain:,} {were} uncertain: the provider did not say whether it was sent.",
            "  Nothing was sent again on a guess; the provider's later word settled it.",
        ]
    return []


def _ordered(names: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """Each name once: the known ones in their order, then the others."""
    found = set(names)
    return [name for name in known if name in found] + sorted(found - set(known))
