"""The operator's word about accounts that mostly send bulk: the policy, and the end of a hold."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.holds import KEPT_HOLDS, LARGEST_VOLUME, MAX_LINE, SMALLEST_SHARE, HoldPolicy, LiftedHold
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.retrying import retried
from rebound.kernel.written_text import is_one_line, tidied

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory, HoldPolicyBook
    from rebound.platform.ports import Clock


class AccountHolds(Struct, frozen=True, kw_only=True):
    """Sets the policy by which accounts are held, and lifts holds."""

    businesses: BusinessDirectory
    hold_policies: HoldPolicyBook
    clock: Clock

    def policy(self) -> HoldPolicy | None:
        """The policy; ``None`` while it is off."""
        return self.hold_policies.get()

    def set_policy(self, *, share: float, volume: int, contact: str) -> HoldPolicy:
        """Hold accounts from now on when the next campaign is posted. Raises ``InvalidInputError``."""
        errors: list[FieldError] = []
        if not SMALLEST_SHARE <= share <= 1:
            errors.append(FieldError("share", f"Must be from {SMALLEST_SHARE} to 1: that is mostly bulk."))
        if not 1 <= volume <= LARGEST_VOLUME:
            errors.append(FieldError("volume", f"Must be a whole number from 1 to {LARGEST_VOLUME}."))
        contact = _line("contact", contact, errors)
        if errors:
            raise InvalidInputError(*errors)
        policy = HoldPolicy(share, volume, contact)
        self.hold_policies.put(policy)
        return policy

    def switch_off(self) -> None:
        """Hold no further account; those that are held stay so until their hold is lifted."""
        self.hold_policies.put(None)

    def lift(self, business_id: str, reason: str) -> Business:
        """End a hold. The account is judged anew by what it sends from now on.

        An account that is not held stays as it is. Raises ``NotFoundError`` and ``InvalidInputError``.
        """
        errors: list[FieldError] = []
        reason = _line("reason", reason, errors)
        if errors:
            raise InvalidInputError(*errors)

        def write() -> Business:
            business = self.businesses.get(business_id)
            if business.hold is None:
                return business
            lifted = LiftedHold(business.hold.since, self.clock.now(), reason)
            free = replace(business, hold=None, lifted_holds=(*business.lifted_holds, lifted)[-KEPT_HOLDS:])
            self.businesses.replace(free)
            return free

        return retried(write)


def _line(field: str, given: str, errors: list[FieldError]) -> str:
    line = tidied(given)
    if not line or len(line) > MAX_LINE or not is_one_line(line):
        errors.append(FieldError(field, f"Must be 1 to {MAX_LINE} characters on one line."))
    return line
