"""The ports of access over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.platform.wiring import AwsPlatformPorts, PlatformUseCases, in_this_process, use_case

if TYPE_CHECKING:
    from rebound.access.application import AuthorizeRequest, OperatorKeyService
    from rebound.access.ports import AccessPorts, ApiKeyBook, OperatorKeyBook


class AwsAccessPorts(AwsPlatformPorts):
    """The ports of access over AWS."""

    @cached_property
    def api_keys(self) -> ApiKeyBook:
        from rebound.access.adapters import DynamoApiKeyBook

        return DynamoApiKeyBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def operator_keys(self) -> OperatorKeyBook:
        from rebound.access.adapters import DynamoOperatorKeyBook

        return DynamoOperatorKeyBook(self.settings["DIRECTORY_TABLE"])


class AccessUseCases(PlatformUseCases):
    """The use cases of access."""

    ports: AccessPorts

    authorize_request: AuthorizeRequest = use_case("rebound.access.application", keys="api_keys")
    operator_key_service: OperatorKeyService = use_case("rebound.access.application")


use_cases = in_this_process(AccessUseCases, AwsAccessPorts)
ports = AwsAccessPorts
