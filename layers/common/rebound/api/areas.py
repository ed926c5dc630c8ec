"""Which areas the API has: a row for each."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.kernel.api_scopes import Realm
from rebound.platform.http.app import Api, Area

AREAS: Final = (
    Area("business", ("rebound.preferences.http.settings",), "business"),
    # Its settings too. What Twilio calls below this address is answered elsewhere.
    Area("webhooks", ("rebound.webhooks.http",), "business"),
    Area(
        "customers",
        ("rebound.segments.http.profiles", "rebound.segments.http.customers"),
        "customers",
        as_customer=("PATCH",),
    ),
    Area(
        "customers/by-external-id",
        ("rebound.segments.http.profiles",),
        "customers",
        whole_id=True,
        as_customer=("PUT",),
    ),
    Area("customers/*/relations", ("rebound.preferences.http.relations",), "customers"),
    Area("customers/*/update-requests", ("rebound.preferences.http.update_requests",), "customers"),
    Area("customers/*/contacts", ("rebound.segments.http.profiles",), "customers", as_customer=("POST",)),
    Area("customers/*/reachability", ("rebound.eligibility.http.reachability",), "customers"),
    Area("activity", ("rebound.activity.http",), "customers"),
    Area("customers/*/activity", ("rebound.activity.http",), "customers"),
    Area("customers/*/summary", ("rebound.loyalty.http",), "customers"),
    Area("customers/*/points", ("rebound.activity.http",), "customers"),
    Area("customers/*/consent", ("rebound.preferences.http.consent",), "customers"),
    Area("customers/*/messages", ("rebound.sending.http",), "messages"),
    Area("customers/*/log", ("rebound.timeline.http",), "messages"),
    Area("loyalty", ("rebound.loyalty.http",), "customers"),
    Area("loyalty/favourites/by-external-id", ("rebound.loyalty.http",), "customers", whole_id=True),
    Area("customers/*/vouchers", ("rebound.vouchers.http",), "vouchers"),
    Area("vouchers", ("rebound.vouchers.http",), "vouchers"),
    Area("jobs", ("rebound.jobs.http",)),
    Area("imports", ("rebound.imports_exports.http.imports",), "customers"),
    # Asking for a file of customers reads them, although it is a POST.
    Area("exports", ("rebound.imports_exports.http.exports",), "customers", reads=True),
    Area("segments", ("rebound.segments.http.segments", "rebound.sequences.http.segments"), "segments"),
    Area("segments/preview", ("rebound.eligibility.http.preview",), "segments", reads=True),
    # It names them.
    Area(
        "segments/preview/recipients",
        ("rebound.eligibility.http.preview",),
        "segments",
        reads=True,
        also=("customers:read",),
        pages=True,
    ),
    Area(
        "campaigns",
        ("rebound.campaigns.http.campaigns", "rebound.campaigns.http.steering", "rebound.campaigns.http.recipients"),
        "campaigns",
    ),
    Area("campaigns/*/test", ("rebound.preferences.http.campaigns_tried",), "campaigns"),
    Area("ready-made-sequences", ("rebound.sequences.http.ready_made",), "campaigns"),
    Area(
        "sequences",
        tuple(f"rebound.sequences.http.{name}" for name in ("routes", "results", "versions")),
        "campaigns",
    ),
    # It names customers.
    Area("sequences/*/enrolments", ("rebound.sequences.http.enrolments",), "campaigns", also=("customers:read",)),
    Area("customers/*/sequences", ("rebound.sequences.http.enrolments",), "campaigns", also=("customers:read",)),
    # As activity: the software that tells what customers did tells this.
    Area("custom-events", ("rebound.sequences.http.custom_events",), "customers"),
    Area("waivers", ("rebound.sequences.http.waivers",), "messages"),
    Area("recurring-campaigns", ("rebound.recurring.http.recurring_campaigns",), "campaigns"),
    # They name customers.
    *(
        Area(f"campaigns/*/{name}", ("rebound.campaigns.http.named_recipients",), "campaigns", also=("customers:read",))
        for name in ("excluded", "messages.csv")
    ),
    Area("templates", ("rebound.templates.http.templates",), "messages"),
    Area("templates/*/preview", ("rebound.templates.http.template_previews",), "messages", reads=True),
    Area("template-events", ("rebound.templates.http.events",), "messages"),
    Area("text-plan", ("rebound.text_plans.http",), "messages"),
    # Nothing is kept.
    Area("layouts", ("rebound.templates.http.layouts",), "messages", reads=True),
    Area("texts", ("rebound.templates.http.texts",), "messages", reads=True),
    Area("messages", ("rebound.sending.http",), "messages"),
    # A key that may read messages may also read the answers to them.
    Area("appointments", ("rebound.timeline.http",), "messages"),
    Area("appointments/*/cancel-messages", ("rebound.sending.http",), "messages"),
    Area("appointments/*/reschedule", ("rebound.sending.http",), "messages"),
    Area("replies", ("rebound.inbound.http",), "messages"),
    Area("replies.csv", ("rebound.inbound.http",), "messages"),
    Area(
        "operator",
        ("rebound.operations.http.tenants", "rebound.operations.http.text_prices", "rebound.operations.http.plans"),
        "operator",
        realm=Realm.OPERATOR,
    ),
)


def _elsewhere() -> Mapping[str, Any]:
    # Only the document needs them.
    from rebound.inbound.http import INBOUND_TEXT  # noqa: PLC0415
    from rebound.preferences.http.documented import (  # noqa: PLC0415
        APPOINTMENT,
        CONFIRM,
        PREFERENCES,
        PROFILE,
        RELATION,
        STOP,
        UNSUBSCRIBE,
    )
    from rebound.receipts.http import STATUS_CALLBACK  # noqa: PLC0415

    return {
        "/v1/webhooks/twilio/status": STATUS_CALLBACK,
        "/v1/webhooks/twilio/inbound": INBOUND_TEXT,
        "/v1/unsubscribe/{token}": UNSUBSCRIBE,
        "/v1/stop/{code}": STOP,
        "/v1/preferences/{token}": PREFERENCES,
        "/v1/confirm/{token}": CONFIRM,
        "/v1/appointment/{token}": APPOINTMENT,
        "/v1/profile/{token}": PROFILE,
        "/v1/relation/{token}": RELATION,
    }


API: Final = Api(AREAS, _elsewhere)
