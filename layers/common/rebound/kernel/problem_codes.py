"""What a request is refused for: one row for each kind of problem, by which a program can tell them apart.

A name that was given once stays, and keeps its meaning; new ones may come. Loaded when something is wrong.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from msgspec import Struct


class ProblemKind(Struct, frozen=True):
    """What is known of a kind of problem.

    ``meaning`` and ``way_out`` are sentences for whoever writes a client. ``retryable`` is true where the same request
    may succeed later, although the client changes nothing; ``wait_seconds`` is for how long it had better wait then,
    where that is always the same. ``members`` are fields of the problem besides those that all have.
    """

    status: HTTPStatus
    meaning: str
    way_out: str
    retryable: bool = False
    wait_seconds: int | None = None
    members: tuple[str, ...] = ()


PROBLEMS: Final[Mapping[str, ProblemKind]] = {
    "malformed": ProblemKind(
        HTTPStatus.BAD_REQUEST,
        "The request is not of the form that HTTP or JSON asks for.",
        "Mend the client: `detail` says what is wrong.",
    ),
    "unauthorized": ProblemKind(
        HTTPStatus.UNAUTHORIZED,
        "There is no key in the request, or it opens nothing (any more).",
        "Send `Authorization: Bearer <key>` with a key that is valid.",
    ),
    "forbidden": ProblemKind(
        HTTPStatus.FORBIDDEN,
        "The key is not for this part of the API, or the gateway has rules of its own and does not let the request "
        "through.",
        "Below `/v1/operator` use an operator's key, and a business's everywhere else; if it is the right one, ask "
        "whoever runs Rebound.",
    ),
    "forbidden_scope": ProblemKind(
        HTTPStatus.FORBIDDEN,
        "The key is valid, and lacks the scope that this needs.",
        "Use a key that has `scope`.",
        members=("scope",),
    ),
    "bad_signature": ProblemKind(
        HTTPStatus.FORBIDDEN,
        "A callback that its provider has not signed for exactly this address.",
        "None for a client: only providers send callbacks.",
    ),
    "not_found": ProblemKind(
        HTTPStatus.NOT_FOUND,
        "There is no such thing, or it belongs to another business.",
        "Look at the id: `resource` says what was looked for.",
        members=("resource",),
    ),
    "path_not_found": ProblemKind(
        HTTPStatus.NOT_FOUND,
        "The API has nothing at this path, whatever the ids in it.",
        "Mend the client: the OpenAPI document has all paths.",
    ),
    "method_not_allowed": ProblemKind(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "The path is there, the method is not.",
        "Mend the client: the header `Allow` has the methods of the path.",
    ),
    "external_id_taken": ProblemKind(
        HTTPStatus.CONFLICT,
        "A customer with this `external_id` exists.",
        "Change that one instead: it is `customer_id`. `PUT /v1/customers/by-external-id/{external_id}` does either.",
        members=("customer_id",),
    ),
    "profile_locked": ProblemKind(
        HTTPStatus.CONFLICT,
        "The profile is the customer's own (`claimed_at`): names, phones and email are theirs to change. Nothing of "
        "the request was written.",
        "Leave out `locked_fields`. To have them changed, ask the customer: `POST "
        "/v1/customers/{customer_id}/update-requests` sends a link to a form. A client's own portal, in which the "
        "customer is signed in, writes with a key of the scope `customers:write_as_customer`.",
        members=("locked_fields",),
    ),
    "no_channel_left": ProblemKind(
        HTTPStatus.CONFLICT,
        "Nobody can be asked there, neither by email nor, for their details, by text: `reasons` says why, by channel.",
        "Ask them in person; a portal of yours writes what they say with a key of the scope "
        "`customers:write_as_customer`.",
        members=("reasons",),
    ),
    "relation_exists": ProblemKind(
        HTTPStatus.CONFLICT,
        "The two are linked already, or one of them was asked (`relation_status`).",
        "Leave it, or `DELETE` the relation `relation_id` first to begin anew.",
        members=("relation_id", "relation_status"),
    ),
    "too_many_relations": ProblemKind(
        HTTPStatus.CONFLICT,
        "The customer `customer_id` has as many relations as there may be, which is 50.",
        "Remove one that is not needed any more; those that were declined count too.",
        members=("customer_id",),
    ),
    "business_id_taken": ProblemKind(
        HTTPStatus.CONFLICT,
        "A business with this id exists.",
        "Choose another id, or change that business.",
    ),
    "index_not_filled": ProblemKind(
        HTTPStatus.CONFLICT,
        "The list was to be sorted, and not all customers are in the index that sorts them: it is filled after an "
        "update.",
        "Ask again later, or without `sort`.",
        retryable=True,
    ),
    "no_address": ProblemKind(
        HTTPStatus.CONFLICT,
        "The customer has no address on the channel.",
        "Give the customer one first, or use the other channel.",
        members=("channel",),
    ),
    "not_enough_points": ProblemKind(
        HTTPStatus.CONFLICT,
        "The customer has fewer points than are to be taken off.",
        "Take off at most `points_balance`, or let the business allow it: `negative_points`.",
        members=("points_balance",),
    ),
    "channel_off": ProblemKind(
        HTTPStatus.CONFLICT,
        "The business's settings keep such messages back.",
        "Change the setting: `barrier` names it, and `detail` says how. `switched_off`: the channel's switch; "
        "`confirmations_off`: that of text confirmations; `no_bundle`: the bundle; `no_sender`: there is nobody to "
        "send as; `no_answers` and `no_stop_url`: texts come from a name, which nobody can answer.",
        members=("channel", "barrier"),
    ),
    "account_held": ProblemKind(
        HTTPStatus.CONFLICT,
        "The account mostly sends bulk, and is held: campaigns that need consent to marketing are refused.",
        "Ask `contact`, who can lift the hold. Reminders and messages to one person go on.",
        members=("contact",),
    ),
    "no_winner_awaited": ProblemKind(
        HTTPStatus.CONFLICT,
        "The campaign has not begun, or has no `winner` for which somebody in it waits.",
        "Post the campaign with `variants` and `winner`, and wait until it has begun.",
    ),
    "winner_chosen": ProblemKind(
        HTTPStatus.CONFLICT,
        "The winner has been chosen already, and its variant is on the way to the rest.",
        "None: what is on the way is not called back; `pause` the campaign to keep the others.",
    ),
    "campaign_ended": ProblemKind(
        HTTPStatus.CONFLICT,
        "The campaign is over (`campaign_status`), and cannot be edited, announced, paused, resumed or cancelled.",
        "None: what it did is done.",
        members=("campaign_status",),
    ),
    "campaign_not_started": ProblemKind(
        HTTPStatus.CONFLICT,
        "The campaign has sent nothing yet, so that there is nothing to take back.",
        "Ask again when it has sent.",
    ),
    "campaign_begun": ProblemKind(
        HTTPStatus.CONFLICT,
        "The campaign has begun (`campaign_status`), and cannot be edited any more; nothing of the edit is in it.",
        "Cancel it if it must not go out, and send a copy with the edit.",
        members=("campaign_status",),
    ),
    "campaign_is_draft": ProblemKind(
        HTTPStatus.CONFLICT,
        "The campaign is a draft: nothing of it is sent, so that there is nothing to pause or resume.",
        "Announce it first.",
    ),
    "loyalty_week_taken": ProblemKind(
        HTTPStatus.CONFLICT,
        "Another loyalty campaign to the same saved segment or tier, or also to neither, is less than a week away, or "
        "than the business's `loyalty_interval_days`.",
        "Let it be sent at `free_again_at` (`send_at`), or cancel the other one while it has sent nothing.",
        members=("free_again_at",),
    ),
    "not_ranked_yet": ProblemKind(
        HTTPStatus.CONFLICT,
        "A filter or a campaign asks for loyalty tiers for the first time, and the business has so many customers that "
        "they are still being ranked.",
        "Send it again in some minutes; `GET /v1/loyalty` answers 200 once it is done.",
        retryable=True,
        wait_seconds=60,
    ),
    "test_recipient_unconfirmed": ProblemKind(
        HTTPStatus.CONFLICT,
        "The address is one of the business's `test_recipients`, and its owner has not confirmed it yet.",
        "Let its owner open the link that was sent there. Naming it again in the settings (PATCH /v1/business) "
        "sends another, the next day at the earliest.",
    ),
    "job_ended": ProblemKind(
        HTTPStatus.CONFLICT,
        "The job is over (`job_status`), and cannot be resumed.",
        "Start a new one.",
        members=("job_status",),
    ),
    "message_in_hand": ProblemKind(
        HTTPStatus.CONFLICT,
        "The message is being handed to the provider at this moment, so that it cannot be changed or cancelled.",
        "Ask again in a moment: it may have come back, because the provider was busy.",
        retryable=True,
        wait_seconds=1,
    ),
    "message_not_waiting": ProblemKind(
        HTTPStatus.CONFLICT,
        "The message has been handed over, or came to its end otherwise (`message_status`), and cannot be changed or "
        "cancelled any more.",
        "None: what was sent cannot be taken back.",
        members=("message_status",),
    ),
    "opted_out": ProblemKind(
        HTTPStatus.CONFLICT,
        "The customer has opted out, so that they are not asked for marketing.",
        "Wait for the customer: `detail` says how they can take it back.",
    ),
    "only_customer_opts_in": ProblemKind(
        HTTPStatus.CONFLICT,
        "The opt-out came from the customer, and only they can end it.",
        "Wait for the customer: `detail` says how they can take it back.",
    ),
    "confirmed_already": ProblemKind(
        HTTPStatus.CONFLICT,
        "The customer has confirmed already that they want marketing.",
        "None: what was asked for is there.",
    ),
    "no_answers": ProblemKind(
        HTTPStatus.CONFLICT,
        "Answers to texts over the business's provider do not come back, so that nobody can confirm by text.",
        "Ask by email.",
    ),
    "reply_not_waiting": ProblemKind(
        HTTPStatus.CONFLICT,
        "The text was understood when it came; nobody has to resolve it.",
        "None is needed.",
    ),
    "reply_forgotten": ProblemKind(
        HTTPStatus.CONFLICT,
        "No customer has the number any more, and what the text said is forgotten.",
        "None: there is nobody whom it is about.",
    ),
    "reply_resolved": ProblemKind(
        HTTPStatus.CONFLICT,
        "Somebody has resolved the text otherwise before.",
        "Leave it: it was resolved as `decision`.",
        members=("decision",),
    ),
    "sequence_off": ProblemKind(
        HTTPStatus.CONFLICT,
        "The sequence is off: nobody begins it.",
        "`PUT` it with `status` `on` first.",
    ),
    "sequence_being_deleted": ProblemKind(
        HTTPStatus.CONFLICT,
        "The sequence is being deleted: somebody asked for it, and it has not come to its end.",
        "`DELETE` it once more; then its name is free.",
    ),
    "too_many_sequences": ProblemKind(
        HTTPStatus.CONFLICT,
        "A business has as many sequences as there may be, which is 50.",
        "`DELETE` one that is not needed any more.",
    ),
    "waiver_version_known": ProblemKind(
        HTTPStatus.CONFLICT,
        "The version of the waiver was posted before, with another note or url.",
        "Give the new one a `version` of its own.",
    ),
    "too_many_waivers": ProblemKind(
        HTTPStatus.CONFLICT,
        "A business has as many waivers as there may be, which is 20, or a waiver as many versions, which is 60.",
        "Post the version to one of the waivers that are there, or to a new one.",
    ),
    "segment_in_use": ProblemKind(
        HTTPStatus.CONFLICT,
        "Other segments name this segment in their filters, or recurring campaigns are sent to it.",
        "Change the filters of the `segment_ids`, and the audiences of the `recurring_campaign_ids`, first.",
        members=("segment_ids", "recurring_campaign_ids"),
    ),
    "too_many_webhooks": ProblemKind(
        HTTPStatus.CONFLICT,
        "The business has as many webhooks as it may have, which is five.",
        "Change one of those that there are, or remove one.",
    ),
    "webhook_dead": ProblemKind(
        HTTPStatus.CONFLICT,
        "The webhook has failed for a week, and nothing is posted to it.",
        "Mend the receiver, `PUT` the webhook again, and repeat the request.",
    ),
    "last_owner": ProblemKind(
        HTTPStatus.CONFLICT,
        "Nobody else who may sign in to the business is its owner.",
        "Make somebody else an owner first.",
    ),
    "too_many_staff": ProblemKind(
        HTTPStatus.CONFLICT,
        "As many people may sign in to the business as there may be, which is 200.",
        "Remove somebody first.",
    ),
    "too_many_invitations": ProblemKind(
        HTTPStatus.CONFLICT,
        "People were invited to sign in so often that no more may be for a while: 50 times a day by a business, five "
        "times a day at one address.",
        "Wait a day.",
    ),
    "key_ended": ProblemKind(
        HTTPStatus.CONFLICT,
        "The API key was revoked, or its grace hours are over, so that it cannot be followed by another.",
        "Create a new key, if one is still wanted.",
    ),
    "idempotency_key_reused": ProblemKind(
        HTTPStatus.CONFLICT,
        "The `Idempotency-Key` came with another body within the last day.",
        "Mend the client: a key belongs to one request.",
    ),
    "idempotency_in_progress": ProblemKind(
        HTTPStatus.CONFLICT,
        "The first request with this `Idempotency-Key` is still being worked on.",
        "Send it again in a moment, with the same key.",
        retryable=True,
        wait_seconds=1,
    ),
    "secret_shown_before": ProblemKind(
        HTTPStatus.CONFLICT,
        "The first request with this `Idempotency-Key` made a secret, which is shown only once and kept nowhere.",
        "If the first answer was lost, let the key or webhook `id` have a new one: rotate it.",
        members=("id",),
    ),
    "changed_meanwhile": ProblemKind(
        HTTPStatus.PRECONDITION_FAILED,
        "Somebody has changed the thing since the client read it (`If-Match`), or it is there already "
        "(`If-None-Match`); nothing of the request is done.",
        "Read it again, put the edit into what is there now, and send that with its `ETag`.",
    ),
    "concurrent_change": ProblemKind(
        HTTPStatus.CONFLICT,
        "Others kept writing the same thing.",
        "Send it again in a moment.",
        retryable=True,
        wait_seconds=1,
    ),
    "too_large": ProblemKind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is larger than the route takes.",
        "Send less; the file of an import can be uploaded instead.",
    ),
    "unsupported_media_type": ProblemKind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The gateway does not take bodies of this `Content-Type`.",
        "Send JSON, with `Content-Type: application/json`.",
    ),
    "validation_failed": ProblemKind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The request has values, fields or parameters that are not acceptable.",
        "Mend what `errors` names, each with its field. `did_you_mean` has the nearest name to one that there is not.",
        members=("errors", "did_you_mean"),
    ),
    "too_soon": ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "This was done so recently, or so often, that it is not done again yet: a customer is asked for marketing once "
        "a day, and at each address once a day whether their details are right; an address gets five invitations to "
        "family and friends a day and ten tests of campaigns an hour; ten test recipients of a business are asked a "
        "day, and a webhook gets no new secret while five are valid.",
        "Wait for as long as `Retry-After` says.",
        retryable=True,
    ),
    "too_many_requests": ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "There are more requests than the gateway lets through.",
        "Send it again a little later, and fewer at once.",
        retryable=True,
        wait_seconds=1,
    ),
    "internal_error": ProblemKind(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong on our side.",
        "Send it again, a POST with the same `Idempotency-Key`; tell whoever runs Rebound if it stays.",
        retryable=True,
    ),
    "unavailable": ProblemKind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "A service that this rests on has too much to do at this moment.",
        "Send it again in a moment, a POST with the same `Idempotency-Key`.",
        retryable=True,
        wait_seconds=1,
    ),
    "not_answered": ProblemKind(
        HTTPStatus.GATEWAY_TIMEOUT,
        "The gateway got no answer in time: what was asked may have been done.",
        "Send it again, a POST with the same `Idempotency-Key`.",
        retryable=True,
        wait_seconds=1,
    ),
    "voucher_used": ProblemKind(
        HTTPStatus.CONFLICT,
        "The voucher was redeemed with another order.",
        "Charge the order without it. Where the other order is refunded, take that redemption back first.",
    ),
    "voucher_taken_back": ProblemKind(
        HTTPStatus.CONFLICT,
        "The order's redemption of this voucher was taken back.",
        "Redeem the voucher with another order; a late repetition of the old request needs nothing.",
    ),
    "voucher_not_yet_valid": ProblemKind(
        HTTPStatus.CONFLICT,
        "The voucher is not valid yet.",
        "Redeem it from `valid_from` on.",
        members=("valid_from",),
    ),
    "voucher_expired": ProblemKind(
        HTTPStatus.CONFLICT,
        "The voucher is not valid any more, since `valid_until`.",
        "Charge the order without it.",
        members=("valid_until",),
    ),
}
"""The kinds of problems by their code. Those with the status 409 are named in ``kernel.errors`` as well."""


def type_of(code: str) -> str:
    """The ``type`` of a problem (RFC 9457): a name for the kind of problem, at which nothing is served."""
    return f"urn:rebound:problem:{code}"
