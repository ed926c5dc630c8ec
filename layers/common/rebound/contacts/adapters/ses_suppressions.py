"""SES v2's suppression list of the account."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from functools import cached_property
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from rebound.contacts.domain.suppressions import Suppression, SuppressionReason
from rebound.kernel.errors import ComeAgainError, NotAnsweredError, NotOfferedError
from rebound.kernel.pages import Page
from rebound.platform.adapters.aws import THROTTLES

PAGE: Final = 1000
_SERVER_ERROR: Final = 500


class SesSuppressionList:
    """Implements ``SuppressionList``.

    The client must not retry, because the caller keeps to the rate. It is made when it is first needed, because most
    callers that might need it never do. Whether the account is in the sandbox is asked only where SES refuses a call.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect

    @cached_property
    def _client(self) -> Any:
        return self._connect()

    def get(self, address: str) -> Suppression | None:
        with self._plain_errors():
            try:
                answer = self._client.get_suppressed_destination(EmailAddress=address)
            except self._client.exceptions.NotFoundException:
                return None
            return next(_known([answer["SuppressedDestination"]]), None)

    def remove(self, address: str) -> None:
        with self._plain_errors():
            try:
                self._client.delete_suppressed_destination(EmailAddress=address)
            except self._client.exceptions.NotFoundException:
                return

    def page(self, cursor: str | None) -> Page[Suppression]:
        with self._plain_errors():
            try:
                answer = self._list(cursor)
            except self._client.exceptions.InvalidNextTokenException:
                answer = self._list(None)
        return Page(list(_known(answer["SuppressedDestinationSummaries"])), answer.get("NextToken"))

    def _list(self, cursor: str | None) -> Mapping[str, Any]:
        token = {"NextToken": cursor} if cursor is not None else {}
        answer: Mapping[str, Any] = self._client.list_suppressed_destinations(PageSize=PAGE, **token)
        return answer

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """Turn AWS's errors into ours, and say of a refusal whether the sandbox is the reason."""
        try:
            with _without_texts():
                yield
        except NotAnsweredError:
            if self._is_in_sandbox():
                raise NotOfferedError("sandbox") from None
            raise

    def _is_in_sandbox(self) -> bool:
        """Whether SES says so; a refusal whose reason cannot be asked for stays one."""
        try:
            return not self._client.get_account()["ProductionAccessEnabled"]
        except (ClientError, BotoCoreError):
            return False


def _known(documents: Iterable[Mapping[str, Any]]) -> Iterator[Suppression]:
    """The entries whose reason is known; an entry with another reason proves nothing."""
    for document in documents:
        if document["Reason"] in list(SuppressionReason):
            yield Suppression(
                document["EmailAddress"],
                SuppressionReason(document["Reason"]),
                document["LastUpdateTime"].astimezone(UTC),
            )


@contextmanager
def _without_texts() -> Iterator[None]:
    """Turn AWS's errors into ours, without their texts, which may repeat an address."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", _SERVER_ERROR)
        if code in THROTTLES or status >= _SERVER_ERROR:
            raise ComeAgainError(code) from None
        raise NotAnsweredError(code) from None
    except BotoCoreError as error:
        raise ComeAgainError(type(error).__name__) from None
