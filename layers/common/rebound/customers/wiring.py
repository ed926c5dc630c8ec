"""The ports of customers over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.businesses.wiring import AwsBusinessesPorts, BusinessesUseCases
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.customers.adapters.customer_book import DynamoCustomerBook
    from rebound.customers.application.copy_flags import CopyFlags, RecopyFlags
    from rebound.customers.application.customer_service import CustomerService
    from rebound.customers.application.external_ids import ReadExternalIds
    from rebound.customers.application.remove_customer import RemoveCustomer
    from rebound.customers.ports import CustomerBook, CustomersPorts, Departures


class AwsCustomersPorts(AwsBusinessesPorts):
    """The ports of customers, implemented over AWS."""

    @cached_property
    def customers(self) -> CustomerBook:
        return self.dynamo_customers

    @cached_property
    def dynamo_customers(self) -> DynamoCustomerBook:
        """For adapters that write to their own rows and to customers in one transaction."""
        from rebound.customers.adapters.customer_book import DynamoCustomerBook

        return DynamoCustomerBook(self.settings["CUSTOMERS_TABLE"], self.dynamo_contacts)

    @cached_property
    def departures(self) -> Departures:
        from rebound.customers.adapters.customer_book import DynamoDepartures

        return DynamoDepartures(self.settings["DIRECTORY_TABLE"])


class CustomersUseCases(BusinessesUseCases):
    """The use cases of customers."""

    ports: CustomersPorts

    customer_service: CustomerService = use_case(
        "rebound.customers.application.customer_service",
        suppressions="suppression_list_client",
        remove="remove_customer",
    )
    recopy_flags: RecopyFlags = use_case("rebound.customers.application.copy_flags", queue="recopy_queue")
    copy_flags: CopyFlags = use_case("rebound.customers.application.copy_flags")
    external_ids: ReadExternalIds = use_case("rebound.customers.application.external_ids")
    remove_customer: RemoveCustomer = use_case("rebound.customers.application.remove_customer")


use_cases = in_this_process(CustomersUseCases, AwsCustomersPorts)
ports = AwsCustomersPorts
