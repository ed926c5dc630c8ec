"""Signing in, counted and logged by ids of ours."""

from collections.abc import Sequence

from rebound.platform.telemetry import count, logger
from rebound.staff.domain import Way


class TelemetrySignInLog:
    """Implements ``SignInLog``; the handler writes what was counted."""

    def signed_in(self, member_ids: Sequence[str], way: Way) -> None:
        logger().info("signed in", member_ids=list(member_ids), way=str(way))
        count("SignIns")

    def refused(self, way: Way) -> None:
        logger().info("sign-in refused", way=str(way))
        count("SignInsRefused")

    def not_written(self, reason: str) -> None:
        logger().warning("staff not written to", reason=reason)
        count("StaffNotWrittenTo")
