"""The operator's command: input that is not acceptable ends in 2, a key is shown once."""

import json
from collections.abc import Mapping
from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from rebound.businesses.domain.holds import AccountHold, HoldPolicy
from rebound.businesses.domain.senders import Senders
from rebound.businesses.domain.text_plan import TextPlan
from rebound.kernel.errors import ConflictError
from rebound.operations import cli
from rebound.operations.domain import DeadLetter
from rebound.platform.ports import FailedHandling
from tests.fakes.making import BUSINESS_ID, NOON, at
from tests.fakes.world import World
from tests.fakes.written_times import WRITTEN, odd_times

CREATE = ["create-business", "--name", "Nova", "--country", "US", "--time-zone", "America/New_York"]


def run(world: World, command: Mapping[str, Any]) -> Mapping[str, Any]:
    """With time for ten questions whether there is more of it."""
    time = iter([True] * 10)
    return world.run_command(command, lambda: next(time, False))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A stack whose function answers from memory."""
    world = World()

    def invoke(_: str, command: Mapping[str, Any]) -> Any:
        return json.loads(json.dumps(run(world, json.loads(json.dumps(command)))))

    monkeypatch.setattr(cli, "function_of", lambda stack: f"{stack}-function")
    monkeypatch.setattr(cli, "invoke", invoke)
    return world


def test_a_business_is_created_and_printed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(CREATE) == 0
    made = json.loads(capsys.readouterr().out)

    assert world.businesses.get(made["business_id"]).name == "Nova"


def test_a_business_has_the_premium_bundle_until_the_operator_says_otherwise(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(CREATE) == 0
    made = json.loads(capsys.readouterr().out)
    assert cli.main(["set-bundle", "--business-id", made["business_id"], "--bundle", "basic"]) == 0
    changed = json.loads(capsys.readouterr().out)
    assert cli.main([*CREATE, "--bundle", "basic"]) == 0

    assert (made["bundle"], changed["bundle"]) == ("premium", "basic")
    assert world.businesses.get(made["business_id"]).bundles == frozenset()
    assert json.loads(capsys.readouterr().out)["bundle"] == "basic"


@pytest.mark.parametrize(
    ("names", "bundles"),
    [(["basic"], []), (["marketing"], ["marketing"]), (["premium", "marketing"], ["marketing", "premium"])],
)
def test_a_business_has_the_bundles_that_are_named(
    world: World, capsys: pytest.CaptureFixture[str], names: list[str], bundles: list[str]
) -> None:
    assert cli.main(["set-bundle", "--business-id", BUSINESS_ID, "--bundle", *names]) == 0

    assert json.loads(capsys.readouterr().out)["bundles"] == bundles
    assert sorted(world.businesses.get(BUSINESS_ID).bundles) == bundles


def test_accounts_are_held_and_let_go(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    policy = ["set-hold-policy", "--share", "0.9", "--volume", "100", "--contact", "support@platform.example"]
    assert cli.main(policy) == 0
    assert world.account_holds.policy() == HoldPolicy(0.9, 100, "support@platform.example")
    held = replace(world.businesses.get(BUSINESS_ID), hold=AccountHold(NOON, 100, 0, "x"))
    world.businesses.replace(held)
    capsys.readouterr()
    assert cli.main(["lift-hold", "--business-id", BUSINESS_ID, "--reason", "A move"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["held_since"], printed["lifted_holds"][0]["reason"]) == (None, "A move")
    assert cli.main(["set-hold-policy", "--off"]) == 0
    assert world.account_holds.policy() is None
    assert cli.main(["set-hold-policy", "--share", "0.9"]) == 2
    assert cli.main(["set-bundle", "--business-id", BUSINESS_ID, "--bundle", "basic", "premium"]) == 2


def test_a_text_plan_is_set_and_taken_away(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    named = ["set-text-plan", "--business-id", BUSINESS_ID]
    more = ["--inbound", "texts", "--tier", "Studio", "--upgrade-url", "https://platform.example/plans"]
    assert cli.main([*named, "--included", "500", *more]) == 0
    plan = TextPlan(500, inbound_texts=True, tier="Studio", upgrade_url="https://platform.example/plans")
    assert world.businesses.get(BUSINESS_ID).text_plan == plan
    assert json.loads(capsys.readouterr().out)["text_plan"]["included"] == 500
    for wrong, field in (
        ([], "included"),
        (["--included", "-1"], "included"),
        (["--included", "1", "--inbound", "letters"], "inbound"),
        (["--included", "1", "--upgrade-url", "plans"], "upgrade_url"),
    ):
        assert cli.main([*named, *wrong]) == 2
        assert capsys.readouterr().err.startswith(f"{field}: ")
    assert world.businesses.get(BUSINESS_ID).text_plan == plan
    assert cli.main([*named, "--off"]) == 0
    assert world.businesses.get(BUSINESS_ID).text_plan is None


def test_prices_of_texts_are_entered_listed_and_taken_away(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    of_us = ["--country", "us", "--provider", "twilio"]
    row = {"country": "US", "provider": "twilio", "price": "0.0083", "currency": "USD"}

    assert cli.main(["set-text-price", *of_us, "--price", "0.0083", "--currency", "USD"]) == 0
    assert json.loads(capsys.readouterr().out) == row
    assert cli.main(["set-text-price", *of_us, "--price", "0.1", "--currency", "$"]) == 2
    assert capsys.readouterr().err.startswith("currency: ")
    assert cli.main(["list-text-prices"]) == 0
    assert json.loads(capsys.readouterr().out) == {"text_prices": [row]}
    assert cli.main(["remove-text-price", *of_us]) == 0
    assert cli.main(["remove-text-price", *of_us]) == 2
    assert world.text_price_table.page(9, None).items == []


def test_people_are_invited_listed_and_removed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ours = ["--business-id", BUSINESS_ID]
    for email, role, *more in (
        ("ana@example.com", "owner"),
        ("bo@example.com", "staff", "--location-id", "north", "--language", "de"),
    ):
        assert cli.main(["invite", *ours, "--email", email, "--role", role, *more]) == 0
    out, err = capsys.readouterr()
    invited = json.loads(out[out.rindex("\n{") :])
    assert cli.main(["list-staff", *ours]) == 0
    listed = json.loads(capsys.readouterr().out)["staff"]

    assert "once" in err
    assert invited.pop("emailed")
    assert invited.pop("link").startswith("https://rebound.example.com/live/console/sign-in/")
    assert listed[1] == invited
    assert (invited["role"], invited["location_id"], invited["language"]) == ("staff", "north", "de")
    assert cli.main(["remove-staff", *ours, "--email", "bo@example.com"]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": invited}
    assert cli.main(["remove-staff", *ours, "--email", "ana@example.com"]) == 2
    assert "no other owner" in capsys.readouterr().err
    assert [each.email for each in world.staff_service.list(BUSINESS_ID)] == ["ana@example.com"]


def test_operators_are_invited_to_no_business(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["invite", "--operator", "--email", "op@example.com"]) == 0
    assert json.loads(capsys.readouterr().out)["role"] == "operator"
    assert cli.main(["list-staff", "--operator"]) == 0
    [listed] = json.loads(capsys.readouterr().out)["staff"]

    assert (listed["business_id"], listed["email"]) == (None, "op@example.com")
    assert cli.main(["remove-staff", "--operator", "--email", "op@example.com"]) == 0
    assert not world.staff_service.list(None)


def test_a_link_to_sign_in_is_made_for_who_is_a_member(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ours = ["--business-id", BUSINESS_ID, "--email", "ana@example.com"]
    assert cli.main(["sign-in-link", *ours]) == 2
    assert "No such member" in capsys.readouterr().err
    assert cli.main(["invite", *ours, "--role", "owner"]) == 0
    capsys.readouterr()

    for more, lasts in (([], timedelta(minutes=10)), (["--valid-minutes", "1440"], timedelta(days=1))):
        assert cli.main(["sign-in-link", *ours, *more]) == 0
        token = json.loads(capsys.readouterr().out)["link"].rpartition("/")[2]
        world.clock.move(lasts - timedelta(seconds=1))
        assert world.sign_in.look_at_link(token) is not None
        world.clock.move(timedelta(seconds=1))
        assert world.sign_in.look_at_link(token) is None


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ({"command": "invite"}, "business_id"),
        ({"command": "invite", "business_id": BUSINESS_ID}, "email"),
        ({"command": "invite", "business_id": BUSINESS_ID, "email": "a@example.com"}, "role"),
        ({"command": "invite", "business_id": BUSINESS_ID, "email": "a@example.com", "role": ["owner"]}, "role"),
        (
            {"command": "invite", "business_id": BUSINESS_ID, "email": "a@example.com", "role": "owner", "language": 3},
            "language",
        ),
        (
            {
                "command": "invite",
                "business_id": BUSINESS_ID,
                "email": "a@example.com",
                "role": "owner",
                "location_id": 3,
            },
            "location_id",
        ),
        ({"command": "invite", "operator": True, "email": "a@example.com", "role": "owner"}, "role"),
        ({"command": "invite", "operator": True, "business_id": BUSINESS_ID, "email": "a@example.com"}, "business_id"),
        ({"command": "invite", "operator": "yes", "email": "a@example.com"}, "operator"),
        ({"command": "invite", "business_id": "nobody", "email": "a@example.com", "role": "owner"}, "command"),
        ({"command": "list-staff", "business_id": "nobody"}, "command"),
        ({"command": "remove-staff", "business_id": BUSINESS_ID, "email": "a@example.com"}, "command"),
        ({"command": "remove-staff", "business_id": BUSINESS_ID, "email": "a"}, "email"),
        *(
            ({"command": "sign-in-link", "operator": True, "email": "a@example.com", "valid_minutes": minutes}, field)
            for minutes, field in (
                (0, "valid_minutes"),
                (1441, "valid_minutes"),
                (True, "valid_minutes"),
                (9, "command"),
            )
        ),
    ],
)
def test_what_is_wrong_with_a_command_about_people_is_said(
    world: World, command: Mapping[str, Any], field: str
) -> None:
    assert [error["field"] for error in run(world, command)["errors"]] == [field]
    assert not world.staff.roster(BUSINESS_ID).roles
    assert not world.staff.roster(None).roles
    assert world.rebound_mail.sent == []


def test_businesses_are_written_anew_with_what_they_send_from_granted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    old = world.businesses.get(BUSINESS_ID)
    world.businesses.replace(replace(old, email_from="hello@juniper.elsewhere.example"))
    assert cli.main(CREATE) == 0
    before = {business_id: world.businesses.get(business_id) for business_id in world.businesses.ids()}
    capsys.readouterr()
    assert cli.main(["rewrite-settings"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "businesses": 2,
        "shared": {},
        "outside": {BUSINESS_ID: "hello@juniper.elsewhere.example"},
    }
    for business_id, business in before.items():
        own = Senders(tuple(filter(None, [business.email_from])), tuple(filter(None, [business.text_from])))
        assert world.businesses.get(business_id) == replace(business, version=business.version + 1, senders=own)


def test_senders_are_given_listed_and_taken_away(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def printed(*arguments: str) -> Any:
        assert cli.main(arguments) == 0
        return json.loads(capsys.readouterr().out)

    nova = printed(*CREATE, "--text-from", "+14155550111")["business_id"]
    here = ("--business-id", BUSINESS_ID)
    assert cli.main(["add-sender", *here, "--sender", "+14155550111"]) == 2
    assert nova in capsys.readouterr().err
    assert printed("add-sender", *here, "--sender", "hi@example.com")["senders"] == {
        "email": ["hi@example.com"],
        "sms": [],
        "text": [],
    }
    printed("add-sender", *here, "--sender", "+14155550111", "--share-sender")
    assert printed("set-text-rate", *here, "--text-rate", "5")["text_rate"] == 5.0
    assert printed("set-text-rate", *here)["text_rate"] is None
    assert printed("list-senders")["senders"] == sorted(
        [
            {"business_id": BUSINESS_ID, "sender": "hi@example.com", "chosen": False},
            {"business_id": BUSINESS_ID, "sender": "+14155550111", "chosen": False},
            {"business_id": nova, "sender": "+14155550111", "chosen": True},
        ],
        key=lambda grant: str(grant["business_id"]),
    )
    assert printed("remove-sender", "--business-id", nova, "--sender", "+14155550111")["text_from"] is None
    assert len(printed("list-senders", *here)["senders"]) == 2
    assert len(printed("list-senders")["senders"]) == 2


def test_a_key_is_shown_once_and_opens(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["create-key", "--business-id", BUSINESS_ID, "--scopes", "campaigns:read", "--label", "till"]) == 0
    shown = json.loads(capsys.readouterr().out)
    key = world.authorize_request(f"Bearer {shown['api_key']}")

    assert key is not None
    assert [str(scope) for scope in key.scopes] == ["campaigns:read"]
    assert cli.main(["list-keys", "--business-id", BUSINESS_ID]) == 0
    listed = capsys.readouterr().out
    assert shown["api_key"] not in listed
    assert WRITTEN.fullmatch(shown["created_at"])
    assert list(odd_times([shown, listed])) == []


def test_a_rotated_key_goes_on_for_its_grace_and_a_revoked_one_does_not(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    old = world.tenant_service.create_key(BUSINESS_ID)
    ids = ["--business-id", BUSINESS_ID, "--key-id", old.key.key_id]
    assert cli.main(["rotate-key", *ids, "--grace-hours", "1"]) == 0
    new = json.loads(capsys.readouterr().out)

    assert world.authorize_request(f"Bearer {old.token}") is not None
    assert world.authorize_request(f"Bearer {new['api_key']}") is not None
    assert cli.main(["revoke-key", *ids]) == 0
    assert world.authorize_request(f"Bearer {old.token}") is None


def test_an_end_is_never_put_off(world: World) -> None:
    old = world.tenant_service.create_key(BUSINESS_ID)
    world.tenant_service.rotate_key(BUSINESS_ID, old.key.key_id, timedelta(hours=1))
    world.tenant_service.rotate_key(BUSINESS_ID, old.key.key_id, timedelta(hours=9))
    world.clock.move(timedelta(hours=1))

    assert world.authorize_request(f"Bearer {old.token}") is None


@pytest.mark.parametrize("course", ["revoked", "over"])
def test_a_key_that_has_ended_is_followed_by_none(
    world: World, capsys: pytest.CaptureFixture[str], course: str
) -> None:
    old = world.tenant_service.create_key(BUSINESS_ID)
    if course == "revoked":
        world.tenant_service.revoke_key(BUSINESS_ID, old.key.key_id)
    else:
        world.tenant_service.rotate_key(BUSINESS_ID, old.key.key_id, timedelta(hours=1))
        world.clock.move(timedelta(hours=1))
    before = world.tenant_service.list_keys(BUSINESS_ID)

    assert cli.main(["rotate-key", "--business-id", BUSINESS_ID, "--key-id", old.key.key_id]) == 2
    assert "The key has ended, so that no other can follow it; create a new one." in capsys.readouterr().err
    assert world.tenant_service.list_keys(BUSINESS_ID) == before


@pytest.mark.parametrize(
    "arguments",
    [
        [*CREATE[:-1], "Mars/Olympus"],
        [*CREATE, "--bundle", "golden"],
        ["set-bundle", "--business-id", BUSINESS_ID, "--bundle", "golden"],
        ["set-bundle", "--business-id", "nobody", "--bundle", "basic"],
        ["create-key", "--business-id", "nobody"],
        ["create-key", "--business-id", BUSINESS_ID, "--scopes", "everything"],
        ["rotate-key", "--business-id", BUSINESS_ID, "--key-id", "none"],
        ["rotate-key", "--business-id", BUSINESS_ID, "--key-id", "none", "--grace-hours", "nan"],
        ["dead-letters", "--queue", "postcards"],
        ["dead-letters", "--limit", "0"],
        ["redrive", "--queue", "postcards"],
    ],
    ids=lambda arguments: " ".join(arguments[-3:]),
)
def test_input_that_is_not_acceptable_ends_in_2_and_says_what(
    world: World, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert cli.main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ": " in printed.err


@pytest.mark.parametrize(
    "arguments",
    [[], ["drop-tables"], ["create-business"], ["set-bundle", "--bundle", "basic"], ["create-key"], ["redrive"]],
)
def test_a_command_that_is_none_ends_in_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(arguments)
    assert raised.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_conflict_is_an_answer_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    def taken(*_: object) -> None:
        raise ConflictError("business_id_taken", "There is a business with this id already.")

    monkeypatch.setattr(world.businesses, "add", taken)
    answer = run(world, {"command": "create-business", "name": "x", "country": "US", "time_zone": "UTC"})

    assert answer == {"errors": [{"field": "command", "message": "There is a business with this id already."}]}


def test_dead_letters_are_listed_with_their_reason_or_that_nobody_has_given_one(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    chunk = {"business_id": BUSINESS_ID, "campaign_id": "c1", "chunk": "chunk#000#0000000"}
    world.dead_letter_queues.letters["email"] = [DeadLetter("m1", at(0), (chunk,)), DeadLetter("m2", at(0))]
    world.dead_letter_queues.letters["receipts"] = [DeadLetter("m3", at(0), note="SNS could not hand it over.")]
    world.failure_log.record(FailedHandling("m1", "NotFoundError: No such campaign. (at get:1)", at(1), at(9), 5))
    assert cli.main(["dead-letters"]) == 0
    queues = json.loads(capsys.readouterr().out)["queues"]

    assert {name: found["waiting"] for name, found in queues.items()} == {
        "email": 2,
        "import": 0,
        "receipts": 1,
        "text": 0,
        "upkeep": 0,
    }
    assert queues["email"]["dead_letters"][0] == {
        "message_id": "m1",
        "about": [chunk],
        "reason": "NotFoundError: No such campaign. (at get:1)",
        "sent_at": "2026-11-20T12:00:00.000Z",
        "first_tried_at": "2026-11-20T12:00:01.000Z",
        "failed_at": "2026-11-20T12:00:09.000Z",
        "receives": 5,
    }
    assert "No function has said why" in queues["email"]["dead_letters"][1]["reason"]
    assert queues["receipts"]["dead_letters"][0]["reason"] == "SNS could not hand it over."


def test_one_queue_and_no_more_than_asked_for_is_listed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.dead_letter_queues.letters["text"] = [DeadLetter(f"m{number}", at(0)) for number in range(5)]
    assert cli.main(["dead-letters", "--queue", "text", "--limit", "2"]) == 0
    queues = json.loads(capsys.readouterr().out)["queues"]

    assert list(queues) == ["text"]
    assert (queues["text"]["waiting"], len(queues["text"]["dead_letters"])) == (5, 2)


@pytest.mark.parametrize(("queue", "left"), [("all", []), ("text", ["email"])])
def test_a_redrive_goes_on_until_it_is_done(
    world: World, capsys: pytest.CaptureFixture[str], queue: str, left: list[str]
) -> None:
    for name in ("email", "text"):
        world.dead_letter_queues.letters[name] = [DeadLetter(f"{name}{number}", at(0)) for number in range(25)]
    assert cli.main(["redrive", "--queue", queue]) == 0
    answer = json.loads(capsys.readouterr().out)

    assert answer["done"] is True
    assert sum(answer["redriven"].values()) == 25 * (2 - len(left))
    assert [name for name, letters in world.dead_letter_queues.letters.items() if letters] == left
