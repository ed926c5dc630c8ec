"""What businesses need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.access.wiring import AccessUseCases, AwsAccessPorts
from rebound.businesses.domain.recopying import Recopying
from rebound.contacts.wiring import AwsContactsPorts, ContactsUseCases
from rebound.platform.wiring import in_this_process

if TYPE_CHECKING:
    from rebound.businesses.application.settings_of_business import SettingsOfBusiness
    from rebound.businesses.application.tenant_service import TenantService
    from rebound.businesses.ports import BusinessDirectory, BusinessesPorts, RecopyQueue
    from rebound.kernel.provider_codes import Provider


class AwsBusinessesPorts(AwsAccessPorts, AwsContactsPorts):
    """The same over AWS."""

    @cached_property
    def businesses(self) -> BusinessDirectory:
        from rebound.businesses.adapters.dynamo_directory import DynamoBusinessDirectory

        return DynamoBusinessDirectory(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def recopy_queue(self) -> RecopyQueue:
        from rebound.businesses.adapters.sqs_recopy_queue import SqsRecopyQueue

        return SqsRecopyQueue(self.aws("sqs"), self.settings["RECOPY_QUEUE_URL"])

    @property
    def default_text_provider(self) -> Provider:
        from rebound.kernel.provider_codes import Provider

        return Provider(self.settings["DEFAULT_TEXT_PROVIDER"])

    @staticmethod
    def decode_recopying(body: str) -> Recopying:
        """The work of a message of the queue of copyings."""
        from rebound.businesses.adapters.sqs_recopy_queue import decode_recopying

        return decode_recopying(body)


class BusinessesUseCases(AccessUseCases, ContactsUseCases):
    """The use cases of businesses."""

    ports: BusinessesPorts

    @cached_property
    def tenant_service(self) -> TenantService:
        from rebound.businesses.application.tenant_service import TenantService

        return TenantService(
            businesses=self.ports.businesses,
            keys=self.ports.api_keys,
            addresses=self.ports.addresses,
            clock=self.ports.clock,
            ids=self.ports.ids,
            default_text_provider=self.ports.default_text_provider,
        )

    @cached_property
    def settings_of_business(self) -> SettingsOfBusiness:
        from rebound.businesses.application.settings_of_business import SettingsOfBusiness

        return SettingsOfBusiness(
            businesses=self.ports.businesses, addresses=self.ports.addresses, recopyings=self.ports.recopy_queue
        )


def use_cases() -> BusinessesUseCases:
    """Those of this process."""
    return in_this_process(BusinessesUseCases, ports)


def ports() -> AwsBusinessesPorts:
    """Those of this process, over AWS."""
    return AwsBusinessesPorts()
