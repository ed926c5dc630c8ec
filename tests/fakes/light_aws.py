"""AWS in memory, without the work that no test looks at, which was most of the time of a call by one profile.

botocore signs what nobody verifies, and writes down for each request on which machine it is made. moto makes an HTTP
request of werkzeug's of it, reads its JSON as a form, looks for the method among all that a class has, and looks for
each of an answer's members under six names. A call of a table's rows goes to moto's method directly here, and its
answer back as it is; what is refused is written by moto, as every other call.
"""

import base64
import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

from botocore.awsrequest import HeadersDict
from botocore.signers import RequestSigner
from botocore.useragent import UserAgentString
from moto.core import responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import ServiceException
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.dynamodb import models as moto_dynamodb
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import StreamShard, Table
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

_OF_ROWS: Final = frozenset(
    {
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchGetItem",
        "BatchWriteItem",
        "TransactGetItems",
        "TransactWriteItems",
    }
)
_JSON: Final = "application/x-amz-json-1.0"


@contextmanager
def light_aws() -> Iterator[None]:
    """While moto answers, let it and botocore do only what a test can see."""
    sign: Any = RequestSigner.sign
    answer: Any = BotocoreStubber.process_request

    def sign_what_is_read(signer: Any, operation: str, request: Any, *given: Any, **more: Any) -> None:
        """Links to files are handed to clients, and S3 shows nothing to who says not who they are."""
        if given or more or signer._service_id == "S3":
            sign(signer, operation, request, *given, **more)

    def answer_lightly(stubber: Any, request: Any) -> Any:
        target = request.headers.get("X-Amz-Target", b"")
        service, _, operation = (target.decode() if isinstance(target, bytes) else target).partition(".")
        if service.startswith("DynamoDB_") and operation in _OF_ROWS:
            return _of_rows(operation, request)
        return answer(stubber, request)

    with (
        patch.object(RequestSigner, "sign", sign_what_is_read),
        patch.object(UserAgentString, "to_string", lambda _: "tests"),
        patch.object(BotocoreStubber, "process_request", answer_lightly),
        patch.object(responses, "method_names_from_class", cache(method_names_from_class)),
        _light_transactions(),
    ):
        yield


@contextmanager
def _light_transactions() -> Iterator[None]:
    """Have moto copy each table of a transaction once, as what it goes back to, and not once for each row it writes.

    What was written to a change stream is never changed, so that a copy may have the same records.
    """
    transact, made = DynamoDBBackend.transact_write_items, threading.local()

    def transact_lightly(backend: Any, items: Any) -> None:
        made.copies = {}
        try:
            transact(backend, items)
        finally:
            made.copies = None

    def copied(thing: Any) -> Any:
        if getattr(made, "copies", None) is None or not isinstance(thing, Table):
            return copy.deepcopy(thing)
        if id(thing) not in made.copies:
            made.copies[id(thing)] = copy.deepcopy(thing)
        return made.copies[id(thing)]

    def shard_copied(shard: Any, memo: dict[int, Any]) -> Any:
        another = memo[id(shard)] = copy.copy(shard)
        another.items, another.table = list(shard.items), copy.deepcopy(shard.table, memo)
        return another

    with (
        patch.object(DynamoDBBackend, "transact_write_items", transact_lightly),
        patch.object(moto_dynamodb, "copy", SimpleNamespace(deepcopy=copied)),
        patch.object(StreamShard, "__deepcopy__", shard_copied, create=True),
    ):
        yield


def _of_rows(operation: str, request: Any) -> tuple[int, dict[str, str], str]:
    """As ``BotocoreStubber.process_request`` answers."""
    handler: Any = DynamoHandler()
    handler.body = handler.params = json.loads(request.body, object_hook=_with_bytes)
    handler.region = urlsplit(request.url).netloc.split(".")[1]
    handler.current_account = DEFAULT_ACCOUNT_ID
    handler.headers = HeadersDict({"X-Amz-Target": f".{operation}", "Content-Type": _JSON})
    handler.querystring, handler.uri_match, handler.response_headers = {}, {}, {}
    headers = {"x-amzn-requestid": "in-tests"}
    try:
        answered: dict[str, Any] = getattr(handler, camelcase_to_underscores(operation))().result
    except ServiceException as refusal:
        status, refused, body = handler.serialized(ActionResult(refusal))
        return status, {**refused, **headers}, body
    except HTTPException as refusal:
        return refusal.code or 400, {**dict(refusal.get_headers()), **headers}, str(refusal.get_body())
    said = {name: value for name, value in answered.items() if value is not None}
    return 200, {"Content-Type": _JSON, **headers}, json.dumps(said, default=_written)


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """As moto wants them: bytes are bytes."""
    match value:
        case {"B": str(written)}:
            return {"B": base64.b64decode(written)}
        case {"BS": list(all_of_them)}:
            return {"BS": [base64.b64decode(each) for each in all_of_them]}
    return value


def _written(value: Any) -> str:
    assert isinstance(value, bytes), value
    return base64.b64encode(value).decode()
