"""Letting somebody in: memberships, and links that sign in once."""

from __future__ import annotations

from copy import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.access.domain import hash_of
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.staff.application.checks import (
    read_email,
    read_language,
    read_location,
    read_role,
    refuse_all_that_is_wrong,
)
from rebound.staff.application.limits import one_more
from rebound.staff.domain import (
    INVITATION_LASTS,
    INVITATIONS_OF_BUSINESS,
    INVITATIONS_TO_ADDRESS,
    SHORTEST_LINK,
    SignInLink,
    StaffMember,
    invitations_of,
    invitations_to,
)

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import AddressReader
    from rebound.platform.ports import Clock, Ids
    from rebound.staff.application.write_to_staff import WriteToStaff
    from rebound.staff.ports import SignInBook, StaffBook


class Invited(Struct, frozen=True):
    """A member as they are now, and the link that signs them in once; ``emailed`` says whether it was sent to them.

    ``elsewhere`` says whether the same address belongs to another business, or to the operators: then the link is
    shown to nobody who invites for a business, because it is not theirs to sign in as that person.
    """

    member: StaffMember
    link: str
    emailed: bool
    elsewhere: bool


class MakeLink(Struct, frozen=True, kw_only=True):
    """Makes the token of a link that signs a member in, once."""

    staff: StaffBook
    sign_ins: SignInBook
    addresses: AddressReader
    clock: Clock
    ids: Ids

    def __call__(self, email: str, business_id: str | None, lasts: timedelta = INVITATION_LASTS) -> str:
        """The token. It is good for ``lasts``, from one minute to three days, and while the membership is.

        Raises ``NotFoundError`` for who is no member there, ``InvalidInputError`` for ``email`` and ``lasts``.
        """
        if not SHORTEST_LINK <= lasts <= INVITATION_LASTS:
            raise InvalidInputError(FieldError("lasts", "Must be from one minute to three days."))
        person = self.staff.person(read_email(self.addresses, email))
        member = person.in_business(business_id)
        if member is None:
            raise NotFoundError("member of staff")
        token = self.ids.secret()
        ends = self.clock.now() + lasts
        self.sign_ins.add_link(
            SignInLink(hash_of(token), person.email, business_id, member.member_id, person.generation, ends)
        )
        return token


class Invite(Struct, frozen=True, kw_only=True):
    """Makes somebody a member of a business, or an operator, and sends them a link that signs them in.

    Invited again, they get another role and another email, and are still one member. What people at a business invite
    is limited, for each business and each address: the email has the business's own name in it, and goes to whomever
    somebody likes.
    """

    staff: StaffBook
    businesses: BusinessDirectory
    addresses: AddressReader
    make_link: MakeLink
    write_to_staff: WriteToStaff
    sign_ins: SignInBook
    clock: Clock
    ids: Ids

    def __call__(
        self,
        business_id: str | None,
        email: str,
        role: str,
        *,
        console_url: str,
        location_id: str | None = None,
        language: str | None = None,
        by: str | None = None,
    ) -> Invited:
        """Invite somebody. Of a member, ``location_id`` and ``language`` stay if they are left out.

        ``by`` is who invites: an email address, or ``None`` for the operator's command. ``console_url`` is where the
        console is, without a slash at the end. Raises ``InvalidInputError`` and ``NotFoundError``, and
        ``ConflictError`` where the last owner would be one no more, there are too many people, or somebody at the
        business has invited too many of late.
        """
        if business_id is not None:
            self.businesses.get(business_id)
        refuse_all_that_is_wrong(
            lambda: read_email(self.addresses, email),
            lambda: read_role(business_id, role),
            lambda: read_location(location_id),
            lambda: read_language(language),
        )
        address, given_role = read_email(self.addresses, email), read_role(business_id, role)
        location, spoken = read_location(location_id), read_language(language)

        if business_id is not None and by is not None:
            self._check_how_often(business_id, address)

        def write() -> StaffMember:
            roster = self.staff.roster(business_id)
            known = self.staff.person(address).in_business(business_id)
            now = self.clock.now()
            member = known or StaffMember(business_id, address, given_role, self.ids.ulid(now).lower(), now, by)
            member = replace(
                member,
                role=given_role,
                location_id=location or member.location_id,
                language=spoken or member.language,
            )
            return self.staff.save(roster.with_role(address, given_role), member)

        member = retried(write)
        link = link_to(console_url, self.make_link(address, business_id))
        emailed = self.write_to_staff.invitation(member, link, console_url)
        # Read after the membership was written: of two who invite somebody new at once, neither finds them alone.
        elsewhere = len(self.staff.person(address).memberships) > 1
        return Invited(member, link, emailed, elsewhere)

    def _check_how_often(self, business_id: str, address: str) -> None:
        """Count an invitation. Raises ``ConflictError``."""
        limit = INVITATIONS_TO_ADDRESS
        if not one_more(self.sign_ins, self.clock, invitations_to(address), limit):
            message = (
                f"This address was invited {limit.most} times within a day; wait a day before you invite it again."
            )
            raise ConflictError("too_many_invitations", message)
        limit = INVITATIONS_OF_BUSINESS
        if not one_more(self.sign_ins, self.clock, invitations_of(business_id), limit):
            message = f"The business has invited {limit.most} times within a day; wait a day before you invite others."
            raise ConflictError("too_many_invitations", message)


def link_to(console_url: str, token: str) -> str:
    """The address of a link that signs in."""
    return f"{console_url}/sign-in/{token}"
