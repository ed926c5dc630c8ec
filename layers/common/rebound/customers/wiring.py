"""What customers need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.businesses.wiring import AwsBusinessesPorts, BusinessesUseCases
from rebound.platform.wiring import in_this_process

if TYPE_CHECKING:
    from rebound.customers.adapters.dynamo_customers import DynamoCustomerBook
    from rebound.customers.application.copy_flags import CopyFlags
    from rebound.customers.application.customer_service import CustomerService
    from rebound.customers.application.recopy_flags import RecopyFlags
    from rebound.customers.application.remove_customer import RemoveCustomer
    from rebound.customers.ports import CustomerBook, CustomersPorts


class AwsCustomersPorts(AwsBusinessesPorts):
    """The same over AWS."""

    @cached_property
    def customers(self) -> CustomerBook:
        return self.dynamo_customers

    @cached_property
    def dynamo_customers(self) -> DynamoCustomerBook:
        """For adapters that write to their own rows and to customers in one transaction."""
        from rebound.customers.adapters.dynamo_customers import DynamoCustomerBook

        return DynamoCustomerBook(self.settings["CUSTOMERS_TABLE"], self.dynamo_contacts)


class CustomersUseCases(BusinessesUseCases):
    """The use cases of customers."""

    ports: CustomersPorts

    @cached_property
    def customer_service(self) -> CustomerService:
        from rebound.customers.application.customer_service import CustomerService

        return CustomerService(
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            businesses=self.ports.businesses,
            addresses=self.ports.addresses,
            clock=self.ports.clock,
            ids=self.ports.ids,
            suppressions=self.suppression_list_client,
            copy_flags=self.copy_flags,
            remove=self.remove_customer,
        )

    @cached_property
    def recopy_flags(self) -> RecopyFlags:
        from rebound.customers.application.recopy_flags import RecopyFlags

        return RecopyFlags(
            customers=self.ports.customers,
            businesses=self.ports.businesses,
            queue=self.ports.recopy_queue,
            copy_flags=self.copy_flags,
        )

    @cached_property
    def copy_flags(self) -> CopyFlags:
        from rebound.customers.application.copy_flags import CopyFlags

        return CopyFlags(customers=self.ports.customers, contacts=self.ports.contacts, businesses=self.ports.businesses)

    @cached_property
    def remove_customer(self) -> RemoveCustomer:
        from rebound.customers.application.remove_customer import RemoveCustomer

        return RemoveCustomer(customers=self.ports.customers, contacts=self.ports.contacts)


def use_cases() -> CustomersUseCases:
    """Those of this process."""
    return in_this_process(CustomersUseCases, ports)


def ports() -> AwsCustomersPorts:
    """Those of this process, over AWS."""
    return AwsCustomersPorts()
