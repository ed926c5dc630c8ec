"""From the events as SES writes them to what is known of the address: flags, opt-outs, message statuses."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.contacts.application import SuppressionListClient
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import STANDARD_POLICY, STRICT_POLICY, policy_of
from rebound.kernel.consent_words import Scope
from rebound.kernel.provider_codes import Provider
from rebound.messages.application.record_evidence import RecordEvidence
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.receipts.adapters.receipts_queue import decode
from rebound.receipts.application.apply_receipts import ApplyReceipts
from rebound.text_plans.application.meter_texts import MeterTexts
from tests.contract.contacts.fakes import MemoryContactBook, MemorySuppressionList, client_of
from tests.contract.messages.fakes import MemoryMessageLog
from tests.fakes.making import at, contact_key, message, message_key

ADDRESS: Final = "ana1@example.com"
"""Where message 1 went."""
FORMS: Final = (
    "Ana Silva <{}>",
    "<{}>",
    '"Silva, Ana" <{}>',
    "=?utf-8?Q?Silva,_Ana?= <{}>",
    "{} (Ana Silva)",
    "(Ana) {}.",
    "rfc822; {}",
    "Silvas: other@example.com, <{}>;",
    " {}\r\n",
)
POLICIES: Final = (STANDARD_POLICY, STRICT_POLICY, policy_of("custom", {"invalid": 1, "unreachable": 1}))


def no_text_plans() -> MeterTexts:
    raise AssertionError("no text of these is counted")


class Mail:
    """One email that went out, and what SES tells of it."""

    def __init__(self) -> None:
        self.log = MemoryMessageLog()
        self.contacts = MemoryContactBook()
        suppressions: SuppressionListClient = client_of(MemorySuppressionList())
        self.log.record_new([message(1, provider=Provider.SES)])
        stored = self.contacts.get_many([contact_key(1)])[contact_key(1)]
        self.contacts.save(Contact(stored.key, customer_ids=frozenset({message_key(1).customer_id})))
        self._apply = ApplyReceipts(
            messages=self.log,
            contacts=self.contacts,
            suppressions=suppressions,
            record_evidence=RecordEvidence(messages=self.log, contacts=self.contacts),
            meter=no_text_plans,
        )

    def tell(self, *events: dict[str, Any]) -> None:
        """Events in the order in which they come."""
        for event in events:
            applied = self._apply({"1": decode(json.dumps(event))})
            assert not applied.again

    @property
    def contact(self) -> Contact:
        return self.contacts.rows[contact_key(1)]

    @property
    def message(self) -> Message:
        return self.log.rows[message_key(1)]

    def is_flagged(self, policy: Any = STANDARD_POLICY) -> bool:
        return self.contact.verdict(policy).invalid


def event(kind: str, part: str, seconds: float, **fields: object) -> dict[str, Any]:
    key = message_key(1)
    tags = {name: [getattr(key, name)] for name in ("business_id", "customer_id", "message_id")}
    mail = {"timestamp": iso(at(1)), "messageId": "ses-1", "destination": [ADDRESS], "tags": tags}
    return {"eventType": kind, "mail": mail, part: {"timestamp": iso(at(seconds)), **fields}}


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def bounce(
    label: str = "Permanent/General", seconds: float = 60, written: str = ADDRESS, **said: str
) -> dict[str, Any]:
    kind, subtype = label.split("/")
    recipients = [{"emailAddress": written, **said}]
    return event("Bounce", "bounce", seconds, bounceType=kind, bounceSubType=subtype, bouncedRecipients=recipients)


def delivery(seconds: float = 3, written: str = ADDRESS) -> dict[str, Any]:
    return event("Delivery", "delivery", seconds, recipients=[written])


def complaint(written: str) -> dict[str, Any]:
    return event("Complaint", "complaint", 90, complainedRecipients=[{"emailAddress": written}])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("address", [ADDRESS, ADDRESS.upper(), "Ana1@Example.COM"])
def test_whatever_form_the_address_has_it_is_the_one_that_was_sent_to(form: str, address: str) -> None:
    written = form.format(address)
    bounced, delivered, complained = Mail(), Mail(), Mail()
    bounced.tell(bounce(written=written))
    delivered.tell(delivery(written=written))
    complained.tell(complaint(written))

    assert (bounced.message.status, bounced.is_flagged()) == (MessageStatus.BOUNCED, True)
    assert delivered.message.status is MessageStatus.DELIVERED
    assert complained.contact.consent.opted_out == (Scope.MARKETING,)
    bounced.tell(delivery(70, written))
    assert not bounced.is_flagged()


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: str(policy.thresholds))
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_out_of_office_answer_is_nothing_under_every_policy_in_every_order(
    order: Sequence[int], policy: Any
) -> None:
    mail = Mail()
    told = [delivery(3), bounce("Transient/General", 4), bounce("Transient/General", 5000)]
    mail.tell(*(told[index] for index in order))

    assert mail.message.status is MessageStatus.DELIVERED
    assert (mail.message.reason, mail.message.failed_at) == (None, None)
    assert not mail.is_flagged(policy)
    assert not mail.contact.reachability.failures


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.10", "5.4.4"])
@pytest.mark.parametrize("label", ["Transient/General", "Undetermined/Undetermined", "Transient/ContentRejected"])
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: str(policy.thresholds))
def test_a_mail_servers_word_that_there_is_no_such_address_flags_at_once(status: str, label: str, policy: Any) -> None:
    mail = Mail()
    mail.tell(bounce(label, status=status, diagnosticCode=f"smtp; 550 {status} Invalid domain"))

    assert (mail.message.status, mail.message.provider_code) == (MessageStatus.BOUNCED, f"smtp/{status}")
    assert mail.is_flagged(policy)


@pytest.mark.parametrize("label", ["Permanent/General", "Permanent/NoEmail", "Transient/General"])
@given(
    status=st.sampled_from(["5.1.7", "5.1.8", "4.1.1", "4.2.2", "4.4.7"])
    | st.integers(0, 60).map(lambda n: f"5.7.{n}"),
    reply=st.sampled_from(["550 ", "554-", ""]),
)
def test_what_is_not_the_addresss_fault_never_flags_at_once(label: str, status: str, reply: str) -> None:
    mail = Mail()
    mail.tell(bounce(label, status=status, diagnosticCode=f"smtp; {reply}{status} no"))

    assert not mail.is_flagged()


@pytest.mark.parametrize(
    "subtype", ["Suppressed", "OnAccountSuppressionList", "OnTenantSuppressionList", "EmailValidationSuppressed"]
)
def test_what_ses_did_not_try_proves_nothing_although_it_writes_a_status(subtype: str) -> None:
    mail = Mail()
    for words in ("Amazon SES did not send the message to this address", "smtp; 550 5.1.1 suppressed"):
        mail.tell(bounce(f"Permanent/{subtype}", status="5.1.1", diagnosticCode=words))

    assert not mail.is_flagged()
    assert not mail.contact.reachability.failures


@given(st.permutations(range(6)), st.sampled_from(POLICIES))
def test_the_same_events_end_in_the_same_state_in_every_order(order: Sequence[int], policy: Any) -> None:
    told = [
        delivery(3),
        bounce("Transient/General", 4),
        bounce("Permanent/General", 5, status="5.7.1", diagnosticCode="smtp; 550 5.7.1 spam"),
        bounce("Transient/General", 6, status="5.4.4", diagnosticCode="smtp; 550 5.4.4 Invalid domain"),
        complaint(f"Ana <{ADDRESS}>"),
        bounce("Transient/General", 7, status="4.4.7", diagnosticCode="smtp; 451 4.4.7 later"),
    ]
    mail, in_order = Mail(), Mail()
    mail.tell(*(told[index] for index in order))
    in_order.tell(*told)

    assert mail.message == in_order.message
    assert mail.contact.verdict(policy) == in_order.contact.verdict(policy)
    assert mail.contact.consent == in_order.contact.consent
    assert mail.is_flagged(policy)


def test_a_transient_failure_without_a_report_counts_while_no_delivery_is_known() -> None:
    mail = Mail()
    mail.tell(bounce("Transient/General"))

    assert (mail.message.status, mail.message.reason) == (MessageStatus.BOUNCED, "bounce:temporary_failure")
    assert mail.is_flagged(policy_of("custom", {"unreachable": 1}))
    mail.tell(delivery(3))
    assert mail.message.status is MessageStatus.DELIVERED
    assert mail.message.final_at == at(3) == at(0) + timedelta(seconds=3)
    assert not mail.is_flagged(policy_of("custom", {"unreachable": 1}))
