"""The ports of contacts over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rebound.contacts.domain.contacts import Contact
from rebound.kernel.pages import RowChange
from rebound.platform.wiring import AwsPlatformPorts, PlatformUseCases, in_this_process, use_case

if TYPE_CHECKING:
    from rebound.contacts.adapters.dynamo_contacts import DynamoContactBook
    from rebound.contacts.application import JoinNumbers, SuppressionListClient
    from rebound.contacts.ports import (
        AddressReader,
        ContactBook,
        ContactHistory,
        ContactsPorts,
        ReplyBook,
        SuppressionList,
    )


class AwsContactsPorts(AwsPlatformPorts):
    """The ports of contacts over AWS."""

    @cached_property
    def addresses(self) -> AddressReader:
        from rebound.contacts.adapters.addresses import LibraryAddressReader

        return LibraryAddressReader()

    @cached_property
    def contacts(self) -> ContactBook:
        return self.dynamo_contacts

    @cached_property
    def dynamo_contacts(self) -> DynamoContactBook:
        """The contact book for adapters that write their own rows and contacts in one transaction."""
        from rebound.contacts.adapters.dynamo_contacts import DynamoContactBook

        return DynamoContactBook(self.settings["CONTACTS_TABLE"])

    @cached_property
    def contact_history(self) -> ContactHistory:
        from rebound.contacts.adapters.dynamo_history import DynamoContactHistory

        return DynamoContactHistory(self.settings["CONTACT_HISTORY_TABLE"])

    @cached_property
    def replies(self) -> ReplyBook:
        from rebound.contacts.adapters.dynamo_replies import DynamoReplyBook

        return DynamoReplyBook(self.settings["CONTACT_HISTORY_TABLE"])

    @cached_property
    def suppressions(self) -> SuppressionList:
        from rebound.contacts.adapters.ses_suppressions import SesSuppressionList

        return SesSuppressionList(lambda: self.aws_once("sesv2", connect_timeout=2, read_timeout=5))

    def report_missed_removal(self, cause: str) -> None:
        from rebound.platform.telemetry import count_missed_removal

        count_missed_removal(cause)

    def whereabouts(self, number: str) -> frozenset[str]:
        from rebound.contacts.adapters.number_zones import zones_of_number

        return zones_of_number(number)

    @staticmethod
    def contact_change_of(record: Mapping[str, Any]) -> RowChange[Contact] | None:
        """The change that a record of the contacts' change stream reports; ``None`` when it holds no contact."""
        from rebound.contacts.adapters.dynamo_contacts import contact_change_of

        return contact_change_of(record)


class ContactsUseCases(PlatformUseCases):
    """The use cases of contacts."""

    ports: ContactsPorts

    suppression_list_client: SuppressionListClient = use_case(
        "rebound.contacts.application", missed="report_missed_removal"
    )
    join_numbers: JoinNumbers = use_case("rebound.contacts.application")


use_cases = in_this_process(ContactsUseCases, AwsContactsPorts)
ports = AwsContactsPorts
