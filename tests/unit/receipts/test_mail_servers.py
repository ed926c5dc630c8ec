"""A mail server's own status goes before the label that SES gives a bounce, and never says more than it does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.provider_codes import FailureClass, Provider, all_codes, look_up
from rebound.receipts.adapters.mail_servers import NO_REPORT, code_of_bounce

NAMING = ("5.1.1", "5.1.2", "5.1.3", "5.1.10", "5.4.4")
LABELS = tuple(
    row.code
    for row in all_codes()
    if row.provider is Provider.SES
    and row.code.startswith(("Permanent/", "Transient/", "Und"))
    and row.code != NO_REPORT
)
SES_OWN = tuple(label for label in LABELS if "Suppress" in label or "Unsubscribed" in label)
TRIED = tuple(label for label in LABELS if label not in SES_OWN)
BEFORE = st.sampled_from(["smtp; ", "smtp;", " SMTP ;", "Smtp;\t", "smtp;\r\n "])
TEXT = st.sampled_from(["", " Invalid domain", " <ana@example.com>... 5.7.1 is not what this says", " 4.2.2"])
number = st.integers(0, 120)
statuses = st.builds(lambda a, b, c: f"{a}.{b}.{c}", st.sampled_from([2, 4, 5]), st.integers(0, 9), number)


def class_of(code: str) -> FailureClass:
    return look_up(Provider.SES, code).failure_class


@given(st.sampled_from(TRIED), st.sampled_from(NAMING), BEFORE, st.sampled_from("- "), TEXT, st.data())
def test_a_status_that_names_the_address_flags_whatever_the_label(
    label: str, status: str, before: str, dash: str, text: str, data: st.DataObject
) -> None:
    said = data.draw(st.sampled_from([f"550{dash}{status}", f"550{dash}#{status}", status]))
    field = data.draw(st.sampled_from([status, f" {status} ", f"{status} (bad address)", "5.0.0", None]))
    code = code_of_bounce(label, field, before + said + text)

    assert class_of(code) is FailureClass.INVALID
    assert not look_up(Provider.SES, code).recoverable
    assert code in (label, f"smtp/{status}")


@given(st.sampled_from(TRIED), st.sampled_from(NAMING), BEFORE)
def test_the_status_is_enough_where_the_servers_text_has_none(label: str, status: str, before: str) -> None:
    assert class_of(code_of_bounce(label, status, f"{before}550 user unknown")) is FailureClass.INVALID


@given(
    st.sampled_from(LABELS),
    st.sampled_from(NAMING),
    st.sampled_from(["x-unix; ", "dns; ", "", "Amazon SES: ", "smtp ", "xsmtp; "]),
)
def test_only_smtp_is_a_mail_servers_word(label: str, status: str, before: str) -> None:
    assert code_of_bounce(label, status, f"{before}550 {status} no such user") == label


@given(st.sampled_from(SES_OWN), statuses, BEFORE)
def test_what_ses_did_not_try_stays_what_it_is(label: str, status: str, before: str) -> None:
    assert code_of_bounce(label, status, f"{before}550 {status} suppressed") == label


@given(st.sampled_from(LABELS), statuses, st.none() | statuses, st.sampled_from(["", "550 ", "450 ", "421-"]), BEFORE)
def test_no_other_status_ever_names_the_address(
    label: str, said: str, field: str | None, reply: str, before: str
) -> None:
    code = code_of_bounce(label, field, f"{before}{reply}{said} words")
    words = {word for word in (said, field) if word}
    if reply.startswith("4") or words - {*NAMING, "5.0.0", "4.0.0", "2.0.0"}:
        assert code == label or class_of(code) is not FailureClass.INVALID


@given(st.sampled_from(["Permanent/General", "Permanent/NoEmail"]), number, number, BEFORE)
def test_a_temporary_answer_is_not_for_good_whatever_the_label(
    label: str, subject: int, detail: int, before: str
) -> None:
    code = code_of_bounce(label, f"4.{subject}.{detail}", f"{before}451 4.{subject}.{detail} later")

    assert class_of(code) is FailureClass.UNREACHABLE


@given(st.sampled_from(TRIED), st.sampled_from(["5.1.7", "5.1.8"]) | number.map(lambda n: f"5.7.{n}"), BEFORE)
def test_what_is_ours_or_a_policys_is_never_the_addresss_fault(label: str, status: str, before: str) -> None:
    assert not class_of(code_of_bounce(label, status, f"{before}550 {status} refused")).is_about_the_address


@pytest.mark.parametrize(
    ("status", "diagnostic"),
    [
        ("5.1.1", "smtp; 550 5.7.1 blocked"),
        ("5.7.1", "smtp; 550 5.1.1 unknown"),
        ("5.1.1", "smtp; 450 4.2.1 busy"),
        ("4.4.7", "smtp; 550 5.1.1 unknown"),
        ("5.1.1", "smtp; 450 5.1.1 unknown"),
        ("5.1.1", "smtp; 550 5.2.1 disabled"),
    ],
)
def test_where_the_words_disagree_the_one_that_says_least_against_the_address_holds(
    status: str, diagnostic: str
) -> None:
    assert class_of(code_of_bounce("Transient/General", status, diagnostic)) is not FailureClass.INVALID


@pytest.mark.parametrize("label", ["Transient/MailboxFull", "Transient/General", "Transient/CustomTimeoutExceeded"])
def test_a_temporary_answer_leaves_a_label_that_passes_as_it_is(label: str) -> None:
    assert code_of_bounce(label, "4.2.2", "smtp; 452 4.2.2 over quota") == label


@pytest.mark.parametrize("status", ["5.1.100", "5.1.1.1", "5.01.1", "5.1", "15.1.1", "none"])
def test_what_only_begins_like_a_status_is_none(status: str) -> None:
    assert code_of_bounce("Transient/General", status, "smtp; 550 no") == "Transient/General"


def test_a_temporary_failure_without_a_report_has_a_code_of_its_own() -> None:
    assert code_of_bounce("Transient/General", None, None) == NO_REPORT
    assert code_of_bounce("Transient/General", "4.4.7", None) == "Transient/General"
    assert code_of_bounce("Transient/General", None, "smtp; 451 later") == "Transient/General"
    assert code_of_bounce("Permanent/General", None, None) == "Permanent/General"
