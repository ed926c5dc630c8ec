"""The whole demo told over an invented Rebound that keeps its customers in memory and its time in a variable."""

import heapq
import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from local.demo.api import Rebound
from local.demo.errors import DemoError
from local.demo.progress import Progress
from local.demo.regulars import day_of_this
from local.demo.report import report
from local.demo.sample import SAMPLE_FILE, SampleCustomer, parse
from local.demo.story import Facts, Story

type Body = Mapping[str, Any]

ZONE = ZoneInfo("America/New_York")
TIERS = {"favourite": 1, "new": 1, "top": 1, "inactive": 1, "loyal": 1}

FINAL_RESULTS: dict[str, tuple[str, str | None]] = {
    "bounce": ("bounced", "bounce:mailbox_does_not_exist"),
    "mailboxfull": ("bounced", "bounce:mailbox_full"),
    "suppressionlist": ("failed", None),
    "contentrejected": ("failed", None),
    "undetermined": ("failed", None),
    "transient": ("bounced", None),
    "21211": ("bounced", "text:invalid_number"),
    "21614": ("bounced", "text:not_a_mobile_number"),
    "21635": ("bounced", "text:landline"),
    "30005": ("bounced", "text:unknown_number"),
    "30003": ("bounced", None),
    "30006": ("bounced", None),
}
"""By the kind of an address: the message's status, and the reason of the flag, if there is one."""

HEADER = (
    "external_id,first_name,last_name,email,mobile_phone,day_phone,night_phone,gender,birthday,time_zone,"
    "general_tags,customer_since"
)
SMALL_SALON = "\n".join(
    [
        HEADER,
        "J1,Ana,Silva,ana.silva@example.com,+14155550101,,,f,,,vip,2020-01-01",
        "J2,Bo,Berg,bounce+bo.berg.2@simulator.amazonses.com,(415) 555-0102,,,,,,colour;vip,2020-01-02",
        "J3,Cy,Diaz,recovers+cy.diaz.3@twin.example.com,+15005550001,,,,,,vip,2020-01-03",
        "J4,Di,Diaz,latebounce+di.4@twin.example.com,+15005550001,,,,,,,2020-01-03",
        "J5,Ed,Moe,reordered+ed.5@twin.example.com,+15553000511,,,,,,vip,2020-01-04",
        "J6,Fi,Moe,transient+fi.6@twin.example.com,+15553000312,,,,,,vip,2020-01-05",
        "J7,Gu,Ito,,+15552050001,,,,,,vip,2020-01-06",
        "J8,Ha,Ito,mailboxfull+ha.8@twin.example.com,,,,,,,,2020-01-07",
        "J9,さくら,渡辺,complaint+s.9@simulator.amazonses.com,+15552161013,,,,,,vip,2020-01-08",
        "J10,Jo,Kay,,,,,,,,,2020-01-09",
        "J11,Ky,Lo,ky.lo@example.com,,,,,,,,2020-01-10",
        "J12,Li,Ma,li.ma@example.com,,,,,,,,2020-01-11",
        "",
    ]
)


class FakeRebound:
    """Answers as the contract says. ``spoil`` may change an answer before it goes out."""

    def __init__(self, began: datetime | None = None) -> None:
        self.now = 0.0
        self.began = began or datetime.now(UTC)
        self.events: dict[str, Body] = {}
        self.relations: dict[str, list[str]] = {}
        self.favourites: set[str] = set()
        self.sequences: dict[str, Body] = {}
        self.went: dict[str, list[tuple[str, str]]] = {}
        self.left: dict[str, str] = {}
        self.recurring: dict[str, Body] = {}
        self.occurrences: dict[str, list[tuple[str, str]]] = {}
        self.redeemed: dict[str, dict[str, str]] = {}
        self.customers: dict[str, SampleCustomer] = {}
        self.campaigns: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, dict[str, str]] = {}
        self.flags: dict[str, str] = {}
        self.sent_before: Counter[str] = Counter()
        self.requests: list[tuple[str, str]] = []
        self.spoil: Callable[[str, str, dict[str, Any]], None] = lambda method, path, answer: None
        self._segments: dict[str, Body] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._last_sent: dict[str, dict[str, str]] = {}
        self._numbers = count(1)
        self._singles: dict[str, tuple[str, str]] = {}
        self.plan: int | None = None
        self.texts_used = 0

    def sleep(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.now += seconds
        while self._due and self._due[0][0] <= self.now:
            heapq.heappop(self._due)[2]()

    def call(self, method: str, path: str, body: Body | None = None) -> dict[str, Any]:
        """The one door, as ``Api`` describes it."""
        self.requests.append((method, path))
        url = urlsplit(path)
        answer = self._answer(method, url.path.split("/")[2:], parse_qs(url.query), body or {})
        self.spoil(method, path, answer)
        return answer

    def _answer(self, method: str, path: list[str], query: dict[str, list[str]], body: Body) -> dict[str, Any]:
        match method, path:
            case "GET", ["business"]:
                return {"country": "US", "time_zone": ZONE.key}
            case "POST", ["imports"]:
                return self._import(body)
            case "GET", ["imports", _]:
                return {"status": "completed", "counts": self._counts, "errors": []}
            case "PUT", ["segments", segment_id]:
                self._segments[segment_id] = body["filter"]
                return {}
            case "POST", ["segments", "preview"]:
                return self._audience(body)[0]
            case "POST", ["campaigns"]:
                return self._campaign(body)
            case "GET", ["campaigns", campaign_id]:
                return self._shown(campaign_id)
            case "GET", ["campaigns", campaign_id, "messages"]:
                return self._page(self._messages(campaign_id, query["status"][0]), query)
            case "POST", ["messages"]:
                return self._message(body)
            case "GET", ["messages", message_id]:
                return self._shown_message(message_id)
            case "GET", ["text-plan"]:
                return {"used": self.texts_used}
            case "PUT", ["templates", _]:
                return {"version": 1, "warnings": []}
            case "POST", ["activity"]:
                known = sum(self.events.get(event["event_id"]) == event for event in body["events"])
                self.events |= {event["event_id"]: event for event in body["events"]}
                for event in body["events"]:
                    if event["kind"] == "review" and "customer_id" in event:
                        self.left[event["customer_id"]] = "goal"
                return {"accepted": len(body["events"]) - known, "known": known, "errors": []}
            case "GET", ["loyalty"]:
                return {"tiers": TIERS, "without_tier": len(self.customers) - len(TIERS)}
            case "PUT", ["loyalty", "favourites", "by-external-id", external_id]:
                self.favourites.add(external_id)
                return {}
            case _, ["sequences", sequence_id, *rest]:
                return self._go_through(method, sequence_id, rest, query, body)
            case "GET", ["customers", customer_id, "messages"]:
                own = self.went.get(customer_id, [])
                return {"items": [{"sequence_id": each, "step_id": s, "status": "delivered"} for each, s in own]}
            case _, ["recurring-campaigns", *rest]:
                return self._recur(method, rest, query, body)
            case "POST", ["vouchers", code, "redemptions"]:
                return self._redeem(code, body)
            case "GET", ["customers", customer_id, "vouchers"]:
                codes = [
                    {"campaign_id": campaign_id, "code": f"{campaign_id}-{customer_id}"}
                    for campaign_id, campaign in self.campaigns.items()
                    if "voucher" in campaign and customer_id in self.messages[campaign_id]
                ]
                return {"items": codes}
            case "GET", ["customers", "by-external-id", external_id]:
                return self._customer(f"id-{external_id}")
            case "GET", ["customers", customer_id, "relations"]:
                return {"items": [{"customer_id": each} for each in self.relations.get(customer_id, [])]}
            case "POST", ["customers", customer_id, "relations"]:
                self.relations.setdefault(customer_id, []).append(f"id-{body['external_id']}")
                return {}
            case "GET", ["customers"]:
                return self._page(self._listed(query), query)
            case "GET", ["customers", customer_id]:
                return self._customer(customer_id)
            case "PATCH", ["customers", customer_id]:
                return self._change_email(customer_id, body["email"])
            case "POST", ["customers", customer_id, "contacts", channel, "confirm"]:
                self.flags.pop(self._address(customer_id, channel), None)
                return self._customer(customer_id)
        raise AssertionError(f"not in the contract: {method} {path}")

    def _go_through(
        self, method: str, sequence_id: str, path: list[str], query: dict[str, list[str]], body: Body
    ) -> dict[str, Any]:
        match method, path:
            case "PUT", []:
                self.sequences[sequence_id] = body
                return {}
            case "DELETE", []:
                del self.sequences[sequence_id]
                return {}
            case "POST", ["enrolments"]:
                self._begin(sequence_id, body["customer_id"])
                return {"enrolled": True}
            case "GET", ["enrolments"]:
                because = self.left.get(query["customer_id"][0])
                return {"items": [{"sentence": "Waits.", "left_because": because}]}
        raise AssertionError(f"not in the contract: {method} {path}")

    def _begin(self, sequence_id: str, customer_id: str) -> None:
        """Only what the demo's sequence has: emails, waits of seconds, one condition, and a review that ends it."""

        def go(steps: list[Body]) -> None:
            if customer_id in self.left:
                return
            if not steps:
                self.left[customer_id] = "ended"
                return
            step, *others = steps
            if "wait" in step:
                due = self.now + step["wait"]["seconds"]
                heapq.heappush(self._due, (due, next(self._numbers), lambda: go(others)))
                return
            if "if" in step:
                is_so = step["if"]["tag"] in self.customers[customer_id].tags
                go([*step["then" if is_so else "else"], *others])
                return
            self.went.setdefault(customer_id, []).append((sequence_id, step["id"]))
            go(others)

        go(list(self.sequences[sequence_id]["steps"]))

    def time(self) -> datetime:
        """What time it is."""
        return self.began + timedelta(seconds=self.now)

    def _recur(self, method: str, path: list[str], query: dict[str, list[str]], body: Body) -> dict[str, Any]:
        match method, path:
            case "GET", []:
                return self._page([self._shown_recurring(each) for each in self.recurring], query)
            case "POST", []:
                recurring_id = f"r{next(self._numbers)}"
                self.recurring[recurring_id] = body
                at = self.time().astimezone(ZONE).replace(second=0, microsecond=0)
                while at <= self.time() or f"{at:%H:%M}" != body["at"]:
                    at += timedelta(minutes=1)

                def look() -> None:
                    if recurring_id in self.recurring:
                        self._occur(recurring_id, at.date())

                due = (at - self.began).total_seconds() + 5
                heapq.heappush(self._due, (due, next(self._numbers), look))
                return self._shown_recurring(recurring_id)
            case "GET", [recurring_id]:
                return self._shown_recurring(recurring_id)
            case "DELETE", [recurring_id]:
                del self.recurring[recurring_id]
                return {}
            case "GET", [recurring_id, "occurrences"]:
                found = self.occurrences.get(recurring_id, [])
                return {"items": [{"campaign_id": each, "occurrence_date": day} for each, day in found]}
        raise AssertionError(f"not in the contract: {method} {path}")

    def _shown_recurring(self, recurring_id: str) -> dict[str, Any]:
        given = self.recurring[recurring_id]
        return {
            "recurring_campaign_id": recurring_id,
            "name": given["name"],
            "status": "on",
            "at": given["at"],
            "next_occurrence_date": (self.time().astimezone(ZONE).date() + timedelta(days=1)).isoformat(),
        }

    def _occur(self, recurring_id: str, day: date) -> None:
        given = self.recurring[recurring_id]
        if "birthday" in given["audience"]:
            due = [key for key, who in self.customers.items() if is_celebrated(who.birthday, day)]
        else:
            due = self._away(given["audience"]["lost_customer"]["after_days"])
        if due:
            shown = self._campaign({**given, "customer_ids": due})
            self.occurrences.setdefault(recurring_id, []).insert(0, (shown["campaign_id"], day.isoformat()))

    def _away(self, days: int) -> list[str]:
        last: dict[str, date] = {}
        for event in self.events.values():
            if event["kind"] == "visit":
                who, day = f"id-{event['external_id']}", datetime.fromisoformat(event["at"]).astimezone(ZONE).date()
                last[who] = max(day, last.get(who, day))
        today = self.time().astimezone(ZONE).date()
        return [who for who, day in last.items() if (today - day).days > days]

    def _redeem(self, code: str, body: Body) -> dict[str, Any]:
        campaign_id = code.partition("-")[0]
        amount = Decimal(body["amount"])
        discount = f"{amount * Decimal(self.campaigns[campaign_id]['voucher']['value']) / 100:.2f}"
        assert code == f"{campaign_id}-{body['customer_id']}"
        said = {"code": code, "discount": discount, "currency": "USD", **{k: body[k] for k in ("order_id", "amount")}}
        self.redeemed[code] = said
        return said

    def operate(self, command: Body) -> None:
        """What the operator does: only plans."""
        assert command["command"] == "set-text-plan"
        self.plan = None if command.get("off") else command["included"]

    def _message(self, body: Body) -> dict[str, Any]:
        customer_id, channel = body["customer_id"], body["channel"]
        if channel == "sms" and self.plan is not None:
            if self.texts_used < self.plan:
                self.texts_used += 1
            else:
                channel = "email"
        message_id = f"m{next(self._numbers)}"
        self._send(message_id, customer_id, channel)
        self._singles[message_id] = (customer_id, channel)
        return self._shown_message(message_id)

    def _shown_message(self, message_id: str) -> dict[str, Any]:
        customer_id, channel = self._singles[message_id]
        address, status = self._address(customer_id, channel), self.messages[message_id][customer_id]
        return {"message_id": message_id, "channel": channel, "address": address, "status": status}

    def _import(self, body: Body) -> dict[str, Any]:
        people = {f"id-{who.external_id}": who for who in parse(body["content"])}
        known = len(people.keys() & self.customers.keys())
        self._counts = {
            "rows": len(people),
            "created": len(people) - known,
            "updated": known,
            "unchanged": 0,
            "failed": 0,
        }
        self.customers |= people
        return {"import_id": "i", "status": "queued"}

    def _audience(self, body: Body) -> tuple[dict[str, Any], list[str]]:
        if "customer_ids" in body:
            matched = list(body["customer_ids"])
        else:
            leaves = self._segments[body["segment_id"]]
            tag = leaves.get("tag")
            matched = [key for key, who in self.customers.items() if tag is None or tag in who.tags]
            if "visits" in leaves:
                came = Counter(f"id-{each['external_id']}" for each in self.events.values() if each["kind"] == "visit")
                matched = sorted(who for who, times in came.items() if times >= leaves["visits"]["at_least"])
            if "membership" in leaves:
                members = {f"id-{each['external_id']}" for each in self.events.values() if each["kind"] == "membership"}
                matched = sorted(members)
        excluded: Counter[str] = Counter()
        targeted = []
        for customer_id in matched:
            address = self._address(customer_id, body["channel"])
            if not address:
                excluded["no_address"] += 1
            elif address in self.flags:
                excluded["invalid_contact"] += 1
            else:
                targeted.append(customer_id)
        return {"matched": len(matched), "excluded": dict(excluded), "targeted": len(targeted)}, targeted

    def _campaign(self, body: Body) -> dict[str, Any]:
        campaign_id = f"c{next(self._numbers)}"
        audience, targeted = self._audience(body)
        self.campaigns[campaign_id] = {"audience": audience, "channel": body["channel"]}
        if "voucher" in body:
            self.campaigns[campaign_id]["voucher"] = body["voucher"]
        self.messages[campaign_id] = {}
        for customer_id in targeted:
            self._send(campaign_id, customer_id, body["channel"])
        return self._shown(campaign_id)

    def _send(self, campaign_id: str, customer_id: str, channel: str) -> None:
        messages = self.messages.setdefault(campaign_id, {})
        address = self._address(customer_id, channel)
        messages[customer_id] = "queued"
        self.sent_before[address] += 1
        before = self._last_sent.get(address, messages)
        self._last_sent[address] = messages
        kind = address.partition("+")[0] if channel == "email" else self._code(address)

        def later(seconds: float, status: str, reason: str | None) -> None:
            def happen() -> None:
                messages[customer_id] = status
                if reason:
                    self.flags[address] = reason
                elif status == "delivered":
                    self.flags.pop(address, None)

            heapq.heappush(self._due, (self.now + seconds, next(self._numbers), happen))

        later(2, "sent", None)
        if kind == "reordered":
            if self.sent_before[address] == 1:
                return
            late = (self.now + 6, next(self._numbers), lambda: before.update({customer_id: "bounced"}))
            heapq.heappush(self._due, late)
        if kind == "recovers" and self.sent_before[address] == 1:
            kind = "mailboxfull"
        if kind == "unsure":
            later(3, "uncertain", None)
        later(5, *FINAL_RESULTS.get(kind, ("delivered", None)))
        if kind == "latebounce":
            later(8, "bounced", "bounce:permanent_failure")

    @staticmethod
    def _code(number: str) -> str:
        magic = {"+15005550001": "21211", "+15005550009": "21614", "+15552050001": "unsure"}
        return magic.get(number) or (number[5:10] if number.startswith("+1555") else "fine")

    def _shown(self, campaign_id: str) -> dict[str, Any]:
        results = Counter(self.messages[campaign_id].values())
        status = "sending" if results["queued"] else "completed"
        audience = self.campaigns[campaign_id]["audience"]
        shown = {"campaign_id": campaign_id, "status": status, "audience": audience, "results": dict(results)}
        if "voucher" in self.campaigns[campaign_id]:
            orders = [said for code, said in self.redeemed.items() if code.partition("-")[0] == campaign_id]
            revenue = sum((Decimal(each["amount"]) - Decimal(each["discount"]) for each in orders), Decimal(0))
            shown["redeemed"] = len(orders)
            shown["revenue"] = [{"amount": str(revenue), "currency": "USD"}]
            shown["reward"] = [{"amount": f"{revenue / 10:.2f}", "currency": "USD"}]
        return shown

    def _messages(self, campaign_id: str, status: str) -> list[dict[str, Any]]:
        channel = self.campaigns[campaign_id]["channel"]
        found = self.messages[campaign_id].items()
        return [
            {"customer_id": who, "address": self._address(who, channel)} for who, is_now in found if is_now == status
        ]

    def _listed(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        everybody = [self._customer(customer_id) for customer_id in self.customers]
        if "tag" in query:
            tag = query["tag"][0]
            return [each for each in everybody if tag in self.customers[each["customer_id"]].tags]
        channels = {"email": ["email"], "any": ["email", "sms"]}.get(query.get("failed", [""])[0])
        if channels is None:
            return everybody
        return [each for each in everybody if any(each["contacts"][channel]["invalid"] for channel in channels)]

    @staticmethod
    def _page(items: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
        start, size = int(query.get("cursor", ["0"])[0]), int(query["limit"][0])
        end = start + size
        return {"items": items[start:end], "next_cursor": str(end) if end < len(items) else None}

    def _customer(self, customer_id: str) -> dict[str, Any]:
        who = self.customers[customer_id]
        contacts = {
            channel: {"address": address or None, "invalid": address in self.flags, "reason": self.flags.get(address)}
            for channel, address in (("email", who.email), ("sms", who.mobile_phone))
        }
        names = {"first_name": who.first_name, "last_name": who.last_name}
        return {"customer_id": customer_id, "external_id": who.external_id, **names, "contacts": contacts}

    def _change_email(self, customer_id: str, email: str) -> dict[str, Any]:
        who = self.customers[customer_id]
        self.customers[customer_id] = SampleCustomer(
            who.external_id, who.first_name, who.last_name, email, who.mobile_phone, who.tags, who.birthday
        )
        return self._customer(customer_id)

    def _address(self, customer_id: str, channel: str) -> str:
        who = self.customers[customer_id]
        return who.email if channel == "email" else who.mobile_phone


def is_celebrated(birthday: str, day: date) -> bool:
    born = date.fromisoformat(birthday) if birthday else None
    return born is not None and (
        (born.month, born.day) == (day.month, day.day)
        or (f"{born:%m-%d}" == "02-29" and f"{day:%m-%d}" == "02-28" and day.year % 4 != 0)
    )


def tell(fake: FakeRebound, text: str = SMALL_SALON) -> tuple[Facts, str]:
    out = io.StringIO()
    progress = Progress(out, lambda: fake.now)
    story = Story(
        Rebound(fake), fake.operate, text, progress, clock=lambda: fake.now, sleep=fake.sleep, now=fake.time, run="r2"
    )
    return story.tell(), out.getvalue()


def wrong(facts: Facts) -> list[str]:
    return [check.sentence for check in facts.failed_checks]


def test_on_a_right_rebound_every_check_holds() -> None:
    facts, _ = tell(FakeRebound())
    assert wrong(facts) == []
    assert len(facts.checks) == 22


def test_the_facts_are_those_of_the_api() -> None:
    facts, _ = tell(FakeRebound())
    assert facts.email is not None
    assert facts.text is not None
    assert facts.second is not None
    assert facts.third is not None
    assert facts.email.audience.excluded == {"no_address": 2}
    assert facts.email.results == {"delivered": 4, "bounced": 5, "sent": 1}
    assert facts.text.audience.matched == 7
    assert facts.peak_uncertain == 1
    assert {(each.channel, each.address) for each in facts.flagged} == {
        ("email", "bounce+bo.berg.2@simulator.amazonses.com"),
        ("email", "recovers+cy.diaz.3@twin.example.com"),
        ("email", "latebounce+di.4@twin.example.com"),
        ("email", "mailboxfull+ha.8@twin.example.com"),
        ("sms", "+15005550001"),
        ("sms", "+15553000511"),
    }
    assert facts.second.audience.excluded == {"no_address": 2, "invalid_contact": 4}
    assert [each.after for each in facts.returned] == ["recovers+cy.diaz.3@twin.example.com", "bo.berg.2@example.com"]
    assert facts.third.results == {"delivered": 2}
    assert facts.confirmed is not None
    assert str(facts.confirmed) == "email delivered"
    assert facts.fell_back is not None
    assert [facts.fell_back.within.address, facts.fell_back.after.address] == ["+14155550101", "ana.silva@example.com"]
    assert "Ana Silva, by email to ana.silva@example.com: delivered" in report(facts)


def test_a_bounce_that_comes_after_a_later_delivery_is_reported_and_flags_nobody() -> None:
    facts, _ = tell(FakeRebound())
    assert facts.email_after_second is not None
    assert facts.email_after_second.without_a_final_word == 0
    assert "For 1 of the first emails the final word came only after" in report(facts)
    assert wrong(facts) == []


def test_a_second_run_over_the_same_stack_tells_the_same_story() -> None:
    fake = FakeRebound()
    first, _ = tell(fake)
    second, printed = tell(fake)
    assert second.is_second_run
    assert wrong(second) == []
    assert second.email is not None
    assert first.email is not None
    assert second.email.results == first.email.results
    assert "the salon confirms" in printed
    assert ("POST", "/v1/customers/id-J5/contacts/sms/confirm") in fake.requests
    # Unreachable is not flagged yet, but the failures would add up over the runs.
    assert ("POST", "/v1/customers/id-J6/contacts/sms/confirm") in fake.requests


def test_the_whole_sample_goes_through_in_the_fake() -> None:
    fake = FakeRebound()
    facts, _ = tell(fake, SAMPLE_FILE.read_text(encoding="utf-8"))
    assert wrong(facts) == []
    assert facts.customers == 2_400
    assert facts.seconds < 150
    assert len(facts.checks) == 24
    assert len(fake.relations) == facts.regular.families == 5
    assert len(fake.favourites) == 3
    told = report(facts)
    assert "Birthdays: on, each day at" in told
    assert "We miss you: on, each day at" in told
    assert "Redeemed: 1 · revenue: 72.00 USD · reward: 7.20 USD" in told
    assert "favourites, chosen by the staff" in told


LOCAL_TIMES = [
    "2028-02-29T12:00:00",
    "2027-02-28T12:00:00",
    "2026-12-31T23:53:59",
    "2026-12-31T23:57:30",
]


@pytest.mark.parametrize("local", LOCAL_TIMES)
def test_the_year_ends_with_whatever_day_it_is(local: str) -> None:
    fake = FakeRebound(datetime.fromisoformat(local).replace(tzinfo=ZONE).astimezone(UTC))
    facts, _ = tell(fake, SAMPLE_FILE.read_text(encoding="utf-8"))
    assert wrong(facts) == []
    assert facts.regular.birthdays is not None
    assert facts.regular.birthdays.campaign.audience.matched >= 6
    assert facts.regular.lost is not None
    assert facts.regular.lost.campaign.audience.matched == 30


def test_a_second_run_tells_nothing_new_and_removes_what_the_first_switched_on() -> None:
    fake = FakeRebound()
    text = SAMPLE_FILE.read_text(encoding="utf-8")
    tell(fake, text)
    before = {key: each for key, each in fake.events.items() if each["kind"] != "review"}
    fake.sleep(-fake.now)  # on the same day, whatever time it is
    facts, _ = tell(fake, text)
    assert wrong(facts) == []
    assert {key: each for key, each in fake.events.items() if each["kind"] != "review"} == before
    assert len(fake.recurring) == 2
    assert all(len(linked) == 1 for linked in fake.relations.values())


def test_a_birthday_that_is_forgotten_is_found() -> None:
    fake = FakeRebound()

    def forget(method: str, path: str, answer: dict[str, Any]) -> None:
        if path == "/v1/imports":
            who = next(key for key, each in fake.customers.items() if is_celebrated(each.birthday, today(fake)))
            fake.customers[who] = replace(fake.customers[who], birthday="")

    fake.spoil = forget
    facts, _ = tell(fake, SAMPLE_FILE.read_text(encoding="utf-8"))
    assert wrong(facts) == ["Birthdays: it was for all whose birthday it is, and the campaign is still on"]


def today(fake: FakeRebound) -> date:
    return day_of_this(fake.time().astimezone(ZONE))


def test_a_voucher_that_the_campaign_does_not_count_is_found() -> None:
    fake = FakeRebound()

    def lose(method: str, path: str, answer: dict[str, Any]) -> None:
        if "redeemed" in answer:
            answer["redeemed"] = 0

    fake.spoil = lose
    facts, _ = tell(fake, SAMPLE_FILE.read_text(encoding="utf-8"))
    assert [sentence[:43] for sentence in wrong(facts)] == ["Gift to members: one voucher was redeemed, "]


def test_activity_that_is_refused_is_found() -> None:
    fake = FakeRebound()

    def refuse(method: str, path: str, answer: dict[str, Any]) -> None:
        if path == "/v1/activity":
            answer["accepted"] -= 1

    fake.spoil = refuse
    facts, _ = tell(fake)
    assert wrong(facts) == ["All that the salon told of its customers' year was taken"]


def test_an_occurrence_that_never_comes_is_given_up() -> None:
    fake = FakeRebound()
    fake.spoil = lambda method, path, answer: answer.update(items=[]) if "occurrences" in path else None
    with pytest.raises(DemoError, match=r"Nothing was sent by itself \(birthdays\) after 400 seconds"):
        tell(fake)


def spoil_campaign(change: Callable[[dict[str, Any]], None]) -> Callable[[str, str, dict[str, Any]], None]:
    def spoil(method: str, path: str, answer: dict[str, Any]) -> None:
        if method == "GET" and path.startswith("/v1/campaigns/") and "messages" not in path:
            answer["audience"] = dict(answer["audience"])
            change(answer)

    return spoil


def test_a_lost_message_is_found() -> None:
    fake = FakeRebound()

    def lose_one(answer: dict[str, Any]) -> None:
        if answer["results"].get("delivered"):
            answer["results"]["delivered"] -= 1

    fake.spoil = spoil_campaign(lose_one)
    facts, _ = tell(fake)
    assert "Email to everybody: all are left out for one reason, or sent to with one result" in wrong(facts)
    assert "WRONG" in report(facts)


def test_a_customer_who_is_neither_left_out_nor_sent_to_is_found() -> None:
    fake = FakeRebound()
    fake.spoil = spoil_campaign(lambda answer: answer["audience"].update(matched=answer["audience"]["matched"] + 1))
    facts, _ = tell(fake)
    assert "Text to VIPs: all are left out for one reason, or sent to with one result" in wrong(facts)


def test_a_flag_on_an_address_that_was_only_out_of_reach_is_found() -> None:
    fake = FakeRebound()
    fake.flags["+15553000312"] = "text:unreachable_handset"
    facts, _ = tell(fake)
    assert any("flagged but should not be: J6 sms" in check.detail for check in facts.failed_checks)


def test_a_flag_that_is_missing_is_found() -> None:
    fake = FakeRebound()

    def forget(method: str, path: str, answer: dict[str, Any]) -> None:
        fake.flags.pop("mailboxfull+ha.8@twin.example.com", None)

    fake.spoil = forget
    facts, _ = tell(fake)
    assert any("not flagged but should be: J8 email" in check.detail for check in facts.failed_checks)


def test_flagged_customers_who_get_the_second_email_are_found() -> None:
    fake = FakeRebound()

    def forgive(answer: dict[str, Any]) -> None:
        excluded = dict(answer["audience"]["excluded"])
        answer["audience"]["targeted"] += excluded.pop("invalid_contact", 0)
        answer["audience"]["excluded"] = excluded

    fake.spoil = spoil_campaign(forgive)
    facts, _ = tell(fake)
    assert "Second email: as many were left out as have a flagged mailbox" in wrong(facts)
    assert "Second email: it went to those whom the preview had named" in wrong(facts)


def test_a_flag_that_does_not_clear_is_found() -> None:
    fake = FakeRebound()

    def keep(method: str, path: str, answer: dict[str, Any]) -> None:
        if method == "GET" and path == "/v1/customers/id-J3":
            answer["contacts"]["email"]["invalid"] = True

    fake.spoil = keep
    facts, _ = tell(fake)
    assert "The flag was cleared after a reminder was delivered" in wrong(facts)


@pytest.mark.parametrize("status", ["failed", "cancelled", "paused"])
def test_a_campaign_that_stops_stops_the_demo_with_its_reason(status: str) -> None:
    fake = FakeRebound()
    fake.spoil = spoil_campaign(lambda answer: answer.update(status=status, reason="the machine broke"))
    with pytest.raises(DemoError, match=rf"campaign is {status}: the machine broke"):
        tell(fake)


def test_a_campaign_that_never_ends_is_given_up() -> None:
    fake = FakeRebound()
    fake.spoil = spoil_campaign(lambda answer: answer.update(status="sending"))
    with pytest.raises(DemoError, match="not through after 240 seconds"):
        tell(fake)


def test_refused_rows_stop_the_demo_and_are_named() -> None:
    fake = FakeRebound()

    def refuse(method: str, path: str, answer: dict[str, Any]) -> None:
        if path == "/v1/imports/i":
            answer["counts"] = {"rows": 12, "created": 11, "updated": 0, "unchanged": 0, "failed": 1}
            answer["errors"] = [{"line": 3, "field": "email", "message": "is not an email address"}]

    fake.spoil = refuse
    with pytest.raises(DemoError, match=r"11 of 12 customers in\.\n  line 3, email: is not an email address"):
        tell(fake)


def test_an_answer_that_breaks_the_contract_is_named() -> None:
    fake = FakeRebound()
    fake.spoil = lambda method, path, answer: answer.pop("import_id", None)
    with pytest.raises(DemoError, match="POST /v1/imports is not what the API's contract says"):
        tell(fake)


def test_uncertain_messages_are_listed_when_they_stay_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FINAL_RESULTS, "unsure", ("uncertain", None))
    facts, _ = tell(FakeRebound())
    assert facts.uncertain == ["+15552050001"]
    assert "Uncertain, and not sent again on a guess: +15552050001" in report(facts)
    assert wrong(facts) == []


def test_a_sequence_that_is_left_for_another_reason_is_told() -> None:
    fake = FakeRebound()

    def lapse(method: str, path: str, answer: dict[str, Any]) -> None:
        if method == "GET" and "/enrolments" in path and answer["items"][0]["left_because"] == "goal":
            answer["items"][0]["left_because"] = "lapsed"

    fake.spoil = lapse
    facts, _ = tell(fake)

    assert len(wrong(facts)) == 1
    assert "A SEQUENCE OF FIVE STEPS" in report(facts)
    assert fake.sequences == {}
