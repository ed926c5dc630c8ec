"""The ports of staff over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.businesses.wiring import AwsBusinessesPorts, BusinessesUseCases
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.staff.application.audit_log import AuditLog
    from rebound.staff.application.invite import Invite, MakeLink
    from rebound.staff.application.sessions import Sessions
    from rebound.staff.application.sign_in import SignIn
    from rebound.staff.application.staff_service import StaffService
    from rebound.staff.application.write_to_staff import WriteToStaff
    from rebound.staff.ports import AuditBook, SessionBook, SignInBook, SignInLog, StaffBook, StaffPorts


class AwsStaffPorts(AwsBusinessesPorts):
    """The ports of staff, implemented over AWS."""

    @cached_property
    def staff(self) -> StaffBook:
        from rebound.staff.adapters.dynamo_staff import DynamoStaffBook

        return DynamoStaffBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def staff_sessions(self) -> SessionBook:
        from rebound.staff.adapters.dynamo_staff import DynamoSessionBook

        return DynamoSessionBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def sign_ins(self) -> SignInBook:
        from rebound.staff.adapters.dynamo_sign_ins import DynamoSignInBook

        return DynamoSignInBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def sign_in_log(self) -> SignInLog:
        from rebound.staff.adapters.sign_in_log import TelemetrySignInLog

        return TelemetrySignInLog()

    @cached_property
    def audit(self) -> AuditBook:
        from rebound.staff.adapters.dynamo_audit import DynamoAuditBook

        return DynamoAuditBook(self.settings["DIRECTORY_TABLE"])

    @property
    def console_sender(self) -> str:
        return self.settings.get("CONSOLE_SENDER") or ""


class StaffUseCases(BusinessesUseCases):
    """The use cases of staff."""

    ports: StaffPorts

    write_to_staff: WriteToStaff = use_case("rebound.staff.application.write_to_staff")
    make_link: MakeLink = use_case("rebound.staff.application.invite")
    invite: Invite = use_case("rebound.staff.application.invite")
    sign_in: SignIn = use_case("rebound.staff.application.sign_in", sessions="staff_sessions")
    sessions: Sessions = use_case("rebound.staff.application.sessions", sessions="staff_sessions")
    audit_log: AuditLog = use_case("rebound.staff.application.audit_log")
    staff_service: StaffService = use_case("rebound.staff.application.staff_service")


use_cases = in_this_process(StaffUseCases, AwsStaffPorts)
ports = AwsStaffPorts
