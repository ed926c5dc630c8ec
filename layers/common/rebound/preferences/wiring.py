"""What preferences need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.platform.wiring import in_this_process
from rebound.sending.wiring import AwsSendingPorts, SendingUseCases

if TYPE_CHECKING:
    from rebound.preferences.application.ask_for_confirmation import AskForConfirmation
    from rebound.preferences.application.customer_consent import ReadConsent, StateConsent
    from rebound.preferences.application.follow_links import FollowLinks
    from rebound.preferences.application.read_links import LinkReader
    from rebound.preferences.ports import PreferencesPorts


class AwsPreferencesPorts(AwsSendingPorts):
    """The same over AWS."""


class PreferencesUseCases(SendingUseCases):
    """The use cases of preferences."""

    ports: PreferencesPorts

    @cached_property
    def follow_links(self) -> FollowLinks:
        from rebound.preferences.application.follow_links import FollowLinks

        return FollowLinks(
            reader=self.link_reader,
            keyring=self.ports.link_keyring,
            businesses=self.ports.businesses,
            customers=self.ports.customers,
            record_evidence=self.record_evidence,
            clock=self.ports.clock,
        )

    @cached_property
    def link_reader(self) -> LinkReader:
        from rebound.preferences.application.read_links import LinkReader

        return LinkReader(
            keyring=self.ports.link_keyring,
            messages=self.ports.messages,
            customers=self.ports.customers,
            contacts=self.ports.contacts,
        )

    @cached_property
    def read_consent(self) -> ReadConsent:
        from rebound.preferences.application.customer_consent import ReadConsent

        return ReadConsent(
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            businesses=self.ports.businesses,
            history=self.ports.contact_history,
        )

    @cached_property
    def state_consent(self) -> StateConsent:
        from rebound.preferences.application.customer_consent import StateConsent

        return StateConsent(
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            businesses=self.ports.businesses,
            clock=self.ports.clock,
        )

    @cached_property
    def ask_for_confirmation(self) -> AskForConfirmation:
        from rebound.preferences.application.ask_for_confirmation import AskForConfirmation

        return AskForConfirmation(
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            businesses=self.ports.businesses,
            messages=self.ports.messages,
            post=self.post_message,
            clock=self.ports.clock,
            ids=self.ports.ids,
            request_ids=self.ports.request_ids,
        )


def use_cases() -> PreferencesUseCases:
    """Those of this process."""
    return in_this_process(PreferencesUseCases, ports)


def ports() -> AwsPreferencesPorts:
    """Those of this process, over AWS."""
    return AwsPreferencesPorts()
