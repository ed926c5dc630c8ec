"""Somebody from their invitation to their removal: the deployed function's command, and the real tables."""

import json
import re
from typing import Final

import pytest

from rebound.staff.domain import NewSession, Role
from tests.contract.businesses.fakes import MemoryReboundMail
from tests.contract.platform.fakes import FakeClock
from tests.fakes import house
from tests.fakes.aws import rows
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack

ANA: Final = "ana@example.com"


def test_who_is_invited_signs_in_by_link_and_code_until_they_are_removed(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = MemoryReboundMail()
    house.stand_in(monkeypatch, rebound_mail=mail, clock=FakeClock())
    command = {"command": "invite", "business_id": BUSINESS_ID, "email": ANA}
    invited = stack.invoke("operate_stack", {**command, "role": "owner"})
    stack.invoke("operate_stack", {**command, "email": "bo@example.com", "role": "owner"})
    uses = house.use_cases()
    token = re.sub(".*/sign-in/", "", invited["link"])
    by_link = uses.sign_in.with_link(token)
    attempt = uses.sign_in.ask(ANA)
    [code] = re.findall(r"\d{8}", mail.sent[-1][2])
    by_code = uses.sign_in.with_code(attempt, code)
    assert by_link is not None
    assert isinstance(by_code, NewSession)

    assert invited["emailed"]
    assert re.fullmatch(r"https?://.+/console/sign-in/[\w-]+", invited["link"])
    for secret in (token, attempt, code, by_link.token, by_code.token):
        assert secret not in json.dumps(rows(), default=str)
    for session in (by_link, by_code):
        found = uses.sessions.find(session.token)
        assert found is not None
        assert found.member is not None
        assert (found.member.role, found.member.business_id) == (Role.OWNER, BUSINESS_ID)
    removed = stack.invoke("operate_stack", {**command, "command": "remove-staff"})["removed"]
    assert removed["email"] == ANA
    assert removed["last_signed_in_at"] is not None
    assert [uses.sessions.find(session.token) for session in (by_link, by_code)] == [None, None]
