"""The pure parts of the demo's output: tables, the final report, the progress line."""

import io

import pytest

from local.demo.api import Audience, BroughtIn, Campaign, Recurring, Redemption, Stack, Tiers
from local.demo.progress import Progress, campaign_line
from local.demo.regulars import Gift, Occurred, Regular
from local.demo.report import campaign_table, checks_list, flagged_table, report, table, what_next
from local.demo.story import Check, Facts, FlaggedAddress


def campaign(
    status: str = "completed",
    excluded: dict[str, int] | None = None,
    targeted: int = 10,
    results: dict[str, int] | None = None,
) -> Campaign:
    excluded = excluded or {}
    audience = Audience(targeted + sum(excluded.values()), excluded, targeted)
    return Campaign("c1", status, audience, results or {}, None)


def test_columns_line_up_under_their_headings() -> None:
    lines = table([("a", ["1"]), ("longer", ["1,000"])], ["Sent"]).splitlines()
    assert lines == ["            Sent", "  a            1", "  longer   1,000"]


def test_a_campaigns_table_shows_reasons_and_results_that_occur_in_plain_words() -> None:
    one = campaign(
        excluded={"no_address": 2, "new_reason": 1}, targeted=1_200, results={"delivered": 1_199, "bounced": 1}
    )
    two = campaign(excluded={"invalid_contact": 3}, targeted=4, results={"delivered": 3, "oddity": 1})
    assert campaign_table([("One", one), ("Two", two)]).splitlines() == [
        "                                                     One   Two",
        "  In the segment                                   1,203     7",
        "  Left out                                             3     3",
        "     has no such address                               2     0",
        "     address is flagged as not working                 0     3",
        "     new_reason                                        1     0",
        "  Sent to                                          1,200     4",
        "     delivered                                     1,199     3",
        "     came back: the address's fault                    1     0",
        "     failed for another reason                         0     0",
        "     uncertain: nobody knows whether it went out       0     0",
        "     sent, no final word yet                           0     0",
        "     oddity                                            0     1",
    ]


def test_flagged_addresses_are_counted_by_reason_the_most_frequent_first() -> None:
    flagged = [
        FlaggedAddress("email", "bounce:mailbox_full", "Ana Silva", "mailboxfull+a@twin.example.com"),
        FlaggedAddress("email", "bounce:mailbox_does_not_exist", "Bo Berg", "bounce+b@simulator.amazonses.com"),
        FlaggedAddress("email", "bounce:mailbox_does_not_exist", "Cy Diaz", "bounce+c@simulator.amazonses.com"),
        FlaggedAddress("sms", "text:of_a_new_kind", "美咲 渡辺", "+15553000511"),
    ]
    assert flagged_table(flagged).splitlines() == [
        "  mailbox         the mailbox does not exist   2   such as Bo Berg",
        "  mailbox         the mailbox is full          1   such as Ana Silva",
        "  mobile number   text:of_a_new_kind           1   such as 美咲 渡辺",
    ]


def test_nobody_flagged_is_said_so() -> None:
    assert flagged_table([]) == "  nobody"


def test_a_check_that_does_not_hold_shows_what_was_found() -> None:
    assert checks_list([Check("sums", True, "unused"), Check("flags", False, "one is missing")]).splitlines() == [
        "  ok     sums",
        "  WRONG  flags",
        "         one is missing",
    ]


def test_a_report_with_a_failed_check_does_not_claim_success() -> None:
    facts = Facts(customers=3, checks=[Check("sums", True), Check("flags", False, "one is missing")], seconds=12.4)
    assert report(facts).splitlines()[-1] == "1 of 2 checks do not hold. The demo took 12 seconds."


def test_what_went_out_by_itself_and_what_a_gift_brought_in_are_told() -> None:
    sent = campaign(targeted=5, results={"delivered": 5})
    recurring = Recurring("r1", "Birthdays", "on", "09:30", "2031-05-07")
    gift = Gift(
        sent, "Ana Silva", Redemption("1-AB", "till", "80.00", "8.00", "USD"), BroughtIn(1, {"USD": "72.00"}, {})
    )
    told = Regular(told=2_000, birthdays=Occurred(recurring, "2031-05-06", sent), gift=gift, tiers=Tiers({"top": 7}, 3))
    lines = report(Facts(customers=3, regular=told)).splitlines()
    assert "  Birthdays: on, each day at 09:30; next on 2031-05-07" in lines
    assert "  5 vouchers sent, 5 delivered" in lines
    assert "  Ana Silva came with 1-AB: 8.00 USD off an order of 80.00" in lines
    assert "  Redeemed: 1 · revenue: 72.00 USD · reward: nothing" in lines
    at = lines.index("LOYALTY, BY 2,000 VISITS, PURCHASES AND MORE OF A YEAR")
    assert [line.split()[-1] for line in lines[at + 1 : at + 4]] == ["Customers", "7", "3"]


def test_the_report_fits_a_wide_terminal() -> None:
    facts = Facts(customers=2_400, email=campaign(), text=campaign(), second=campaign(), peak_uncertain=1)
    facts.email_after_second = campaign()
    assert max(map(len, report(facts).splitlines())) <= 110


def test_what_to_try_next_names_the_address_and_never_shows_the_key() -> None:
    text = what_next(Stack("http://127.0.0.1:4566/api", "rb_secret", "http://127.0.0.1:4567/"))
    assert "API=http://127.0.0.1:4566/api\n" in text
    assert "http://127.0.0.1:4567/log" in text
    assert ".local/stack.json" in text
    assert "rb_secret" not in text


def test_the_progress_line_shows_each_campaign() -> None:
    email = campaign("sending", targeted=1_000, results={"delivered": 500, "sent": 100, "queued": 400})
    text = campaign("expanding", targeted=7)
    assert campaign_line([("email", email), ("text", text)], 4.2) == (
        "email [#####-----] 500 of 1,000 · text: working out who gets it (7 so far) · 4 s"
    )


def test_uncertain_messages_have_no_final_word() -> None:
    found = campaign("sending", targeted=10, results={"delivered": 7, "uncertain": 2, "sent": 1})
    assert (found.settled, found.without_a_final_word, found.waiting) == (7, 3, 0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_is_written_over_and_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    out = Terminal()
    progress = Progress(out, lambda: 0.0)
    progress.update("a long line that does not fit in there")
    progress.update("short")
    progress.done("done")
    long_line = "   a long line that does not…"
    assert len(long_line) == 29
    assert out.getvalue() == f"\r{long_line}\r{'   short'.ljust(29)}\r{' ' * 8}\r   done\n"


def test_elsewhere_a_plain_line_is_written_now_and_then() -> None:
    seconds = iter([0.0, 1.0, 4.9, 5.0, 6.0, 7.0])
    out = io.StringIO()
    progress = Progress(out, lambda: next(seconds))
    for number in range(5):
        progress.update(f"line {number}")
    progress.step("next")
    progress.update("line 5")
    assert out.getvalue() == "   line 0\n   line 3\nnext\n   line 5\n"
