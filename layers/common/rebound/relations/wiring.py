"""The ports of relations over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.customers.wiring import AwsCustomersPorts, CustomersUseCases
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.customers.ports import Eraser
    from rebound.relations.application import ForgetRelations, RelationService
    from rebound.relations.ports import RelationBook, RelationsPorts


class AwsRelationsPorts(AwsCustomersPorts):
    """The ports of relations, implemented over AWS."""

    @cached_property
    def relations(self) -> RelationBook:
        from rebound.relations.adapters import DynamoRelations

        return DynamoRelations(self.settings["DIRECTORY_TABLE"], self.dynamo_customers, self.dynamo_profile_history)


class RelationsUseCases(CustomersUseCases):
    """The use cases of relations."""

    ports: RelationsPorts

    relation_service: RelationService = use_case("rebound.relations.application")
    forget_relations: ForgetRelations = use_case("rebound.relations.application")

    @cached_property
    def erasers(self) -> Sequence[Eraser]:
        return (*super().erasers, self.forget_relations)


use_cases = in_this_process(RelationsUseCases, AwsRelationsPorts)
ports = AwsRelationsPorts
