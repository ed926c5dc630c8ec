"""A day of the deployment in memory: the real functions over the real adapters, from the first request to rest.

Everybody's name, address and number is unmistakable, so that it can be looked for where it must not be.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from rebound.customers.adapters.forgetting import DynamoUnforgottenCustomers, deleted_customer_of
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import Scope
from rebound.kernel.events import EVENTS
from rebound.kernel.receipts import TESTED, MessageKey
from rebound.messages.domain.links import Link, LinkKeys, Purpose, write_token
from rebound.sending.application import run_campaign
from tests.fakes.aws import REPOSITORY, rows
from tests.fakes.deployment import LINK_KEY, Deployment, Sent

EMAILED: Final = 30
TEXTED: Final = 8
CHUNK: Final = 27
"""More than one BatchWriteItem takes, and fewer than are emailed."""
PAGE: Final = 20
WORTH_A_RANGE: Final = 2
"""So that what is for a filter is expanded in two ranges by steps of their own, and a list in the plan."""
WHATEVER_THEY_DID: Final = {"visits": {"at_most": 1_000_000}}
"""A filter that everybody meets, and that asks what they did."""
FIRST_NAME: Final = "Zebulonia"
LAST_NAME: Final = "Quackenbush"
SUBJECT: Final = "Velvet marmalade"
OWNER: Final = "owner@example.com"
BODY: Final = "Turquoise harmonica"
TAG: Final = "Married to Philomena"
ONE_CLICK: Final = "List-Unsubscribe=One-Click"
CATEGORIES: Final = ["marketing", "reminder", "one_to_one"]


def email_of(number: int) -> str:
    """The address of a customer."""
    return f"zeb{number}@quackenbush.example.org"


def phone_of(number: int) -> str:
    """The number of a customer."""
    return f"+1415556{7000 + number}"


def _written(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


class DeployedDay:
    """The day of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.business_ids: list[str] = []
        self.customer_ids: list[dict[int, str]] = []
        self.campaigns: dict[str, tuple[str, str]] = {}
        self.reconciled: dict[str, Any] = {}
        self.in_sandbox: dict[str, Any] = {}
        """What the nightly comparison answers there."""
        self.opened: list[Any] = []
        """What the pages behind links answered."""
        self.answered: list[Any] = []
        """What the pages behind the link of a question answered."""
        self.confirmed: list[Any] = []
        self.own: list[Any] = []
        """What the page behind the link to confirm an appointment answered."""
        self.fell_back: list[str] = []
        """By which channel two texts went in the end, of which the plan had room for one."""
        self.shared: list[Any] = []
        """The campaigns to two who share an address, at their end."""
        self.tried: list[Sent] = []
        """What test recipients were sent."""
        self.went_through: dict[str, Any] = {}
        """How customers stand in each sequence in the end, by external ids."""
        self.asked_to_sign: list[Any] = []
        """The versions of a waiver."""
        self.celebrated: list[Any] = []
        """What came of recurring campaigns."""
        self.left_out: list[Any] = []
        """Whom the copy of a campaign left out."""
        self.planned: dict[str, str] = {}
        """What is to become of messages for days far off."""
        self.taken_back: dict[str, str] = {}
        """What became of them."""
        self.consent: dict[str, Any] = {}
        """How the consent of the customer who was asked stands then."""
        providers = deployment.providers
        providers.answers = {
            email_of(2): ["ACCOUNT_THROTTLED"],
            email_of(3): ["MESSAGE_REJECTED"],
            phone_of(2): ["20429"],
            phone_of(3): ["21211"],
            phone_of(4): ["took"],
            phone_of(5): ["lost"],
        }
        providers.parts = {phone_of(50): 2}
        providers.outcomes = {
            email_of(5): ("bounced",),
            email_of(6): ("delivered", "bounced"),
            email_of(7): ("delivered", "complained"),
            email_of(8): ("unreachable",),
            email_of(10): ("full",),
            phone_of(6): ("sent", "undelivered:30005"),
            phone_of(52): ("Phone number is opted out",),
        }

    def prepare(self) -> None:
        """Businesses that cap what they send, though nobody gets so much in a day, and their customers."""
        senders = (
            ("Juniper", {"email_from": "hello@example.com", "text_from": "+14155550100"}),
            ("Cedar", {"email_from": "hello@cedar.example.com", "text_provider": "sns"}),
        )
        for name, sending in senders:
            command = {"command": "create-business", "name": name, "country": "US", "time_zone": "America/New_York"}
            command |= {"quiet_hours": "off", "owner_email": OWNER, **sending}
            self.business_ids.append(self.deployment.invoke("OperateStackFunction", command)["business_id"])
            cap = {"name": "Enough", "categories": CATEGORIES, "at_most": 50, "within_days": 7}
            self.deployment.api("PATCH", "/v1/business", {"frequency_caps": [cap]}, business_id=self.business_ids[-1])
        self.let_a_platform_in()
        first, second = self.business_ids
        self.plan_texts(1000, first)
        # One that SNS counts twice: what is reserved is below 80 percent, and what is settled is all.
        self.plan_texts(4, second)
        webhook = {"url": "https://hooks.example.com/in", "events": list(EVENTS)}
        self.deployment.api("PUT", "/v1/webhooks/crm", webhook, business_id=first)
        named = {"message_events": ["MessageDelivered"]}
        self.deployment.api("PATCH", "/v1/business", named, business_id=first)
        people = [self._person(number) for number in range(EMAILED)]
        self._import(first, people)
        self._import(second, [self._person(50 + number) for number in range(3)])
        self.deployment.rest()
        for business_id in self.business_ids:
            listed = self.deployment.api("GET", "/v1/customers?limit=100", business_id=business_id)["items"]
            self.customer_ids.append({int(c["external_id"]): c["customer_id"] for c in listed})

    def plan_texts(self, included: int, business_id: str) -> None:
        """How many segments of texts a business may use, to which what comes in counts."""
        plan = {"texts": {"included": included, "inbound_texts": True}}
        self.deployment.api("PUT", f"/v1/operator/businesses/{business_id}/plans", plan)

    def let_a_platform_in(self) -> None:
        """A business that is made, changed and listed by program, and that nobody writes from."""
        self.deployment.invoke("OperateStackFunction", {"command": "create-operator-key"})
        elm = "/v1/operator/businesses/elm"
        for settings in ({"name": "Elm", "country": "US", "time_zone": "America/New_York"}, {"bundle": "basic"}):
            self.deployment.api("PUT", elm, settings)
        self.deployment.api("PATCH", elm, {"policy": {"preset": "strict"}})
        for key in ("first", "second"):
            self.deployment.api("POST", f"{elm}/keys", {"label": key}, key=key)
        self.deployment.api("POST", f"{elm}/senders", {"sender": "elm@example.com"})
        self.deployment.api("POST", f"{elm}/senders", {"sender": "elm@elsewhere.example"}, key="refused")
        prices = "/v1/operator/text-prices"
        for country in ("US", "DE"):
            self.deployment.api("PUT", f"{prices}/{country}/twilio", {"price": "0.0083", "currency": "USD"})
        self.deployment.api("DELETE", f"{prices}/DE/twilio")
        for path in ("/v1/operator/businesses", f"{elm}/keys", prices):
            self.deployment.api("GET", path)

    @staticmethod
    def _person(number: int) -> str:
        tag = "texted" if number < TEXTED or number >= 50 else ""
        return f"{FIRST_NAME}{number},{LAST_NAME},{number},{email_of(number)},{phone_of(number)},{tag}"

    def _import(self, business_id: str, people: Sequence[str], name: str = "first") -> None:
        content = "\n".join(["first_name,last_name,external_id,email,mobile_phone,general_tags", *people, ""])
        self.deployment.api(
            "POST",
            "/v1/imports",
            {"format": "csv", "content": content},
            business_id=business_id,
            key=f"{name}-{business_id}",
        )

    def play(self) -> None:
        """From the first campaign until nothing is left to happen."""
        first, second = self.business_ids
        everybody = list(self.customer_ids[0].values())
        with ExitStack() as small:
            small.enter_context(patch.object(run_campaign, "CHUNK_SIZE", CHUNK))
            small.enter_context(patch.object(run_campaign, "PAGE", PAGE))
            small.enter_context(patch.object(run_campaign, "WORTH_A_RANGE", WORTH_A_RANGE))
            visit, answer = ({"goal": {"kind": kind, "within_days": 30}} for kind in ("visit", "reply"))
            self._post("email", first, "email", {"customer_ids": everybody, **visit})
            segment = {"name": "Texted", "filter": {"tag": "texted"}}
            self.deployment.api("PUT", "/v1/segments/texted", segment, business_id=first)
            self._post("text", first, "sms", {"segment_id": "texted", **answer}, category="reminder")
            self._post("sns", second, "sms", {"filter": {"all": []}})
            self._post("cancelled", first, "email", {"customer_ids": everybody[:3]})
            self._steer("pause", "email")
            self._steer("pause", "text")
            self._steer("pause", "cancelled")
            for _ in range(10):
                self.deployment.tick()
            self._message(first, 0, "email")
            self._message(first, 1, "sms")
            self.deployment.api("DELETE", f"/v1/customers/{self.customer_ids[0][9]}", business_id=first)
            self._steer("resume", "email")
            self._steer("resume", "text")
            self._steer("cancel", "cancelled")
            self.deployment.rest()
            policy = {"policy": {"preset": "strict"}}
            self.deployment.api("PATCH", "/v1/business", policy, business_id=first)
            self.deployment.rest()
        self.plan_texts(1000, second)

    def _content(self, channel: str) -> dict[str, str]:
        body = f"{BODY} ##{{{{first_name}}}}"
        return {"subject": SUBJECT, "text": body} if channel == "email" else {"body": body}

    def _made_from_a_template(self, business_id: str) -> dict[str, Any]:
        """What a campaign says that is made from a template, which was a draft before."""
        subject, text = f"{SUBJECT} ##{{{{season}}}}", "##{{news}} ##{{first_name}}"
        template = {"name": "News", "channel": "email", "category": "marketing", "status": "draft"}
        said = {"variables": {"season": {}, "news": {}}, "contents": {"en": {"subject": subject, "text": text}}}
        self.deployment.api("PUT", "/v1/templates/news", {**template, **said}, business_id=business_id)
        self.deployment.api("POST", "/v1/templates/news/publish", business_id=business_id)
        return {"content": None, "template_id": "news", "variables": {"season": "now", "news": BODY}}

    def _post(self, name: str, business_id: str, channel: str, whom: Any, category: str = "marketing") -> None:
        given = {"name": name, "category": category, "channel": channel, "content": self._content(channel), **whom}
        made = self.deployment.api("POST", "/v1/campaigns", given, business_id=business_id, key=name)
        self.campaigns[name] = (business_id, made["campaign_id"])

    def _message(
        self, business_id: str, number: int, channel: str, name: str = "message", category: str = "one_to_one"
    ) -> None:
        given = {"customer_id": self.customer_ids[0][number], "category": category, "channel": channel}
        given["content"] = self._content(channel)  # type: ignore[assignment]
        self.deployment.api("POST", "/v1/messages", given, business_id=business_id, key=f"{name}-{channel}")

    def _steer(self, order: str, name: str) -> None:
        business_id, campaign_id = self.campaigns[name]
        self.deployment.api("POST", f"/v1/campaigns/{campaign_id}/{order}", business_id=business_id)

    def say_what_they_want(self) -> None:
        """Links in emails are opened: by who is there, by who is gone, and by who is faster than our own record."""
        first, customer_ids = self.business_ids[0], self.customer_ids[0]
        self.deployment.api("DELETE", f"/v1/customers/{customer_ids[15]}", business_id=first)
        for number in (14, 15):
            path = self._link_to(number)
            self.opened += [self.deployment.open_link(path), self.deployment.open_link(path, ONE_CLICK)]
        unrecorded = MessageKey(first, customer_ids[16], "01M7W6C3805FEE6AD6R1F2WA02")
        link = Link.to(Purpose.PREFERENCES, ContactKey(first, Channel.EMAIL, email_of(16)), unrecorded)
        path = f"/v1/preferences/{write_token(link, LinkKeys(1, {1: LINK_KEY.encode()}))}"
        self.opened += [self.deployment.open_link(path), self.deployment.open_link(path, "choice=no_loyalty")]
        self.deployment.rest()

    def mind_their_own(self) -> None:
        """Somebody is linked with who is deleted later, asks another to be linked, and corrects details in a form."""
        first, ids = self.business_ids[0], self.customer_ids[0]
        family = f"/v1/customers/{ids[28]}/relations"
        for given in ({"customer_id": ids[15], "relationship": "child"}, {"name": "Rex", "relationship": "dog"}):
            self.deployment.api("POST", family, given, business_id=first)
        asked = {"customer_id": ids[29], "relationship": "spouse", "invite": True}
        self.deployment.api("POST", family, asked, business_id=first, key="family")
        self.deployment.rest()
        path = self._own_link(Purpose.RELATION, 29)
        self.own = [self.deployment.open_link(path), self.deployment.open_link(path, "answer=accept")]
        request = f"/v1/customers/{ids[28]}/update-requests"
        self.deployment.api("POST", request, {"channel": "email"}, business_id=first, key="details")
        self.deployment.rest()
        path = self._own_link(Purpose.PROFILE, 28)
        shown = self.deployment.open_link(path)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', shown["body"]))
        filled = urlencode({**fields, "night_phone": phone_of(28), "email": email_of(128)})
        self.own += [shown, self.deployment.open_link(path, filled)]
        assert [answer["statusCode"] for answer in self.own] == [200] * 4
        self.deployment.rest()

    def _own_link(self, purpose: Purpose, number: int) -> str:
        """The link in the last email to a customer."""
        first = self.business_ids[0]
        sent = [each.key for each in self.deployment.providers.log if each.to == email_of(number)][-1]
        link = Link.to(purpose, ContactKey(first, Channel.EMAIL, email_of(number)), MessageKey(first, *sent))
        return f"/v1/{purpose}/{write_token(link, LinkKeys(1, {1: LINK_KEY.encode()}))}"

    def _link_to(self, number: int) -> str:
        headers = next(own for to, own in self.deployment.providers.headers if to == email_of(number))
        return urlsplit(headers["List-Unsubscribe"].strip("<>")).path.removeprefix("/live")

    def stop_texts_by_a_link(self) -> None:
        """A text that sells has a link of its recipient's own, who opens it and stops such texts."""
        first, number = self.business_ids[0], phone_of(20)
        content = {"body": f"{BODY} ##{{{{stop_url}}}}"}
        variants = [{"name": name, "share": 50, "content": content} for name in ("Short", "Shorter")]
        whom = {"customer_ids": [self.customer_ids[0][20]], "content": None, "variants": variants}
        self._post("stoppable", first, "sms", whom)
        self.deployment.rest()
        text = next(body for to, body in reversed(self.deployment.providers.texts) if to == number)
        self.deployment.api("POST", "/v1/texts/measure", {"body": content["body"]}, business_id=first)
        path = urlsplit(text.rpartition(" ")[2]).path.removeprefix("/live")
        self.opened += [self.deployment.open_link(path), self.deployment.open_link(path, ONE_CLICK)]
        self.deployment.rest()

    def write_to_few(self) -> None:
        """Without the marketing bundle, campaigns to a range and to several reserve their part of the day."""
        first = self.business_ids[0]
        command = {"command": "set-bundle", "business_id": first}
        self.deployment.invoke("OperateStackFunction", {**command, "bundle": ["premium"]})
        with ExitStack() as small:
            small.enter_context(patch.object(run_campaign, "WORTH_A_RANGE", WORTH_A_RANGE))
            self._post("few", first, "email", {"customer_ids": [self.customer_ids[0][20]]})
            self._post(
                "some",
                first,
                "email",
                {"filter": {"all": [{"tag": "texted"}, WHATEVER_THEY_DID]}, **self._made_from_a_template(first)},
            )
            self.deployment.rest()
        self.deployment.invoke("OperateStackFunction", {**command, "bundle": ["premium", "marketing"]})

    def celebrate(self) -> None:
        """Somebody has a birthday, is lost, or is meant each month: it is sent, and then no more."""
        first, customer_ids = self.business_ids[0], self.customer_ids[0]
        today = self.deployment.clock.now().astimezone(ZoneInfo("America/New_York")).date()
        born = {"birthday": today.replace(year=1988).isoformat()}
        self.deployment.api("PATCH", f"/v1/customers/{customer_ids[19]}", born, business_id=first)
        said = {"category": "reminder", "channel": "email", "content": self._content("email"), "at": "00:00"}
        monthly = {"filter": {"tag": "texted"}, "every": {"day_of_month": today.day}}
        audiences: list[Any] = [{"birthday": {}}, {"lost_customer": {"after_days": 30}}, monthly]
        made: list[str] = []
        for audience in audiences:
            given = {**said, "name": "Again", "audience": audience, "backlog": True, "local": True}
            posted = self.deployment.api(
                "POST", "/v1/recurring-campaigns", given, business_id=first, key=f"again-{len(made)}"
            )
            made.append(f"/v1/recurring-campaigns/{posted['recurring_campaign_id']}")
        self.deployment.rest()
        for path in made:
            came = self.deployment.api("GET", f"{path}/occurrences", business_id=first)["items"]
            self.celebrated.append([(each["status"], each["audience"]["matched"]) for each in came])
            self.deployment.api("PATCH", path, {"status": "off"}, business_id=first)
            self.deployment.api("DELETE", path, business_id=first)

    def wait_for_the_morning(self) -> None:
        """Where the business and most of its customers are it is night for two hours more; where one is it is not."""
        first, customer_ids = self.business_ids[0], self.customer_ids[0]
        now = self.deployment.clock.now().astimezone(ZoneInfo("America/New_York"))
        night = {"from": f"{now - timedelta(hours=9):%H:%M}", "until": f"{now + timedelta(hours=2):%H:%M}"}
        hours = {"quiet_hours": {"sms": night, "email": night}}
        self.deployment.api("PATCH", "/v1/business", hours, business_id=first)
        for number in (18, 20):
            awake = {"time_zone": "Asia/Tokyo"}
            self.deployment.api("PATCH", f"/v1/customers/{customer_ids[number]}", awake, business_id=first)
        asleep, some = [customer_ids[n] for n in (22, 23)], [customer_ids[n] for n in (18, 19)]
        for name, whom in (("asleep", asleep), ("some", some)):
            self._post(f"{name} email", first, "email", {"customer_ids": whom})
            self._post(f"{name} text", first, "sms", {"customer_ids": whom})
        # One of two variants goes to the rest, once the others have got theirs in the morning.
        variants = [{"name": name, "share": 50, "content": self._content("email")} for name in ("A", "B")]
        rule = {"test_share": 50, "after_hours": 1, "by": "delivered", "least": 1}
        whom = [customer_ids[number] for number in range(11, 19)]
        self._post(
            "tried", first, "email", {"customer_ids": whom, "content": None, "winner": rule, "variants": variants}
        )
        self._message(first, 21, "email", "early email", "reminder")
        self._message(first, 21, "sms", "early text", "reminder")
        self.deployment.rest()
        off = {"quiet_hours": {"sms": None, "email": None}}
        self.deployment.api("PATCH", "/v1/business", off, business_id=first)

    def tell_of_activity(self) -> None:
        """What a customer did, and somebody who is none yet and does not become one; one event is taken back."""
        first, now = self.business_ids[0], self.deployment.clock.now()
        ask: dict[str, Any] = {"business_id": first}
        visit = {"kind": "visit", "at": now.isoformat()}
        mine = {**visit, "event_id": "e1", "customer_id": self.customer_ids[0][12]}
        # Somebody who is deleted later.
        gone = self.customer_ids[0][7]
        points = {"delta": 5, "reason": "Birthday", "who": "Mia"}
        self.deployment.api("POST", f"/v1/customers/{gone}/points", points, key="points", **ask)
        self.deployment.api(
            "POST", "/v1/activity", {"events": [{**mine, "event_id": "e3", "customer_id": gone}]}, **ask
        )
        for events in (
            [mine, {**visit, "event_id": "e2", "external_id": "nobody-yet"}],
            [{**mine, "class_id": "yoga"}],
        ):
            self.deployment.api("POST", "/v1/activity", {"events": events}, **ask)
            self.deployment.rest()
        self.deployment.api("DELETE", "/v1/activity/e1", **ask)
        self.deployment.rest()

    def reward(self) -> None:
        """A voucher is sent and redeemed by somebody who is deleted then; an email is copied."""
        first, ids = self.business_ids[0], self.customer_ids[0]
        self._post(
            "voucher",
            first,
            "email",
            {
                "customer_ids": [ids[23]],
                "voucher": {"kind": "percent", "value": "10", "valid_days": 30},
                "content": {"subject": SUBJECT, "text": f"{BODY} ##{{{{voucher_code}}}}"},
            },
        )
        self.deployment.rest()
        [voucher] = self.deployment.api("GET", f"/v1/customers/{ids[23]}/vouchers", business_id=first)["items"]
        order = {"customer_id": ids[23], "order_id": "o-1", "amount": "50.00"}
        path = f"/v1/vouchers/{voucher['code']}/redemptions"
        self.deployment.api("POST", path, order, business_id=first)
        self.deployment.api("DELETE", f"/v1/customers/{ids[23]}", business_id=first)
        self.deployment.api("PATCH", f"/v1/customers/{ids[22]}", {"cc": [email_of(18)]}, business_id=first)
        at_ten = {"customer_id": ids[22], "category": "reminder", "channel": "email", "appointment_id": "a-copied"}
        given = {**at_ten, "content": self._content("email")}
        self.deployment.api("POST", "/v1/messages", given, business_id=first, key="copied")
        self.deployment.rest()

    def plan_ahead(self) -> None:
        """A campaign for next week, which nothing in memory starts, and a copy of it that is announced at once."""
        first = self.business_ids[0]
        later = {"send_at": (self.deployment.clock.now() + timedelta(days=7)).isoformat(timespec="seconds")}
        whom = {"customer_ids": list(self.customer_ids[0].values())[:1]}
        self._post("later", first, "email", {**whom, **later})
        path = f"/v1/campaigns/{self.campaigns['later'][1]}"
        moved = {"send_at": (self.deployment.clock.now() + timedelta(days=8)).isoformat(timespec="seconds")}
        self.deployment.api("PATCH", path, moved, business_id=first)
        nobody = {"customer_ids": ["0123456789abcdef" * 2]}
        copied = self.deployment.api("POST", f"{path}/copy", nobody, business_id=first, key="copy")
        copy = f"/v1/campaigns/{copied['campaign_id']}"
        self.deployment.api("POST", f"{copy}/announce", business_id=first, key="announce")
        self.deployment.rest()
        self.left_out = self.deployment.api("GET", f"{copy}/excluded", business_id=first)["items"]

    def plan_and_take_back(self) -> None:
        """Reminders for days far off: some go out at their time, some are changed, moved and cancelled before it."""
        first, now = self.business_ids[0], self.deployment.clock.now()
        ask: dict[str, Any] = {"business_id": first}
        api = self.deployment.api
        for channel in ("email", "sms"):
            content = self._content(channel)
            to: dict[str, Any] = {"customer_id": self.customer_ids[0][16], "category": "reminder", "channel": channel}
            about = {"appointment_id": f"a-{channel}", "starts_at": _written(now + timedelta(hours=30))}
            ids = [
                api("POST", "/v1/messages", {**to, "content": content, **timed}, key=f"{channel}-{n}", **ask)[
                    "message_id"
                ]
                for n, timed in enumerate[dict[str, Any]](
                    (
                        {"send_at": _written(now + timedelta(hours=2))},
                        {"send_at": _written(now + timedelta(days=200))},
                        {**about, "send_before": {"hours": 24}},
                        {**about, "send_before": {"hours": 1}},
                    )
                )
            ]
            sooner = {"send_at": _written(now + timedelta(hours=3)), "content": content}
            api("PATCH", f"/v1/messages/{ids[1]}", sooner, **ask)
            moved = {"starts_at": _written(now + timedelta(hours=28))}
            api("POST", f"/v1/appointments/a-{channel}/reschedule", moved, **ask)
            api("POST", f"/v1/messages/{ids[3]}/cancel", **ask)
            self.planned |= dict(zip(ids, ("delivered", "delivered", "delivered", "cancelled"), strict=True))
            asked = {"asks_confirmation": True} if channel == "sms" else {}
            late = {**to, "content": content, **about, **asked, "appointment_id": f"b-{channel}"}
            gone = api("POST", "/v1/messages", {**late, "send_before": {"hours": 1}}, key=f"{channel}-b", **ask)
            # Put on its lane, and moved to a day far off before it comes there.
            soon = api("POST", "/v1/messages", {**to, "content": content}, key=f"{channel}-c", **ask)
            api("PATCH", f"/v1/messages/{soon['message_id']}", sooner, **ask)
            api("POST", f"/v1/appointments/b-{channel}/cancel-messages", **ask)
            self.planned |= {gone["message_id"]: "cancelled", soon["message_id"]: "delivered"}
        self.deployment.rest()
        for hour in range(1, 7):
            self.deployment.clock.move_to(now + timedelta(hours=hour))
            self.deployment.rest()
        for message_id in self.planned:
            shown = api("GET", f"/v1/messages/{message_id}", **ask)
            self.taken_back[message_id] = shown["status"]

    def try_again(self) -> None:
        """A full mailbox and a phone that is off are flagged, and days later tried once more."""
        first, recovers = self.business_ids[0], {"spaced": True, "probe_marketing": True}
        policy = {"preset": "custom", "counts": {"invalid": 1, "unreachable": 1}}
        self.deployment.api("PATCH", "/v1/business", {"policy": policy, "recovery": recovers}, business_id=first)
        self.deployment.providers.outcomes[phone_of(0)] = ("sent", "undelivered:30003")
        self._message(first, 0, "sms", "off")
        self.deployment.rest()
        self.deployment.clock.move(timedelta(days=2))
        self._message(first, 0, "sms", "still off")
        self._message(first, 10, "email", "still full")
        self.deployment.rest()

    def go_and_come_back(self) -> None:
        """Customers who complained, or were written to at all, go; a word about one comes late; then they come back."""
        first, customer_ids = self.business_ids[0], self.customer_ids[0]
        self.deployment.api("POST", f"/v1/campaigns/{self.campaigns['email'][1]}/rollback-flags", {}, business_id=first)
        self.deployment.rest()
        late = {"kind": "receipt", "provider": "ses", "outcome": "complained", "code": None}
        late["occurred_at"] = self.deployment.clock.now().isoformat()
        for number in (7, 1):
            key = next(sent.key for sent in self.deployment.providers.log if sent.to == email_of(number))
            told = {"business_id": first, "customer_id": key[0], "message_id": key[1]}
            self._leave_something_of(customer_ids[number])
            self.deployment.api("DELETE", f"/v1/customers/{customer_ids[number]}", business_id=first)
            self.deployment.put_on("ReceiptsQueue", json.dumps({**late, "key": told}))
            self.deployment.rest()
        person = {"first_name": FIRST_NAME, "last_name": LAST_NAME, "email": email_of(7)}
        self.deployment.api("POST", "/v1/customers", person, business_id=first, key="back")
        self._import(first, [self._person(1)], "again")
        export = {"format": "csv", "filter": WHATEVER_THEY_DID}
        self.deployment.api("POST", "/v1/exports", export, business_id=first, key=f"export-{first}")
        self.deployment.rest()

    def share_an_address(self) -> None:
        """Two customers share an address; the one who is to get the message goes, and the other gets it."""
        first = self.business_ids[0]
        for channel, field, address, busy, numbers in (
            ("email", "email", email_of(24), "ACCOUNT_THROTTLED", (24, 25)),
            ("sms", "mobile_phone", phone_of(26), "20429", (26, 27)),
        ):
            pair = [self.customer_ids[0][number] for number in numbers]
            self.deployment.api("PATCH", f"/v1/customers/{pair[1]}", {field: address}, business_id=first)
            self.deployment.rest()
            self.deployment.providers.answers[address] = [busy]
            who = {"all": [{"field": field, "equals": address}, WHATEVER_THEY_DID]}
            self._post(f"shared {channel}", first, channel, {"filter": who})
            while not any((sent.to, sent.answer) == (address, busy) for sent in self.deployment.providers.log):
                self.deployment.tick()
            self.deployment.api("DELETE", f"/v1/customers/{min(pair)}", business_id=first)
            self.deployment.rest()
            _, campaign_id = self.campaigns[f"shared {channel}"]
            self.shared.append(self.deployment.api("GET", f"/v1/campaigns/{campaign_id}", business_id=first))

    def _leave_something_of(self, customer_id: str) -> None:
        """As if not everything could be erased when the customer goes."""
        [image] = [row for row in rows()["CustomersTable"] if row["customer_id"]["S"] == customer_id]
        who = deleted_customer_of({"dynamodb": {"OldImage": image}})
        assert who is not None
        tables = [self.deployment.template.value({"Ref": name}) for name in ("DirectoryTable", "CustomersTable")]
        DynamoUnforgottenCustomers(*tables).keep(who)
        ids = {"business_id": who.business_id, "customer_id": customer_id}
        self.deployment.put_on("UpkeepQueue", json.dumps(ids))

    def ask_and_be_answered(self) -> None:
        """Staff write down what a customer wants, and ask the customer, who says yes."""
        first, customer_id = self.business_ids[0], self.customer_ids[0][17]
        own = f"/v1/customers/{customer_id}/consent"
        said = {"channel": "email", "scope": "loyalty", "opted_out": True, "who": "Kim"}
        self.deployment.api("POST", own, said, business_id=first, key="said")
        asked = self.deployment.api("POST", f"{own}/email/confirmation", business_id=first, key="asked")
        self.deployment.rest()
        message = MessageKey(first, customer_id, asked["message_id"])
        link = Link.to(Purpose.CONFIRM, ContactKey(first, Channel.EMAIL, email_of(17)), message, Scope.MARKETING)
        path = f"/v1/confirm/{write_token(link, LinkKeys(1, {1: LINK_KEY.encode()}))}"
        self.answered = [self.deployment.open_link(path), self.deployment.open_link(path, "confirm=yes")]
        self.deployment.rest()
        self.consent = self.deployment.api("GET", own, business_id=first)

    def run_out_of_texts(self) -> None:
        """Of two who are asked to confirm, the plan has room for one text; the other confirms by a link in an email."""
        first, asked = self.business_ids[0], dict[int, str]()
        used = self.deployment.api("GET", "/v1/text-plan", business_id=first)["used"]
        self.plan_texts(used + 1, first)
        for number in (20, 21):
            given: dict[str, Any] = {
                "customer_id": self.customer_ids[0][number],
                "category": "reminder",
                "channel": "sms",
                "content": self._content("sms"),
                "email_content": self._content("email"),
                "appointment_id": f"beyond-{number}",
                "asks_confirmation": True,
            }
            made = self.deployment.api("POST", "/v1/messages", given, business_id=first, key=f"beyond {number}")
            asked[number] = made["message_id"]
            self.deployment.rest()
        message = MessageKey(first, self.customer_ids[0][21], asked[21])
        link = Link.to(Purpose.APPOINTMENT, ContactKey(first, Channel.EMAIL, email_of(21)), message)
        path = f"/v1/appointment/{write_token(link, LinkKeys(1, {1: LINK_KEY.encode()}))}"
        self.confirmed = [self.deployment.open_link(path), self.deployment.open_link(path, "confirm=yes")]
        self.fell_back = [
            self.deployment.api("GET", f"/v1/messages/{message_id}", business_id=first)["channel"]
            for message_id in asked.values()
        ]
        self.deployment.rest()
        self.plan_texts(1000, first)

    def try_campaigns_out(self) -> None:
        """Two addresses of the business agree to get tests, and get one each."""
        first, to = self.business_ids[0], {"email": email_of(40), "text": phone_of(40)}
        self.deployment.api("PATCH", "/v1/business", {"test_recipients": list(to.values())}, business_id=first)
        self.deployment.rest()
        for channel, address in zip((Channel.EMAIL, Channel.SMS), to.values(), strict=True):
            [asked] = [sent.key for sent in self.deployment.providers.log if sent.to == address]
            message = MessageKey(first, *asked)
            link = Link.to(Purpose.CONFIRM, ContactKey(first, channel, address), message, Scope.MARKETING)
            path = f"/v1/confirm/{write_token(link, LinkKeys(1, {1: LINK_KEY.encode()}))}"
            self.deployment.open_link(path, "confirm=yes")
        for name, address in to.items():
            path = f"/v1/campaigns/{self.campaigns[name][1]}/test"
            self.deployment.api("POST", path, {"to": address}, business_id=first, key=f"test {name}")
        self.deployment.rest()
        self.tried = [
            sent for sent in self.deployment.providers.log if sent.to in to.values() and sent.key[0] == TESTED
        ]

    def text_back(self) -> None:
        """STOP of a customer, START of somebody unknown, C to what was asked, a revocation; and what follows."""
        first, ours = self.business_ids[0], "+14155550100"
        # So small that the first text which comes in is told of.
        self.plan_texts(1, first)
        self.deployment.text("SM0", phone_of(1), ours, "Thanks")
        self.deployment.rest()
        self.plan_texts(1000, first)
        asked = {"customer_id": self.customer_ids[0][4], "category": "reminder", "channel": "sms"}
        asked |= {"content": self._content("sms"), "appointment_id": "a-1", "asks_confirmation": True}  # type: ignore[dict-item]
        self.deployment.api("POST", "/v1/messages", asked, business_id=first, key="asked")
        variants = [{"name": name, "share": 50, "content": self._content("sms")} for name in ("Short", "Shorter")]
        whom = {"customer_ids": [self.customer_ids[0][2]], "content": None, "variants": variants}
        self._post("two ways", first, "sms", whom)
        self.deployment.rest()
        for sid, number, body in (
            ("SM1", 2, "Stop"),
            ("SM2", 99, "START"),
            ("SM1", 2, "Stop"),
            ("SM3", 4, "C"),
            ("SM4", 3, f"please stop texting me, {FIRST_NAME}"),
        ):
            self.deployment.text(sid, phone_of(number), ours, body)
        self.deployment.api("POST", "/v1/replies/SM4/resolve", {"decision": "opt_out"}, business_id=first, key="read")
        self.deployment.api("DELETE", f"/v1/customers/{self.customer_ids[0][3]}", business_id=first)
        self.deployment.rest()
        first, ana = self.business_ids[0], self.customer_ids[0][2]
        for path in (f"/v1/customers/{ana}/log", "/v1/replies", "/v1/appointments/none/log"):
            self.deployment.api("GET", path, business_id=first)

    def keep_in_step_with_the_suppression_list(self) -> None:
        """A message that SES did not try flags; a campaign sends all the same; and at night both sides are compared."""
        first, listed = self.business_ids[0], self.deployment.suppressions
        listed.put(email_of(11), "BOUNCE", self.deployment.clock.now())
        sent = self._not_tried(11)
        self.deployment.rest()
        whom = {"customer_ids": [sent.key[0]], "exclude_failed": False}
        self._post("override", first, "email", whom)
        self.deployment.rest()
        listed.put(email_of(12), "BOUNCE", self.deployment.clock.now() - timedelta(days=9))
        listed.put(email_of(13), "BOUNCE", self.deployment.clock.now())
        self.reconciled = self.deployment.invoke("ReconcileSuppressionsFunction", {"run": "nightly"})
        self.deployment.rest()

    def _not_tried(self, number: int) -> Sent:
        """SES says that it did not try somebody's first message because of its list; that message."""
        name = "ses/bounce_permanent_on_account_suppression_list.json"
        told = json.loads((REPOSITORY / "events" / name).read_text(encoding="utf-8"))
        sent = next(sent for sent in self.deployment.providers.log if sent.to == email_of(number))
        key = {"business_id": [self.business_ids[0]], "customer_id": [sent.key[0]], "message_id": [sent.key[1]]}
        told["mail"]["tags"].update(key)
        told["bounce"]["bouncedRecipients"][0]["emailAddress"] = email_of(number)
        self.deployment.put_on("ReceiptsQueue", json.dumps(told))
        return sent

    def work_in_the_sandbox(self) -> None:
        """As above, in an account that may not ask for the list; no day with production access goes back to it."""
        first, listed = self.business_ids[0], self.deployment.suppressions
        listed.production_access = False
        dead = self.deployment.queued(dead=True)
        sent = self._not_tried(12)
        self.deployment.rest()
        edited = {"email": email_of(11)}
        self.deployment.api("PATCH", f"/v1/customers/{sent.key[0]}", edited, business_id=first)
        self.in_sandbox = self.deployment.invoke("ReconcileSuppressionsFunction", {"run": "in the sandbox"})
        self.deployment.rest()
        listed.production_access = True
        assert self.deployment.queued(dead=True) == dead

    def go_through_a_sequence(self) -> None:
        """Some go through all kinds of steps, one leaves, one is deleted half way, and it is switched off and on.

        What begins it for one of them is told before they are a customer.
        """
        first, path, ids = self.business_ids[0], "/v1/sequences/series", {}

        def comes(number: int) -> None:
            person = {"first_name": FIRST_NAME, "last_name": LAST_NAME, "external_id": str(number)}
            reached = {"email": email_of(number), "mobile_phone": phone_of(number)}
            made = self.deployment.api("POST", "/v1/customers", {**person, **reached}, business_id=first)
            ids[number] = made["customer_id"]

        for number in (41, 42, 43):
            comes(number)

        def sends(category: str, channel: str) -> dict[str, Any]:
            return {"send": {"category": category, "channel": channel, "content": self._content(channel)}}

        news = {"category": "marketing", "channel": "email", **self._made_from_a_template(first)}
        opted_out = {"consent": {"channel": "email", "is": "opted_out", "scope": "marketing"}}
        given = {
            "name": "Series",
            "trigger": {"kind": "visit", "class_type": "velvet"},
            "filter": {"all": [WHATEVER_THEY_DID, {"not": opted_out}]},
            "reentry": "after_exit",
            "status": "on",
            "steps": [
                {"tag": {"add": TAG}},
                sends("transactional", "email"),
                sends("transactional", "sms"),
                {"wait": {"days": 2}},
                {"if": WHATEVER_THEY_DID, "then": [{"send": news}]},
                sends("marketing", "sms"),
                {"if": {"not": opted_out}, "then": [{"wait": {"hours": 1, "for_event": {"kind": "purchase"}}}]},
            ],
            "exit_on": [{"kind": "cancellation"}],
        }
        made = self.deployment.api("PUT", path, given, business_id=first)
        assert made.get("version") == 1, made
        tagged = {"name": "Tagged", "trigger": {"kind": "tag_added", "tag": TAG.upper()}, "status": "on"}
        self.deployment.api("PUT", "/v1/sequences/tagged", {**tagged, "steps": [{"exit": {}}]}, business_id=first)
        now = self.deployment.clock.now().isoformat()
        for number in (41, 42, 43, 44):
            visit = {"event_id": f"series-{number}", "kind": "visit", "at": now, "class_type": "velvet"}
            told = {"events": [{**visit, "external_id": str(number)}]}
            self.deployment.api("POST", "/v1/activity", told, business_id=first)
        self._for_an_hour()
        comes(44)
        self._for_an_hour()
        later = self.deployment.clock.now().isoformat()
        gone = {"event_id": "gone", "kind": "cancellation", "at": later, "appointment_id": "a-series"}
        self.deployment.api("POST", "/v1/activity", {"events": [{**gone, "customer_id": ids[42]}]}, business_id=first)
        self.deployment.api("DELETE", f"/v1/customers/{ids[43]}", business_id=first)
        for status in ("off", "on"):
            self._for_an_hour()
            self.deployment.api("PATCH", path, {"status": status}, business_id=first)
        self.deployment.rest()
        self.deployment.clock.move(timedelta(days=2))
        self._for_an_hour()
        self._for_an_hour()
        for sequence_id in ("series", "tagged"):
            found = self.deployment.api("GET", f"/v1/sequences/{sequence_id}/enrolments", business_id=first)["items"]
            ways = {each["external_id"]: (each["standing"], each["left_because"]) for each in found}
            self.went_through[sequence_id] = ways
        self.deployment.api("DELETE", path, business_id=first)
        self.deployment.rest()

    def sign_a_waiver(self) -> None:
        """Two are asked at night; one signs before the morning, and who books later is asked as well."""
        first, path = self.business_ids[0], "/v1/waivers/rules"
        night = {"from": "00:00", "until": "23:59", "categories": ["transactional"]}
        names = [str(number) for number in range(53, 56)]
        for number in range(53, 56):
            person = {"first_name": FIRST_NAME, "last_name": LAST_NAME, "external_id": str(number)}
            self.deployment.api("POST", "/v1/customers", {**person, "email": email_of(number)}, business_id=first)

        def tell(kind: str, name: str, **more: Any) -> None:
            event = {"event_id": f"{kind}-{name}", "kind": kind, "at": _written(self.deployment.clock.now())}
            told = {"events": [{**event, "external_id": name, **more}]}
            self.deployment.api("POST", "/v1/activity", told, business_id=first)
            self._for_an_hour()

        def book(name: str) -> None:
            tell("booking", name, starts_at=_written(self.deployment.clock.now() + timedelta(days=9)))

        book(names[0])
        book(names[1])
        self.deployment.api("PATCH", "/v1/business", {"quiet_hours": {"email": night}}, business_id=first)
        posted = {"version": "2", "note": BODY, "url": "https://sign.example.com/rules"}
        self.deployment.api("POST", f"{path}/versions", posted, business_id=first)
        self._for_an_hour()
        tell("waiver", names[0], version="2")
        self.deployment.api("PATCH", "/v1/business", {"quiet_hours": {"email": None}}, business_id=first)
        self._for_an_hour()
        book(names[2])
        self.deployment.rest()
        self.asked_to_sign = self.deployment.api("GET", path, business_id=first)["versions"]

    def _for_an_hour(self) -> None:
        for _ in range(60):
            while self.deployment.tick():
                pass
            self.deployment.clock.move(timedelta(minutes=1))

    def forget_who_did_not_come(self) -> None:
        """A month goes by, until the machine plans a campaign to a tier."""
        self._post("tier", self.business_ids[0], "email", {"filter": {"tier": "favourite"}})
        self.deployment.clock.move(timedelta(days=31))
        self.deployment.rest()

    def meet_what_cannot_be(self) -> None:
        """Messages that nobody can deal with come to every queue, and end as dead letters with their reason."""
        nowhere = {"business_id": self.business_ids[0], "campaign_id": "none", "chunk": "chunk#000#0000000"}
        key = {"business_id": self.business_ids[0], "customer_id": "0" * 32, "message_id": "none"}
        early = {"kind": "receipt", "provider": "ses", "outcome": "delivered", "code": None, "key": key}
        early["occurred_at"] = self.deployment.clock.now().isoformat()
        malformed = {"kind": "receipt", "provider": email_of(1)}
        for queue, body in (
            ("EmailQueue", nowhere),
            ("TextQueue", nowhere),
            ("HeldQueue", {"not_before": None}),
            ("UpkeepQueue", {"cursor": None}),
            ("ImportQueue", {"Records": [{}]}),
            ("WebhookQueue", {"run": None}),
            ("ActivityQueue", {"business_id": None}),
            ("StepsQueue", {"business_id": None}),
            ("UpkeepQueue", {"business_id": self.business_ids[0], "customer_id": "0" * 32}),
            ("ReceiptsQueue", early),
            ("ReceiptsQueue", malformed),
        ):
            self.deployment.put_on(queue, json.dumps(body))
        self.deployment.rest()

    # --- what must hold -----------------------------------------------------------------------------------------------

    def faults(self, died: str = "") -> list[str]:
        """Everything that is wrong at rest; ``died`` is the function that did, if any."""
        return [*self._twice(), *self._stuck(died), *self._miscounted(), *self._astray(died)]

    def _twice(self) -> Iterator[str]:
        log = self.deployment.providers.log
        throttled = {"ACCOUNT_THROTTLED", "20429"}
        handed = Counter(sent.key if sent.key[1] else (sent.to, "") for sent in log if sent.answer not in throttled)
        yield from (f"handed over {count} times: {key}" for key, count in handed.items() if count > 1)

    def _unpaired(self) -> int:
        """Texts over SNS whose sender died before it could note the id that SNS gave, by which alone they are found."""
        known = {row["provider_id"]["S"] for row in rows()["MessagesTable"] if "provider_id" in row}
        return sum(sent.took and not sent.key[1] and sent.key[0] not in known for sent in self.deployment.providers.log)

    def _stuck(self, died: str) -> Iterator[str]:
        for name, count in self.deployment.queued().items():
            if count:
                yield f"{count} on {name}"
        lost = self._unpaired() if died == "SendTextFunction" else 0
        for name, count in self.deployment.queued(dead=True).items():
            if count > (lost if name == "ReceiptsDeadLetterQueue" else 0):
                yield f"{count} dead letters on {name}"
        for chunk in rows()["ChunksTable"]:
            if "state" in chunk and chunk["state"]["S"] != "done":
                yield f"{chunk['chunk']['S']} of {chunk['campaign_id']['S']} is {chunk['state']['S']}"

    def _miscounted(self) -> Iterator[str]:
        matched = {"email": EMAILED, "text": TEXTED, "sns": 3, "cancelled": 3}
        for name, (business_id, campaign_id) in self.campaigns.items():
            view = self.deployment.api("GET", f"/v1/campaigns/{campaign_id}", business_id=business_id)
            ended = "cancelled" if name == "cancelled" else "completed"
            if view["status"] != ended:
                yield f"{name} is {view['status']}"
            audience, results = view["audience"], view["results"]
            if not matched[name] == audience["matched"] == sum(audience["excluded"].values()) + audience["targeted"]:
                yield f"{name}: {audience}"
            stored = Counter(
                row["status"]["S"]
                for row in rows()["MessagesTable"]
                if row.get("campaign_id", {}).get("S") == campaign_id
            )
            left_out = stored.pop("excluded", 0)
            if {s: n for s, n in results.items() if n} != dict(stored) or sum(results.values()) != audience["targeted"]:
                yield f"{name} counts {results}, its messages are {dict(stored)}"
            if left_out > sum(audience["excluded"].values()):
                yield f"{name} has {left_out} left out"
            path = f"/v1/campaigns/{campaign_id}/excluded?limit=100"
            named = Counter(
                each["reason"] for each in self.deployment.api("GET", path, business_id=business_id)["items"]
            )
            if named != audience["excluded"]:
                yield f"{name} names {named} and counts {audience['excluded']}"

    def _astray(self, died: str) -> Iterator[str]:
        """Each message stands where the providers put it."""
        last: dict[tuple[str, str], Sent] = {sent.key: sent for sent in self.deployment.providers.log}
        excused: Counter[str] = Counter()
        for row in rows()["MessagesTable"]:
            if "status" not in row:
                continue
            customer_id, message_id = row["recipient_id"]["S"].rpartition("#")[2], row["message_id"]["S"]
            sent = last.get((customer_id, message_id))
            if sent is None and row.get("provider", {}).get("S") == "sns":
                sent = last.get((row.get("provider_id", {}).get("S", ""), ""))
            status = row["status"]["S"]
            allowed = self._allowed(sent)
            if status in allowed:
                continue
            if status == "uncertain" and row["reason"]["S"] == "no_record_of_the_send":
                excused[row["channel"]["S"]] += 1
                if sent is not None and sent.took and row.get("provider", {}).get("S") != "sns":
                    yield f"uncertain although its receipt came: {sent}"
            else:
                yield f"{status} instead of {allowed}: {sent}"
        most = {"SendEmailFunction": {"email": CHUNK}, "SendTextFunction": {"sms": 1}}.get(died, {})
        for channel, count in excused.items():
            if count > most.get(channel, 0):
                yield f"{count} {channel} messages are uncertain"

    def _allowed(self, sent: Sent | None) -> set[str]:
        if sent is None or sent.answer in ("ACCOUNT_THROTTLED", "20429"):
            return {"excluded", "cancelled"}
        if sent.answer == "lost":
            return {"uncertain"}
        if not sent.took:
            return {"bounced"} if sent.answer == "21211" else {"failed"}
        said = self.deployment.providers.outcomes.get(sent.to, ("delivered",))[-1]
        if said in ("bounced", "unreachable", "full", "undelivered:30005"):
            return {"bounced"}
        return {"failed"} if said == "Phone number is opted out" else {"delivered"}
