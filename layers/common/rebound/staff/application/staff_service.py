"""The people of a business: who they are, what they may do, and who is one no more."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried
from rebound.staff.application.checks import read_email, read_location, read_role, refuse_all_that_is_wrong

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import AddressReader
    from rebound.staff.domain import Roster, StaffMember
    from rebound.staff.ports import StaffBook


class RoleChangedError(Exception):
    """Somebody else gave ``member``, as they are now, another role meanwhile."""

    def __init__(self, member: StaffMember) -> None:
        super().__init__(f"The role is {member.role} by now.")
        self.member = member


class StaffService(Struct, frozen=True, kw_only=True):
    """Lists, changes and removes members. Each takes effect with their next request.

    A business that has an owner keeps one: of two who remove each other at once, one remains.
    """

    staff: StaffBook
    businesses: BusinessDirectory
    addresses: AddressReader

    def list(self, business_id: str | None) -> Sequence[StaffMember]:
        """All of a business, or the operators, by email. Raises ``NotFoundError``."""
        if business_id is not None:
            self.businesses.get(business_id)
        return self.staff.members(self.staff.roster(business_id))

    def change(
        self,
        business_id: str | None,
        email: str,
        role: str,
        location_id: str | None = None,
        *,
        seen_role: str | None = None,
    ) -> StaffMember:
        """Give a member a role and a location, or none.

        ``seen_role`` is the role that whoever changes it has seen. Raises ``InvalidInputError``, ``NotFoundError``,
        ``RoleChangedError`` where the role is another than that by now, and, for the last owner, ``ConflictError``.
        """
        refuse_all_that_is_wrong(lambda: read_role(business_id, role), lambda: read_location(location_id))
        given, location = read_role(business_id, role), read_location(location_id)

        def write() -> StaffMember:
            roster, member = self._found(business_id, email)
            if seen_role is not None and member.role != seen_role:
                raise RoleChangedError(member)
            changed = replace(member, role=given, location_id=location)
            return self.staff.save(roster.with_role(member.email, given), changed)

        return retried(write)

    def remove(self, business_id: str | None, email: str) -> StaffMember:
        """Let somebody be a member no more; who it was. Their sessions and links for this business are over.

        Raises ``NotFoundError`` and, for the last owner, ``ConflictError``.
        """

        def write() -> StaffMember:
            roster, member = self._found(business_id, email)
            self.staff.remove(roster.without(member.email), member)
            return member

        return retried(write)

    def _found(self, business_id: str | None, email: str) -> tuple[Roster, StaffMember]:
        # The roster first: whatever is written of the member afterwards, one of the two conditions sees.
        roster = self.staff.roster(business_id)
        member = self.staff.person(read_email(self.addresses, email)).in_business(business_id)
        if member is None:
            raise NotFoundError("member of staff")
        return roster, member
