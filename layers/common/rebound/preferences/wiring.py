"""The use cases of preferences (``platform.wiring``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.platform.wiring import in_this_process, use_case
from rebound.relations.wiring import AwsRelationsPorts, RelationsUseCases
from rebound.sending.wiring import AwsSendingPorts, SendingUseCases

if TYPE_CHECKING:
    from rebound.preferences.application.ask_for_confirmation import AskForConfirmation
    from rebound.preferences.application.ask_for_update import AskForUpdate
    from rebound.preferences.application.campaigns_tried import (
        ChangeSettings,
        PostToTestRecipient,
        SendTemplateTest,
        SendTest,
        Turns,
    )
    from rebound.preferences.application.confirm_appointment import ConfirmAppointment
    from rebound.preferences.application.customer_consent import ReadConsent, StateConsent
    from rebound.preferences.application.follow_links import FollowLinks, LinkReader
    from rebound.preferences.application.own_profile import OwnProfile
    from rebound.preferences.application.relation_invitations import AnswerInvitation, RelationInvitations
    from rebound.preferences.ports import PreferencesPorts


class AwsPreferencesPorts(AwsSendingPorts, AwsRelationsPorts):
    """The ports of preferences over AWS."""


class PreferencesUseCases(SendingUseCases, RelationsUseCases):
    """The use cases of preferences."""

    ports: PreferencesPorts

    follow_links: FollowLinks = use_case(
        "rebound.preferences.application.follow_links", reader="link_reader", keyring="link_keyring"
    )
    link_reader: LinkReader = use_case("rebound.preferences.application.follow_links", keyring="link_keyring")
    confirm_appointment: ConfirmAppointment = use_case(
        "rebound.preferences.application.confirm_appointment", reader="link_reader", publish="publish_events"
    )
    ask_for_update: AskForUpdate = use_case(
        "rebound.preferences.application.ask_for_update", post="post_message", history="profile_history"
    )
    own_profile: OwnProfile = use_case(
        "rebound.preferences.application.own_profile",
        reader="link_reader",
        keyring="link_keyring",
        history="profile_history",
        service="customer_service",
    )
    relation_invitations: RelationInvitations = use_case(
        "rebound.preferences.application.relation_invitations", service="relation_service", post="post_message"
    )
    answer_invitation: AnswerInvitation = use_case(
        "rebound.preferences.application.relation_invitations", reader="link_reader", service="relation_service"
    )
    read_consent: ReadConsent = use_case("rebound.preferences.application.customer_consent", history="contact_history")
    state_consent: StateConsent = use_case("rebound.preferences.application.customer_consent")
    ask_for_confirmation: AskForConfirmation = use_case(
        "rebound.preferences.application.ask_for_confirmation", post="post_message"
    )
    turns: Turns = use_case("rebound.preferences.application.campaigns_tried")
    change_settings: ChangeSettings = use_case(
        "rebound.preferences.application.campaigns_tried", settings="settings_of_business", post="post_test"
    )
    send_test: SendTest = use_case(
        "rebound.preferences.application.campaigns_tried", view="campaign_service", post="post_to_test_recipient"
    )
    post_to_test_recipient: PostToTestRecipient = use_case(
        "rebound.preferences.application.campaigns_tried", post="post_test"
    )
    send_template_test: SendTemplateTest = use_case(
        "rebound.preferences.application.campaigns_tried", templates="template_service", post="post_to_test_recipient"
    )


use_cases = in_this_process(PreferencesUseCases, AwsPreferencesPorts)
ports = AwsPreferencesPorts
