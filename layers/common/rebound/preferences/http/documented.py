"""What the OpenAPI document says of the pages behind links, which a function of their own serves."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.platform.http.routes import PROBLEM, TOO_MANY
from rebound.preferences.domain import Choice

_PAGE: Final = {"content": {"text/html": {"schema": {"type": "string"}}}}
_TOKEN: Final = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "Signed; stands in the message.",
    "schema": {"type": "string", "maxLength": 512},
}
_CODE: Final = {
    "name": "code",
    "in": "path",
    "required": True,
    "description": "Of a link in a text (`##{{stop_url}}`).",
    "schema": {"type": "string", "maxLength": 512},
}
_NO_LINK: Final = {
    "404": {
        "description": "No link of ours, or of an address that nobody knows any more; a problem where it cannot be one",
        "content": {**_PAGE["content"], **PROBLEM},
    },
    "429": {**TOO_MANY, "content": PROBLEM},
    "413": {"description": "Too large", **_PAGE},
    "503": {"description": "Others change the same address just now; come again", **_PAGE},
}


def _link(
    what: str,
    summary: str,
    field: str,
    choices: list[str],
    key: Mapping[str, Any] = _TOKEN,
    called: str | None = None,
    more: str = "",
) -> dict[str, Any]:
    """The routes behind a link in a message, which are for people and mail programs.

    ``called`` is the name of the operation, unless the first word of what it does says enough. ``more`` is said of the
    form besides.
    """
    name = called or what.partition(" ")[0]
    common: dict[str, Any] = {"tags": ["Links in messages"], "security": [], "parameters": [key]}
    form = {
        "type": "object",
        "required": [field],
        "properties": {field: {"type": "string"} | ({"enum": choices} if choices else {})},
    }
    shown = {"200": {"description": "The page", **_PAGE}, "404": _NO_LINK["404"], "429": _NO_LINK["429"]}
    return {
        "get": {
            **common,
            "summary": f"The page to {what}; reading it changes nothing",
            "operationId": f"show_{name}_page",
            "responses": shown,
        },
        "head": {
            **common,
            "summary": "The page's headers",
            "operationId": f"peek_{name}_page",
            "responses": {status: {"description": each["description"]} for status, each in shown.items()},
        },
        "post": {
            **common,
            "summary": summary,
            "operationId": name,
            # Clients made of the document by openapi-python-client cannot be imported where a body has two kinds.
            "description": f"multipart/form-data is read as well (RFC 8058).{more}",
            "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
            "responses": {
                "200": {"description": "Done, also when it was before", **_PAGE},
                "400": {"description": "Not what the page sends: nothing has been changed", **_PAGE},
                **_NO_LINK,
            },
        },
    }


RELATION: Final = _link(
    "answer an invitation",
    "Accept or decline being linked with a customer; the first answer counts",
    "answer",
    ["accept", "decline"],
    called="answer_invitation",
)
PROFILE: Final = _link(
    "correct their own details", "The form, filled in once", "first_name", [], called="fill_in_profile"
)
UNSUBSCRIBE: Final = _link(
    "unsubscribe", "One click unsubscribes (RFC 8058), again is once", "List-Unsubscribe", ["One-Click"]
)
PREFERENCES: Final = _link(
    "choose what to get",
    "Choose what to get, or to get it again",
    "choice",
    [str(choice) for choice in Choice],
    more=" Each word speaks of everything: no_marketing is only about appointments and purchases. The page sends "
    "a switch for each scope in place of the word, and how it was shown: only the switches that were moved change.",
)
STOP: Final = _link(
    "stop texts that sell", "The button of the page stops them, again is once", "List-Unsubscribe", ["One-Click"], _CODE
)
CONFIRM: Final = _link(
    "confirm that marketing is wanted", "Confirm that marketing is wanted, again is once", "confirm", ["yes"]
)
APPOINTMENT: Final = _link(
    "confirm an appointment",
    "The button of the page confirms it, again is once",
    "confirm",
    ["yes"],
    called="confirm_appointment",
)
