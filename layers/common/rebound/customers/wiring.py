"""The ports of customers over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rebound.businesses.wiring import AwsBusinessesPorts, BusinessesUseCases
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.customers.adapters.customer_book import DynamoCustomerBook
    from rebound.customers.adapters.customer_index import DynamoCustomerIndex
    from rebound.customers.adapters.profile_history import DynamoProfileHistory
    from rebound.customers.application.book_points import BookPoints
    from rebound.customers.application.copy_flags import CopyFlags, RecopyFlags
    from rebound.customers.application.customer_service import CustomerService
    from rebound.customers.application.decide_booking import DecideBooking
    from rebound.customers.application.external_ids import ReadExternalIds
    from rebound.customers.application.forget_customers import EraseCustomer
    from rebound.customers.application.forget_history import ForgetHistory
    from rebound.customers.application.remove_customer import RemoveCustomer
    from rebound.customers.application.tagging import TagsGiven
    from rebound.customers.domain import Customer
    from rebound.customers.ports import (
        CustomerBook,
        CustomersPorts,
        Departures,
        Eraser,
        ForgetQueue,
        PointsLedger,
        ProfileHistory,
        ProfileLock,
        UnforgottenCustomers,
    )


class AwsCustomersPorts(AwsBusinessesPorts):
    """The ports of customers, implemented over AWS."""

    @cached_property
    def customers(self) -> CustomerBook:
        return self.dynamo_customers

    @cached_property
    def dynamo_customers(self) -> DynamoCustomerBook:
        """For adapters that write to their own rows and to customers in one transaction."""
        from rebound.customers.adapters.customer_book import DynamoCustomerBook

        return DynamoCustomerBook(self.settings["CUSTOMERS_TABLE"], self.dynamo_contacts, self._customer_index)

    def _customer_index(self) -> DynamoCustomerIndex:
        from rebound.customers.adapters.customer_index import DynamoCustomerIndex

        return DynamoCustomerIndex(self.settings["CUSTOMER_INDEX_TABLE"])

    @cached_property
    def departures(self) -> Departures:
        from rebound.customers.adapters.customer_book import DynamoDepartures

        return DynamoDepartures(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def unforgotten(self) -> UnforgottenCustomers:
        from rebound.customers.adapters.forgetting import DynamoUnforgottenCustomers

        return DynamoUnforgottenCustomers(self.settings["DIRECTORY_TABLE"], self.settings["CUSTOMERS_TABLE"])

    @cached_property
    def forget_queue(self) -> ForgetQueue:
        from rebound.customers.adapters.forgetting import SqsForgetQueue

        return SqsForgetQueue(self.aws("sqs"), self.settings["UPKEEP_QUEUE_URL"])

    @cached_property
    def points_ledger(self) -> PointsLedger:
        from rebound.customers.adapters.points import DynamoPointsLedger

        return DynamoPointsLedger(self.settings["DIRECTORY_TABLE"], self.settings["CUSTOMERS_TABLE"])

    @staticmethod
    def deleted_customer_of(record: Mapping[str, Any]) -> Customer | None:
        """The customer whose row went, as a record of the change stream reports it; ``None`` for another change."""
        from rebound.customers.adapters.forgetting import deleted_customer_of

        return deleted_customer_of(record)

    @staticmethod
    def new_customer_of(record: Mapping[str, Any]) -> Customer | None:
        """The customer whose row came, likewise."""
        from rebound.customers.adapters.forgetting import new_customer_of

        return new_customer_of(record)

    @staticmethod
    def tags_given_of(records: Iterable[Mapping[str, Any]]) -> Iterable[TagsGiven]:
        """The tags that customers were given, by records of the change stream."""
        from rebound.customers.adapters.tag_stream import tags_given_of

        return tags_given_of(records)

    @staticmethod
    def decode_forgetting(body: str) -> tuple[str, str] | None:
        """Business and customer of a message of the queue; ``None`` for one that is about something else."""
        from rebound.customers.adapters.forgetting import decode_forgetting

        return decode_forgetting(body)

    @cached_property
    def profile_history(self) -> ProfileHistory:
        return self.dynamo_profile_history

    @cached_property
    def dynamo_profile_history(self) -> DynamoProfileHistory:
        """For adapters that note what happened with profiles in one transaction with their own rows."""
        from rebound.customers.adapters.profile_history import DynamoProfileHistory

        return DynamoProfileHistory(self.settings["DIRECTORY_TABLE"], self.dynamo_customers)


class CustomersUseCases(BusinessesUseCases):
    """The use cases of customers."""

    ports: CustomersPorts

    customer_service: CustomerService = use_case(
        "rebound.customers.application.customer_service",
        suppressions="suppression_list_client",
        remove="remove_customer",
        history="profile_history",
    )
    recopy_flags: RecopyFlags = use_case("rebound.customers.application.copy_flags", queue="recopy_queue")
    copy_flags: CopyFlags = use_case("rebound.customers.application.copy_flags")
    decide_booking: DecideBooking = use_case("rebound.customers.application.decide_booking")
    external_ids: ReadExternalIds = use_case("rebound.customers.application.external_ids")
    remove_customer: RemoveCustomer = use_case("rebound.customers.application.remove_customer")
    forget_history: ForgetHistory = use_case("rebound.customers.application.forget_history")
    book_points: BookPoints = use_case("rebound.customers.application.book_points")
    erase_customer: EraseCustomer = use_case("rebound.customers.application.forget_customers")

    @cached_property
    def profile_locks(self) -> Sequence[ProfileLock]:
        """What makes a profile the customer's besides their own edit; a capability that knows of more adds its own."""
        return ()

    @cached_property
    def erasers(self) -> Sequence[Eraser]:
        """What goes with a customer who is deleted; each capability that keeps something of them adds its own."""

        def forget_points(customer: Customer) -> None:
            self.book_points.forget(customer)

        return (self.forget_history, forget_points, self.ports.customers.forget)


use_cases = in_this_process(CustomersUseCases, AwsCustomersPorts)
ports = AwsCustomersPorts
