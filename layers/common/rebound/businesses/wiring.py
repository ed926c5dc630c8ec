"""The ports of businesses over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.access.wiring import AccessUseCases, AwsAccessPorts
from rebound.businesses.domain.business import Recopying
from rebound.contacts.wiring import AwsContactsPorts, ContactsUseCases
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.businesses.adapters.dynamo_directory import DynamoBusinessDirectory
    from rebound.businesses.application.account_holds import AccountHolds
    from rebound.businesses.application.sender_grants import SenderGrants
    from rebound.businesses.application.settings_of_business import SettingsOfBusiness
    from rebound.businesses.application.share_customers import ShareCustomers
    from rebound.businesses.application.tenant_service import TenantService
    from rebound.businesses.application.text_plan import SetTextPlan
    from rebound.businesses.application.text_prices import TextPrices
    from rebound.businesses.ports import (
        BusinessDirectory,
        BusinessesPorts,
        HoldPolicyBook,
        ReboundMail,
        RecopyQueue,
        TextPriceBook,
    )
    from rebound.kernel.provider_codes import Provider


class AwsBusinessesPorts(AwsAccessPorts, AwsContactsPorts):
    """The ports of businesses, implemented over AWS."""

    @cached_property
    def businesses(self) -> BusinessDirectory:
        return self.dynamo_businesses

    @cached_property
    def dynamo_businesses(self) -> DynamoBusinessDirectory:
        """For adapters that write settings and rows of their own in one transaction."""
        from rebound.businesses.adapters.dynamo_directory import DynamoBusinessDirectory

        return DynamoBusinessDirectory(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def hold_policies(self) -> HoldPolicyBook:
        from rebound.businesses.adapters.hold_policies import DynamoHoldPolicies

        return DynamoHoldPolicies(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def text_prices(self) -> TextPriceBook:
        from rebound.businesses.adapters.text_prices import DynamoTextPrices

        return DynamoTextPrices(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def recopy_queue(self) -> RecopyQueue:
        from rebound.businesses.adapters.sqs_recopy_queue import SqsRecopyQueue

        return SqsRecopyQueue(self.aws("sqs"), self.settings["UPKEEP_QUEUE_URL"])

    @cached_property
    def rebound_mail(self) -> ReboundMail:
        from rebound.businesses.adapters.ses_rebound_mail import SesReboundMail

        return SesReboundMail(self.aws_once("sesv2"))

    @property
    def sender_identities(self) -> Sequence[str]:
        return self.settings["SENDER_IDENTITIES"].split(",")

    @property
    def default_text_provider(self) -> Provider:
        from rebound.kernel.provider_codes import Provider

        return Provider(self.settings["DEFAULT_TEXT_PROVIDER"])

    @staticmethod
    def decode_recopying(body: str) -> Recopying:
        """The copying in a message of the recopy queue."""
        from rebound.businesses.adapters.sqs_recopy_queue import decode_recopying

        return decode_recopying(body)


class BusinessesUseCases(AccessUseCases, ContactsUseCases):
    """The use cases of businesses."""

    ports: BusinessesPorts

    account_holds: AccountHolds = use_case("rebound.businesses.application.account_holds")
    share_customers: ShareCustomers = use_case("rebound.businesses.application.share_customers")
    set_text_plan: SetTextPlan = use_case("rebound.businesses.application.text_plan")
    sender_grants: SenderGrants = use_case("rebound.businesses.application.sender_grants")
    tenant_service: TenantService = use_case(
        "rebound.businesses.application.tenant_service",
        keys="api_keys",
        recopyings="recopy_queue",
        default_text_provider="default_text_provider",
    )
    settings_of_business: SettingsOfBusiness = use_case(
        "rebound.businesses.application.settings_of_business", recopyings="recopy_queue"
    )
    text_price_table: TextPrices = use_case("rebound.businesses.application.text_prices")


use_cases = in_this_process(BusinessesUseCases, AwsBusinessesPorts)
ports = AwsBusinessesPorts
