"""The settings of the businesses, in the Directory table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rebound.adapters.directory_rows import Directory
from rebound.adapters.dynamo_tables import (
    DirectoryRow,
    lost_races,
)
from rebound.adapters.stored_policy import read_policy, write_policy
from rebound.domain.business import Business, TextProvider
from rebound.domain.double_opt_in import DoubleOptIn
from rebound.domain.errors import ConcurrentChangeError, ConflictError, NotFoundError
from rebound.domain.recovery import Recovery
from rebound.domain.switches import Bundle, Switches


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
            "version": int(row.version or 0),
        }
        return Business(business_id=business_id, **{**document, **special})

    def add(self, business: Business) -> None:
        try:
            self.put_document(business.business_id, "", self._document(business), new=True, version=1)
        except ConcurrentChangeError:
            raise ConflictError("There is a business with this id already.") from None

    def replace(self, business: Business) -> None:
        version = DirectoryRow.version
        # Settings that were written before rows had a version have none until they are written again.
        unchanged = version == business.version if business.version else version.does_not_exist()
        row = self.row(
            business.business_id,
            self.entry(""),
            document=dict(self._document(business)),
            version=business.version + 1,
        )
        with lost_races():
            row.save(condition=DirectoryRow.entry_id.exists() & unchanged)

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
        }
