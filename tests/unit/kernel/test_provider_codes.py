"""The table of provider codes, row by row, and what a code without a row means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.provider_codes import FailureClass, Provider, all_codes, look_up

EXPECTED: dict[Provider, dict[FailureClass, set[str]]] = {
    Provider.SES: {
        FailureClass.INVALID: {
            "Permanent/NoEmail",
            "Permanent/General",
            "Transient/MailboxFull",
            "SuppressionList/BOUNCE",
            "smtp/5.1.1",
            "smtp/5.1.2",
            "smtp/5.1.3",
            "smtp/5.1.10",
            "smtp/5.4.4",
        },
        FailureClass.UNREACHABLE: {
            "Transient/General",
            "Transient/General/NoReport",
            "Transient/CustomTimeoutExceeded",
            "smtp/4",
        },
        FailureClass.PROVISIONAL: {
            "Complaint/OnAccountSuppressionList",
            "Permanent/Suppressed",
            "Permanent/OnAccountSuppressionList",
            "Permanent/OnTenantSuppressionList",
            "Permanent/EmailValidationSuppressed",
        },
        FailureClass.OPTED_OUT: {"Permanent/UnsubscribedRecipient"},
        FailureClass.BLOCKED: {"Complaint"},
        FailureClass.TRANSIENT: {
            "Undetermined/Undetermined",
            "ACCOUNT_THROTTLED",
            "ACCOUNT_DAILY_QUOTA_EXCEEDED",
            "TRANSIENT_FAILURE",
            "FAILED",
        },
        FailureClass.SENDER_FAULT: {
            "MAIL_FROM_DOMAIN_NOT_VERIFIED",
            "RECIPIENT_NOT_VERIFIED",
            "CONFIGURATION_SET_NOT_FOUND",
            "TEMPLATE_NOT_FOUND",
            "ACCESS_DENIED",
            "ACCOUNT_SUSPENDED",
            "INVALID_SENDING_POOL_NAME",
            "ACCOUNT_SENDING_PAUSED",
            "CONFIGURATION_SET_SENDING_PAUSED",
            "smtp/5.1.7",
            "smtp/5.1.8",
            "smtp/5.7",
        },
        FailureClass.CONTENT: {
            "Reject",
            "Rendering Failure",
            "Transient/ContentRejected",
            "Transient/AttachmentRejected",
            "Transient/MessageTooLarge",
            "MESSAGE_REJECTED",
            "INVALID_PARAMETER",
        },
    },
    Provider.SNS: {
        FailureClass.INVALID: {"Invalid phone number"},
        FailureClass.UNREACHABLE: {
            "Phone is currently unreachable/unavailable",
            "Phone carrier is currently unreachable/unavailable",
        },
        FailureClass.OPTED_OUT: {"Phone number is opted out"},
        FailureClass.BLOCKED: {
            "Phone has blocked SMS",
            "Phone is on a blocked list",
            "Destination is on a blocked list",
        },
        FailureClass.TRANSIENT: {"Rate exceeded", "Unknown error attempting to reach phone"},
        FailureClass.SENDER_FAULT: {
            "This delivery would exceed max price",
            "Sandboxed account unable to send to number.",
            "ACCESS_DENIED",
        },
        FailureClass.CONTENT: {
            "Blocked as spam by phone carrier",
            "Phone carrier has blocked this message",
            "Message body is invalid",
        },
    },
    Provider.TWILIO: {
        FailureClass.INVALID: {"21211", "21614", "21635", "30005"},
        FailureClass.UNREACHABLE: {"30003", "30006"},
        FailureClass.OPTED_OUT: {"21610"},
        FailureClass.BLOCKED: {"30004", "63033"},
        FailureClass.TRANSIENT: {
            *(
                "20429",
                "20500",
                "21611",
                "30001",
                "30008",
                "30017",
                "30022",
                "30023",
                "30036",
                "30410",
                "30450",
                "30500",
            ),
        },
        FailureClass.SENDER_FAULT: {
            *("20003", "21408", "21601", "21606", "21608", "21612", "21703", "21704", "30002", "30018", "30024"),
            *("30032", "30033", "30034", "30035"),
        },
        FailureClass.CONTENT: {"21617", "30007"},
    },
}
ROWS = [
    (provider, code, failure_class)
    for provider, classes in EXPECTED.items()
    for failure_class, codes in classes.items()
    for code in sorted(codes)
]


@pytest.mark.parametrize(("provider", "code", "failure_class"), ROWS)
def test_a_code_has_its_class(provider: Provider, code: str, failure_class: FailureClass) -> None:
    assert look_up(provider, code).failure_class is failure_class


def test_the_table_has_exactly_the_expected_rows() -> None:
    assert sorted((row.provider, row.code) for row in all_codes()) == sorted((row[0], row[1]) for row in ROWS)


def test_every_row_gives_a_reason_a_source_and_a_sentence() -> None:
    for row in all_codes():
        assert row.reason.replace("_", "").replace(":", "").isalpha()
        assert row.reason == row.reason.lower()
        assert row.source
        assert row.sentence.endswith(".")


def test_only_invalid_and_unreachable_speak_of_the_address() -> None:
    assert {one for one in FailureClass if one.is_about_the_address} == {FailureClass.INVALID, FailureClass.UNREACHABLE}


@given(provider=st.sampled_from(Provider), code=st.none() | st.text() | st.from_regex(r"\A\d{5}\Z"))
def test_an_unknown_code_is_never_evidence_against_an_address(provider: Provider, code: str | None) -> None:
    if any((row.provider, row.code) == (provider, code) for row in all_codes()):
        return
    found = look_up(provider, code)
    assert found.failure_class is FailureClass.UNKNOWN
    assert not found.failure_class.is_about_the_address
    assert (code or "") in found.reason


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        (Provider.TWILIO, "Permanent/NoEmail"),
        (Provider.SES, "21211"),
        (Provider.SNS, "invalid phone number"),
        (Provider.SES, "Permanent"),
        (Provider.SES, ""),
    ],
)
def test_a_code_of_another_provider_or_nearly_right_is_unknown(provider: Provider, code: str) -> None:
    assert look_up(provider, code).failure_class is FailureClass.UNKNOWN


def test_only_what_came_without_a_report_is_outdone_by_a_delivery() -> None:
    assert {row.code for row in all_codes() if row.outdone_by_delivery} == {"Transient/General/NoReport"}
    assert not look_up(Provider.SES, "nobody knows").outdone_by_delivery
