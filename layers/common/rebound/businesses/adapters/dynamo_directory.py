"""The settings of the businesses, in the Directory table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import asdict

from rebound.businesses.adapters.stored_policy import read_policy, write_policy
from rebound.businesses.adapters.stored_quiet_hours import read_quiet_hours, write_quiet_hours
from rebound.businesses.domain.business import Business, TextProvider
from rebound.businesses.domain.double_opt_in import DoubleOptIn
from rebound.businesses.domain.frequency import FrequencyCap
from rebound.businesses.domain.switches import Bundle, Switches
from rebound.businesses.domain.text_answers import AnsweredBy, TextAnswers
from rebound.contacts.domain.recovery import Recovery
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, NotFoundError
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    transaction,
)

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

_SENT_FROM: Final = "business#"


class DynamoBusinessDirectory(Directory):
    """Implements ``BusinessDirectory``."""

    kind = "settings"

    def get(self, business_id: str) -> Business:
        try:
            row = self.row.get(business_id, self.entry(""), consistent_read=True)
        except self.row.DoesNotExist:
            raise NotFoundError("business") from None
        document = row.document
        special = {
            "text_provider": TextProvider(document["text_provider"]),
            "policy": read_policy(document.get("policy")),
            "recovery": Recovery(**document.get("recovery", {})),
            "switches": Switches(**document.get("switches", {})),
            "double_opt_in": DoubleOptIn(**document.get("double_opt_in", {})),
            "bundle": Bundle(document.get("bundle", Bundle.PREMIUM)),
            "frequency_caps": tuple(map(_read_cap, document.get("frequency_caps", ()))),
            "quiet_hours": read_quiet_hours(document.get("quiet_hours", {})),
            "text_answers": _read_text_answers(document.get("text_answers", {})),
            "version": int(row.version or 0),
        }
        return Business(business_id=business_id, **{**document, **special})

    def add(self, business: Business) -> None:
        try:
            self._write(business, DirectoryRow.entry_id.does_not_exist())
        except ConcurrentChangeError:
            raise ConflictError("There is a business with this id already.") from None

    def replace(self, business: Business) -> None:
        version = DirectoryRow.version
        # Settings that were written before rows had a version have none until they are written again.
        unchanged = version == business.version if business.version else version.does_not_exist()
        self._write(business, DirectoryRow.entry_id.exists() & unchanged)

    def _write(self, business: Business, condition: Condition) -> None:
        """The settings, and the row by which the sender leads to them, for good, in one transaction."""
        row = self.row(
            business.business_id,
            self.entry(""),
            document=dict(self._document(business)),
            version=business.version + 1,
        )
        with transaction(self.row) as writes:
            writes.save(row, condition=condition)
            if business.text_from is not None:
                writes.save(self.row(*_sender_keys(business.text_from, business.business_id), document={}))

    def having_sent_from(self, senders: Collection[str]) -> Sequence[Business]:
        found = {
            row.entry_id.removeprefix(_SENT_FROM)
            for sender in senders
            for row in self.row.query(_sender_keys(sender)[0], consistent_read=True)
        }
        return [self.get(business_id) for business_id in sorted(found)]

    def ids(self) -> Sequence[str]:
        wanted = DirectoryRow.entry_id == self.entry("")
        return [row.business_id for row in self.row.scan(wanted, attributes_to_get=["business_id", "entry_id"])]

    @staticmethod
    def _document(business: Business) -> Mapping[str, Any]:
        return {
            "name": business.name,
            "country": business.country,
            "time_zone": business.time_zone,
            "owner_email": business.owner_email,
            "email_from": business.email_from,
            "text_provider": business.text_provider,
            "text_from": business.text_from,
            "text_rate": business.text_rate,
            "policy": write_policy(business.policy),
            "recovery": asdict(business.recovery),
            "switches": asdict(business.switches),
            "double_opt_in": asdict(business.double_opt_in),
            "bundle": business.bundle,
            "frequency_caps": [asdict(cap) for cap in business.frequency_caps],
            "quiet_hours": write_quiet_hours(business.quiet_hours),
            "text_answers": asdict(business.text_answers),
        }


def _sender_keys(sender: str, business_id: str = "") -> tuple[str, str]:
    """In the place of a business, and not one: the sender of texts, with a row for each business that has or had it."""
    return f"#sender#{sender}", f"{_SENT_FROM}{business_id}"


def _read_cap(document: Mapping[str, Any]) -> FrequencyCap:
    channel = document["channel"]
    kinds = {
        "categories": tuple(map(Category, document["categories"])),
        "channel": None if channel is None else Channel(channel),
    }
    return FrequencyCap(**{**document, **kinds})


def _read_text_answers(document: Mapping[str, Any]) -> TextAnswers:
    if not document:
        return TextAnswers()
    return TextAnswers(AnsweredBy(document["keywords"]), document["language"], tuple(document["confirmation_words"]))
