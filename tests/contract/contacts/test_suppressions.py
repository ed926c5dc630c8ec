"""One suite for the provider's suppression list: the fake, and SES's own calls, which the twin knows and moto not."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from local.twin.exchange import Request
from local.twin.server import TwinServer
from local.twin.settings import TwinSettings
from local.twin.twin import Twin
from rebound.contacts.adapters.ses_suppressions import SesSuppressionList
from rebound.contacts.domain.suppressions import Suppression, SuppressionReason
from rebound.contacts.ports import SuppressionList
from rebound.kernel.errors import ComeAgainError, NotAnsweredError, NotOfferedError
from tests.contract.contacts.fakes import MemorySuppressionList
from tests.fakes.aws import fake_aws, make
from tests.fakes.making import at

WRITTEN = "Ana+1@Example.com"


@dataclass(frozen=True)
class Listed:
    """A list, and the way in which entries come into it."""

    list: SuppressionList
    put: Callable[[str, str], Any]
    be_in_sandbox: Callable[[], Any]


def _client(url: str) -> Any:
    make_client: Any = boto3.client
    return make_client(
        "sesv2",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - opens nothing
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(params=["memory", "ses"])
def listed(request: pytest.FixtureRequest) -> Iterator[Listed]:
    if request.param == "memory":
        fake = MemorySuppressionList()
        yield Listed(
            fake,
            lambda address, reason: fake.put(address, reason, datetime.now(UTC)),
            lambda: setattr(fake, "production_access", False),
        )
        return
    twin = Twin(TwinSettings(port=0))
    server = TwinServer(0, twin.handle)
    twin.start()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    client = _client(server.url)
    yield Listed(
        SesSuppressionList(lambda: client),
        lambda address, reason: client.put_suppressed_destination(EmailAddress=address, Reason=reason),
        lambda: twin.handle(Request.of("PUT", "/quota", {}, b'{"ProductionAccessEnabled": false}')),
    )
    client.close()
    server.shutdown()
    server.server_close()
    thread.join()
    twin.stop()


def test_an_entry_is_found_by_its_exact_spelling_with_its_reason_and_date(listed: Listed) -> None:
    listed.put(WRITTEN, "COMPLAINT")
    found = listed.list.get(WRITTEN)

    assert found is not None
    assert (found.address, found.reason) == (WRITTEN, SuppressionReason.COMPLAINT)
    assert found.at.utcoffset() == timedelta()
    assert abs(datetime.now(UTC) - found.at) < timedelta(minutes=1)
    assert listed.list.get(WRITTEN.lower()) is None


def test_putting_an_address_again_replaces_the_reason(listed: Listed) -> None:
    listed.put(WRITTEN, "BOUNCE")
    listed.put(WRITTEN, "COMPLAINT")

    assert [entry.reason for entry in listed.list.page(None).items] == [SuppressionReason.COMPLAINT]


def test_only_the_entry_of_exactly_the_spelling_is_removed_and_one_that_is_not_there_is_fine(listed: Listed) -> None:
    listed.put(WRITTEN, "BOUNCE")
    listed.list.remove(WRITTEN.lower())
    assert listed.list.get(WRITTEN) is not None
    listed.list.remove(WRITTEN)
    listed.list.remove(WRITTEN)
    assert listed.list.get(WRITTEN) is None


def test_the_whole_list_comes_page_by_page_each_entry_once(listed: Listed) -> None:
    written = {f"ana{number}@example.com" for number in range(1001)}
    for address in sorted(written):
        listed.put(address, "BOUNCE")
    pages, cursor = [], None
    while True:
        page = listed.list.page(cursor)
        pages.append([entry.address for entry in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break

    assert [len(addresses) for addresses in pages] == [1000, 1]
    assert {address for addresses in pages for address in addresses} == written


@pytest.mark.parametrize("call", ["get", "remove", "page"])
def test_in_the_sandbox_there_is_no_list(listed: Listed, call: str) -> None:
    listed.put(WRITTEN, "BOUNCE")
    listed.be_in_sandbox()

    with pytest.raises(NotOfferedError, match="sandbox"):
        getattr(listed.list, call)(None if call == "page" else WRITTEN)


def test_an_empty_list_is_one_empty_page(listed: Listed) -> None:
    page = listed.list.page(None)

    assert (list(page.items), page.next_cursor) == ([], None)


# --- what SES says when it does not answer ----------------------------------------------------------------------------


def ask(code: str, status: int) -> None:
    with fake_aws():
        client = make("sesv2")
        with Stubber(client) as stub:
            stub.add_client_error("get_suppressed_destination", code, f"about {WRITTEN}", http_status_code=status)
            SesSuppressionList(lambda: client).get(WRITTEN)


@pytest.mark.parametrize(
    ("code", "status"),
    [("TooManyRequestsException", 429), ("ThrottlingException", 400), ("InternalServiceErrorException", 500)],
)
def test_a_throttle_and_a_failure_of_its_own_mean_come_again(code: str, status: int) -> None:
    with pytest.raises(ComeAgainError) as caught:
        ask(code, status)
    assert WRITTEN not in str(caught.value)


@pytest.mark.parametrize(("code", "status"), [("AccessDeniedException", 403), ("BadRequestException", 400)])
def test_everything_else_is_a_refusal_that_does_not_repeat_the_address(code: str, status: int) -> None:
    with pytest.raises(NotAnsweredError) as caught:
        ask(code, status)
    assert str(caught.value) == code


def test_a_connection_that_breaks_means_come_again() -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    with fake_aws():
        client = make("sesv2")
        client.meta.events.register("before-call.sesv2.DeleteSuppressedDestination", fail)
        with pytest.raises(ComeAgainError):
            SesSuppressionList(lambda: client).remove(WRITTEN)


def test_a_cursor_that_ses_has_forgotten_begins_anew_and_a_reason_that_is_new_proves_nothing() -> None:
    entry = {"EmailAddress": WRITTEN, "Reason": "BOUNCE", "LastUpdateTime": at()}
    with fake_aws():
        client = make("sesv2")
        with Stubber(client) as stub:
            stub.add_client_error("list_suppressed_destinations", "InvalidNextTokenException", http_status_code=400)
            stub.add_response(
                "list_suppressed_destinations",
                {"SuppressedDestinationSummaries": [entry, {**entry, "Reason": "A_NEW_ONE"}], "NextToken": "more"},
                {"PageSize": 1000},
            )
            page = SesSuppressionList(lambda: client).page("forgotten")

    assert list(page.items) == [Suppression(WRITTEN, SuppressionReason.BOUNCE, at())]
    assert page.next_cursor == "more"


# --- what a reconciliation needs of the tables ------------------------------------------------------------------------
