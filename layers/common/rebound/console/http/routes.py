"""Which pages there are: a row for each, with what somebody must have the right to."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Final

from msgspec import Struct

from rebound.console.domain.deeds import Deed
from rebound.console.http.requests import PageAnswer
from rebound.staff.domain import Right


class Route(Struct, frozen=True):
    """A page, or what a form does.

    In ``address`` (after ``/console/``) ``*`` stands for an id, which the handler gets. ``handler`` is a function of
    ``http``, such as ``customers.show`` or ``files.exports.show``; it gets the visit and the ids. Any of the ``rights``
    will do; without one nobody needs to be signed in. ``does`` is all that the form may do: the one thing, once it has
    led to another page, or the one of several that the handler names (``Visit.did``). A form without it looks for
    something or signs somebody in or out, and changes nothing of a business.
    """

    method: str
    address: str
    handler: str
    rights: tuple[Right, ...] = ()
    does: tuple[Deed, ...] = ()

    def ids_in(self, path: Sequence[str]) -> Sequence[str] | None:
        """The ids in a path; ``None`` when it is another page's."""
        own = self.address.split("/") if self.address else []
        if len(own) != len(path) or any(name not in ("*", part) for name, part in zip(own, path, strict=True)):
            return None
        return [part for name, part in zip(own, path, strict=True) if name == "*"]

    @property
    def is_for_operators(self) -> bool:
        """Whether a function of its own serves it, which may what no other may (decision 0134)."""
        return self.rights == (Right.OPERATE,)

    @property
    def handle(self) -> Callable[..., PageAnswer]:
        """The function; a page loads only the module that it is in."""
        module, _, name = self.handler.rpartition(".")
        found: Callable[..., PageAnswer] = getattr(import_module(f"rebound.console.http.{module}"), name)
        return found


SIGNED_IN: Final = (Right.READ, Right.OPERATE)
"""Whatever somebody may."""
PAGES: Final = (
    "customers",
    "segments",
    "campaigns",
    "sequences",
    "templates",
    "replies",
    "appointments",
    "text-plan",
    "imports",
    "exports",
    "jobs",
    "staff",
    "keys",
    "settings",
    "history",
    "operations",
    "reference",
)
"""Those that every page leads to, in this order; each is the address of a route."""
ROUTES: Final = (
    Route("GET", "sign-in", "sign_in.ask"),
    Route("POST", "sign-in", "sign_in.send_code"),
    Route("GET", "sign-in-code", "sign_in.ask_code"),
    Route("POST", "sign-in-code", "sign_in.take_code"),
    Route("GET", "sign-in/*", "sign_in.look_at_link"),
    Route("POST", "sign-in-link", "sign_in.take_link"),
    Route("POST", "sign-out", "sign_in.sign_out", SIGNED_IN),
    Route("POST", "sign-out-everywhere", "sign_in.sign_out_everywhere", SIGNED_IN),
    Route("GET", "choose-business", "sign_in.show_businesses", SIGNED_IN),
    Route("POST", "choose-business", "sign_in.choose_business", SIGNED_IN),
    # A search is posted, so that no name and no address stands in a browser's history or in a log.
    Route("POST", "customers", "customers.show_list", (Right.READ,)),
    Route("GET", "customers", "customers.show_list", (Right.READ,)),
    Route("GET", "replies", "replies.show_list", (Right.READ,)),
    Route("POST", "replies/*", "replies.resolve", (Right.EDIT_CUSTOMERS,), (Deed.REPLY_SETTLED,)),
    Route("GET", "appointments", "appointments.show", (Right.READ,)),
    Route("GET", "text-plan", "text_plan.show", (Right.READ,)),
    Route("GET", "staff", "staff.show_list", (Right.STAFF,)),
    Route("POST", "staff", "staff.invite", (Right.STAFF,), (Deed.STAFF_INVITED,)),
    Route("POST", "staff/change", "staff.change", (Right.STAFF,), (Deed.STAFF_CHANGED,)),
    Route("POST", "staff/remove", "staff.remove", (Right.STAFF,), (Deed.STAFF_REMOVED,)),
    Route("GET", "settings", "settings.show", (Right.READ,)),
    Route("POST", "settings", "settings.save", (Right.SETTINGS,), (Deed.SETTINGS_CHANGED,)),
    Route("GET", "history", "history.pages.show", (Right.HISTORY,)),
    Route("GET", "campaigns/*/history", "history.pages.show_campaign", (Right.READ,)),
    Route("GET", "recurring/*/history", "history.pages.show_recurring", (Right.READ,)),
    Route("GET", "segments/*/history", "history.pages.show_segment", (Right.READ,)),
    Route("GET", "sequences/*/history", "history.pages.show_sequence", (Right.READ,)),
    Route("GET", "waivers/*/history", "history.pages.show_waiver", (Right.READ,)),
    Route("GET", "templates/*/history", "history.pages.show_template", (Right.READ,)),
    Route("GET", "operations/businesses/*/history", "operations.history.show_business", (Right.OPERATE,)),
    Route("GET", "operations/history", "operations.history.show", (Right.OPERATE,)),
    Route("GET", "operations", "operations.watching.show", (Right.OPERATE,)),
    Route("GET", "operations/costs", "operations.watching.show_costs", (Right.OPERATE,)),
    Route("GET", "operations/senders", "operations.watching.show_senders", (Right.OPERATE,)),
    # A business may be called like somebody.
    Route("GET", "operations/businesses", "operations.businesses.show_list", (Right.OPERATE,)),
    Route("POST", "operations/businesses", "operations.businesses.show_list", (Right.OPERATE,)),
    Route("GET", "operations/businesses/new", "operations.businesses.begin", (Right.OPERATE,)),
    Route(
        "POST", "operations/businesses/new", "operations.businesses.create", (Right.OPERATE,), (Deed.BUSINESS_CREATED,)
    ),
    Route("GET", "operations/businesses/*", "operations.business.show", (Right.OPERATE,)),
    Route(
        "POST", "operations/businesses/*/booked", "operations.business.book", (Right.OPERATE,), (Deed.BUSINESS_BOOKED,)
    ),
    Route(
        "POST",
        "operations/businesses/*/text-plan",
        "operations.business.set_plan",
        (Right.OPERATE,),
        (
            Deed.BUSINESS_PLAN_SET,
            Deed.BUSINESS_PLAN_OFF,
        ),
    ),
    Route(
        "POST",
        "operations/businesses/*/lift-hold",
        "operations.business.lift_hold",
        (Right.OPERATE,),
        (Deed.BUSINESS_HOLD_LIFTED,),
    ),
    Route(
        "POST",
        "operations/businesses/*/senders",
        "operations.business.add_sender",
        (Right.OPERATE,),
        (Deed.BUSINESS_SENDER_GRANTED,),
    ),
    Route(
        "POST",
        "operations/businesses/*/senders/remove",
        "operations.business.remove_sender",
        (Right.OPERATE,),
        (Deed.BUSINESS_SENDER_REMOVED,),
    ),
    Route("GET", "operations/plans", "operations.plans.show", (Right.OPERATE,)),
    Route(
        "POST",
        "operations/plans/holds",
        "operations.plans.set_holds",
        (Right.OPERATE,),
        (
            Deed.STACK_HOLDS_SET,
            Deed.STACK_HOLDS_OFF,
        ),
    ),
    Route("POST", "operations/plans/prices", "operations.plans.set_price", (Right.OPERATE,), (Deed.STACK_PRICE_SET,)),
    Route(
        "POST",
        "operations/plans/prices/remove",
        "operations.plans.remove_price",
        (Right.OPERATE,),
        (Deed.STACK_PRICE_REMOVED,),
    ),
    Route("GET", "operations/dead-letters", "operations.letters.show_list", (Right.OPERATE,)),
    Route("GET", "operations/dead-letters/*", "operations.letters.show", (Right.OPERATE,)),
    Route(
        "POST",
        "operations/dead-letters/*",
        "operations.letters.redrive",
        (Right.OPERATE,),
        (Deed.DEAD_LETTERS_PUT_BACK,),
    ),
    Route("GET", "reference", "reference.show", SIGNED_IN),
    Route("GET", "reference/*", "reference.show_area", SIGNED_IN),
    Route("GET", "keys", "keys.show_list", (Right.KEYS,)),
    Route("POST", "keys", "keys.create", (Right.KEYS,), (Deed.KEY_CREATED,)),
    Route("POST", "keys/*/rotate", "keys.rotate", (Right.KEYS,), (Deed.KEY_ROTATED,)),
    Route("POST", "keys/*/revoke", "keys.revoke", (Right.KEYS,), (Deed.KEY_REVOKED,)),
    Route("GET", "segments", "segments.show_list", (Right.READ,)),
    Route("GET", "segments/new", "segments.begin", (Right.READ,)),
    Route("POST", "segments/new", "segments.work_on_new", (Right.EDIT_SEGMENTS,), (Deed.SEGMENT_CREATED,)),
    Route("GET", "segments/*", "segments.show", (Right.READ,)),
    Route("POST", "segments/*", "segments.work_on", (Right.EDIT_SEGMENTS,), (Deed.SEGMENT_CHANGED,)),
    Route("POST", "segments/*/delete", "segments.delete", (Right.EDIT_SEGMENTS,), (Deed.SEGMENT_DELETED,)),
    Route("GET", "campaigns", "campaigns.listed.show_list", (Right.READ,)),
    Route("GET", "campaigns/new", "campaigns.compose.begin", (Right.SEND,)),
    Route("POST", "campaigns/new", "campaigns.compose.create", (Right.SEND,), (Deed.CAMPAIGN_BEGUN,)),
    Route("GET", "campaigns/*/whom", "campaigns.compose.show_whom", (Right.SEND,)),
    Route("POST", "campaigns/*/whom", "campaigns.compose.save_whom", (Right.SEND,), (Deed.CAMPAIGN_WHOM_CHANGED,)),
    Route("POST", "campaigns/*/by-hand", "campaigns.compose.by_hand", (Right.SEND,), (Deed.CAMPAIGN_BY_HAND_CHANGED,)),
    Route("GET", "campaigns/*/what", "campaigns.compose.show_what", (Right.SEND,)),
    Route("POST", "campaigns/*/what", "campaigns.compose.save_what", (Right.SEND,), (Deed.CAMPAIGN_CONTENT_CHANGED,)),
    Route("GET", "campaigns/*/when", "campaigns.compose.show_when", (Right.SEND,)),
    Route("POST", "campaigns/*/when", "campaigns.compose.save_when", (Right.SEND,), (Deed.CAMPAIGN_TIME_CHANGED,)),
    Route("GET", "campaigns/*/check", "campaigns.check.show", (Right.SEND,)),
    Route(
        "POST",
        "campaigns/*/check",
        "campaigns.check.decide",
        (Right.SEND,),
        (Deed.CAMPAIGN_SENT, Deed.CAMPAIGN_SCHEDULED),
    ),
    Route("GET", "campaigns/*/who", "campaigns.who.show", (Right.SEND,)),
    Route("GET", "recurring", "campaigns.recurring.show_list", (Right.READ,)),
    Route("GET", "recurring/new", "campaigns.recurring.begin", (Right.SEND,)),
    Route("POST", "recurring/new", "campaigns.recurring.create", (Right.SEND,), (Deed.RECURRING_CREATED,)),
    Route("GET", "recurring/*", "campaigns.recurring.show", (Right.SEND,)),
    Route("POST", "recurring/*", "campaigns.recurring.save", (Right.SEND,), (Deed.RECURRING_CHANGED,)),
    Route(
        "POST",
        "recurring/*/switch",
        "campaigns.recurring.switch",
        (Right.SEND,),
        (
            Deed.RECURRING_SWITCHED_ON,
            Deed.RECURRING_SWITCHED_OFF,
        ),
    ),
    Route("POST", "recurring/*/delete", "campaigns.recurring.delete", (Right.SEND,), (Deed.RECURRING_DELETED,)),
    Route("GET", "sequences", "sequences.listed.show_list", (Right.READ,)),
    Route("GET", "sequences/new", "sequences.editor.begin", (Right.SEND,)),
    Route("POST", "sequences/new", "sequences.editor.work_on_new", (Right.SEND,), (Deed.SEQUENCE_CREATED,)),
    Route("GET", "sequences/*/edit", "sequences.editor.show", (Right.SEND,)),
    Route("POST", "sequences/*/edit", "sequences.editor.work_on", (Right.SEND,), (Deed.SEQUENCE_CHANGED,)),
    Route("GET", "sequences/*", "sequences.shown.show", (Right.READ,)),
    Route(
        "POST",
        "sequences/*/switch",
        "sequences.shown.switch",
        (Right.SEND,),
        (Deed.SEQUENCE_SWITCHED_ON, Deed.SEQUENCE_SWITCHED_OFF),
    ),
    Route("POST", "sequences/*/delete", "sequences.shown.delete", (Right.SEND,), (Deed.SEQUENCE_DELETED,)),
    Route("GET", "sequences/*/short", "sequences.shown.show_short", (Right.READ,)),
    Route("GET", "sequences/*/messages/*", "sequences.shown.show_messages", (Right.READ,)),
    Route("GET", "sequences/*/move", "sequences.moving.ask", (Right.SEND,)),
    Route("POST", "sequences/*/move", "sequences.moving.move", (Right.SEND,), (Deed.SEQUENCE_MOVED,)),
    Route("GET", "sequences/*/people", "sequences.people.show", (Right.READ,)),
    Route("POST", "sequences/*/people", "sequences.people.show", (Right.READ,)),
    Route("POST", "sequences/*/begin", "sequences.people.enrol", (Right.SEND,), (Deed.SEQUENCE_BEGUN,)),
    Route("POST", "sequences/*/take-out", "sequences.people.take_out", (Right.SEND,), (Deed.SEQUENCE_TAKEN_OUT,)),
    Route("GET", "waivers", "sequences.waivers.show_list", (Right.READ,)),
    Route("POST", "waivers", "sequences.waivers.post_new", (Right.SEND,), (Deed.WAIVER_POSTED,)),
    Route("GET", "waivers/*", "sequences.waivers.show", (Right.READ,)),
    Route("POST", "waivers/*", "sequences.waivers.post", (Right.SEND,), (Deed.WAIVER_POSTED,)),
    Route("GET", "waivers/*/short", "sequences.waivers.show_short", (Right.READ,)),
    Route("GET", "campaigns/*/frame", "campaigns.check.show_in_frame", (Right.READ,)),
    Route("GET", "templates", "message_templates.pages.show_list", (Right.READ,)),
    Route("GET", "templates/new", "message_templates.pages.begin", (Right.EDIT_TEMPLATES,)),
    Route(
        "POST",
        "templates/new",
        "message_templates.pages.work_on_new",
        (Right.EDIT_TEMPLATES,),
        (
            Deed.TEMPLATE_DRAFT_SAVED,
            Deed.TEMPLATE_PUBLISHED,
        ),
    ),
    Route("GET", "templates/*", "message_templates.pages.show", (Right.READ,)),
    Route(
        "POST",
        "templates/*",
        "message_templates.pages.work_on",
        (Right.EDIT_TEMPLATES,),
        (
            Deed.TEMPLATE_DRAFT_SAVED,
            Deed.TEMPLATE_PUBLISHED,
        ),
    ),
    Route("GET", "templates/*/frame", "message_templates.pages.show_in_frame", (Right.READ,)),
    Route("POST", "templates/*/preview", "message_templates.pages.look", (Right.READ,)),
    Route("POST", "templates/*/copy", "message_templates.pages.copy", (Right.EDIT_TEMPLATES,), (Deed.TEMPLATE_COPIED,)),
    Route(
        "POST",
        "templates/*/publish",
        "message_templates.pages.publish",
        (Right.EDIT_TEMPLATES,),
        (Deed.TEMPLATE_PUBLISHED,),
    ),
    Route(
        "POST", "templates/*/reset", "message_templates.pages.reset", (Right.EDIT_TEMPLATES,), (Deed.TEMPLATE_RESET,)
    ),
    Route(
        "POST",
        "templates/*/delete",
        "message_templates.pages.delete",
        (Right.EDIT_TEMPLATES,),
        (
            Deed.TEMPLATE_DELETED,
            Deed.TEMPLATE_DRAFT_REMOVED,
        ),
    ),
    Route(
        "POST",
        "templates/*/test",
        "message_templates.pages.send_test",
        (Right.EDIT_TEMPLATES,),
        (Deed.TEMPLATE_TEST_SENT,),
    ),
    Route("POST", "settings/look", "layouts.editor.show_style", (Right.SETTINGS,)),
    Route("GET", "layouts/new", "layouts.editor.begin", (Right.EDIT_TEMPLATES,)),
    Route(
        "POST",
        "layouts/new",
        "layouts.editor.work_on_new",
        (Right.EDIT_TEMPLATES,),
        (
            Deed.TEMPLATE_DRAFT_SAVED,
            Deed.TEMPLATE_TEST_SENT,
            Deed.TEMPLATE_PUBLISHED,
        ),
    ),
    Route("GET", "layouts/*", "layouts.editor.show", (Right.READ,)),
    Route(
        "POST",
        "layouts/*",
        "layouts.editor.work_on",
        (Right.EDIT_TEMPLATES,),
        (
            Deed.TEMPLATE_DRAFT_SAVED,
            Deed.TEMPLATE_TEST_SENT,
            Deed.TEMPLATE_PUBLISHED,
        ),
    ),
    Route("POST", "layouts/*/frame", "layouts.editor.show_in_frame", (Right.EDIT_TEMPLATES,)),
    Route("GET", "campaigns/*", "campaigns.sent.show", (Right.READ,)),
    Route("POST", "campaigns/*/pause", "campaigns.sent.pause", (Right.SEND,), (Deed.CAMPAIGN_PAUSED,)),
    Route("POST", "campaigns/*/resume", "campaigns.sent.resume", (Right.SEND,), (Deed.CAMPAIGN_RESUMED,)),
    Route("POST", "campaigns/*/cancel", "campaigns.sent.cancel", (Right.SEND,), (Deed.CAMPAIGN_CANCELLED,)),
    Route("POST", "campaigns/*/copy", "campaigns.sent.copy", (Right.SEND,), (Deed.CAMPAIGN_COPIED,)),
    Route("POST", "campaigns/*/roll-back", "campaigns.sent.roll_back", (Right.SEND,), (Deed.CAMPAIGN_ROLLED_BACK,)),
    Route("POST", "campaigns/*/winner", "campaigns.sent.choose_winner", (Right.SEND,), (Deed.CAMPAIGN_WINNER_CHOSEN,)),
    Route("GET", "campaigns/*/messages", "campaigns.sent_people.show_messages", (Right.READ,)),
    Route("GET", "campaigns/*/messages/*", "campaigns.sent_people.show_message", (Right.READ,)),
    Route("GET", "campaigns/*/left-out", "campaigns.sent_people.show_left_out", (Right.READ,)),
    Route("POST", "campaigns/*/again", "campaigns.sent_people.ask_again", (Right.SEND,)),
    Route(
        "POST", "campaigns/*/send-again", "campaigns.sent_people.send_again", (Right.SEND,), (Deed.CAMPAIGN_SENT_AGAIN,)
    ),
    Route("POST", "customers/clean-up", "customers_cleaned.ask", (Right.CLEAN_UP,)),
    Route("POST", "customers/clean-up-begun", "customers_cleaned.begin", (Right.CLEAN_UP,), (Deed.CLEAN_UP_BEGUN,)),
    Route("GET", "customers/clean-up/*", "customers_cleaned.show", (Right.CLEAN_UP,)),
    Route("POST", "customers/export", "customers.export", (Right.FILES,), (Deed.EXPORT_BEGUN,)),
    Route("GET", "imports", "files.imports.show_list", (Right.FILES,)),
    Route("GET", "imports/new", "files.imports.begin", (Right.FILES,)),
    Route("GET", "imports/new/*", "files.imports.look", (Right.FILES,)),
    Route("POST", "imports/new/*", "files.imports.start", (Right.FILES,), (Deed.IMPORT_BEGUN,)),
    Route("GET", "imports/*", "files.imports.show", (Right.FILES,)),
    Route("GET", "imports/*/files/*", "files.imports.download", (Right.FILES,)),
    Route("GET", "exports", "files.exports.show_list", (Right.FILES,)),
    Route("POST", "exports", "files.exports.start", (Right.FILES,), (Deed.EXPORT_BEGUN,)),
    Route("GET", "exports/*", "files.exports.show", (Right.FILES,)),
    Route("GET", "exports/*/file", "files.exports.download", (Right.FILES,)),
    Route("GET", "jobs", "files.jobs.show_list", (Right.FILES,)),
    Route("GET", "jobs/*", "files.jobs.show", (Right.FILES,)),
    Route("POST", "jobs/*/resume", "files.jobs.resume", (Right.FILES,), (Deed.JOB_RESUMED,)),
    Route("GET", "customers/*", "customer.show", (Right.READ,)),
    Route("POST", "customers/*", "customer.save", (Right.EDIT_CUSTOMERS,), (Deed.CUSTOMER_CHANGED,)),
    Route("POST", "customers/*/confirm", "customer.confirm", (Right.EDIT_CUSTOMERS,), (Deed.CUSTOMER_CONFIRMED,)),
    Route(
        "POST",
        "customers/*/consent",
        "customer.state_consent",
        (Right.EDIT_CUSTOMERS,),
        (Deed.CUSTOMER_CONSENT_STATED,),
    ),
    Route("POST", "customers/*/ask", "customer.ask_for_update", (Right.EDIT_CUSTOMERS,), (Deed.CUSTOMER_ASKED,)),
    Route("GET", "customers/*/family", "customer_family.show", (Right.READ,)),
    Route(
        "POST", "customers/*/family", "customer_family.change", (Right.EDIT_CUSTOMERS,), (Deed.CUSTOMER_FAMILY_CHANGED,)
    ),
    Route("GET", "customers/*/activity", "customer_activity.show", (Right.READ,)),
    Route("GET", "customers/*/points", "customer_activity.show_points", (Right.READ,)),
    Route(
        "POST", "customers/*/points", "customer_activity.book", (Right.EDIT_CUSTOMERS,), (Deed.CUSTOMER_POINTS_BOOKED,)
    ),
    Route("GET", "customers/*/timeline", "customer_activity.show_timeline", (Right.READ,)),
    Route("GET", "customers/*/sequences", "customer_activity.show_sequences", (Right.READ,)),
    Route("GET", "customers/*/waiting", "customer_activity.show_waiting", (Right.READ,)),
)


@cache
def _by_length() -> dict[int, list[Route]]:
    found: dict[int, list[Route]] = {}
    # A word goes before an id.
    for route in sorted(ROUTES, key=lambda route: route.address.split("/"), reverse=True):
        found.setdefault(len(route.address.split("/")) if route.address else 0, []).append(route)
    return found


def find(path: Sequence[str]) -> tuple[dict[str, Route], Sequence[str]]:
    """The routes at a path by method, and the ids in it; no routes where there is no page."""
    for route in _by_length().get(len(path), ()):
        ids = route.ids_in(path)
        if ids is not None:
            return {other.method: other for other in ROUTES if other.address == route.address}, ids
    return {}, ()
