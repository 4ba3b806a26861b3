"""The settings of a meeting, as the service sends them."""

import attrs

from pyas_async._public import public
from pyas_async.models._base import Model


@public
@attrs.frozen(kw_only=True, repr=False)
class CountriesOrRegions(Model):
    """Whether participants from certain countries or regions are admitted or blocked.

    Attributes:
        enable: Whether the setting is on. Its lists are in `extra`.
    """

    enable: bool | None = None


@public
@attrs.frozen(kw_only=True, repr=False)
class BreakoutRoom(Model):
    """Breakout rooms that were set up in advance.

    Attributes:
        enable: Whether the setting is on. The rooms are in `extra`.
    """

    enable: bool | None = None


@public
@attrs.frozen(kw_only=True, repr=False)
class MeetingSettings(Model):
    """The settings of a meeting. Zoom often adds new ones: they are in `extra`.

    Attributes:
        host_video: Start with the host's video on.
        participant_video: Start with the participants' video on.
        cn_meeting: Host the meeting in China.
        in_meeting: Host the meeting in India.
        join_before_host: Let participants join before the host.
        jbh_time: How many minutes before the start they may join; 0 for any time.
        mute_upon_entry: Mute participants when they enter.
        watermark: Show a watermark on shared screens.
        use_pmi: Use the host's personal meeting id.
        approval_type: 0 approve registrants automatically, 1 by hand, 2 no registration.
        audio: ``"both"``, ``"telephony"``, ``"voip"`` or ``"thirdParty"``.
        auto_recording: ``"local"``, ``"cloud"`` or ``"none"``.
        enforce_login: Only signed-in users may join (outdated at Zoom).
        enforce_login_domains: Only users of these domains may join (outdated at Zoom).
        alternative_hosts: Other hosts' e-mail addresses, separated by semicolons.
        alternative_host_update_polls: Alternative hosts may change polls.
        close_registration: Close the registration after the meeting's date.
        show_share_button: Show social buttons on the registration page.
        allow_multiple_devices: One registrant may join from several devices.
        registrants_confirmation_email: Send registrants a confirmation.
        waiting_room: Participants wait until the host lets them in.
        request_permission_to_unmute_participants: Ask participants before unmuting them.
        registrants_email_notification: Notify registrants by e-mail.
        meeting_authentication: Only authenticated users may join.
        encryption_type: ``"enhanced_encryption"`` or ``"e2ee"``.
        approved_or_denied_countries_or_regions: Participants admitted or blocked by country or region.
        breakout_room: Breakout rooms that were set up in advance.
        alternative_hosts_email_notification: Notify alternative hosts by e-mail.
        show_join_info: Show the joining information. Zoom does not explain it further.
        device_testing: Let participants test their devices before joining.
        focus_mode: Start in focus mode.
        enable_dedicated_group_chat: Group chats for the meeting.
        private_meeting: The meeting is private.
        email_notification: Send notifications by e-mail.
        host_save_video_order: The host may save the order of videos.
    """

    host_video: bool | None = None
    participant_video: bool | None = None
    cn_meeting: bool | None = None
    in_meeting: bool | None = None
    join_before_host: bool | None = None
    jbh_time: int | None = None
    mute_upon_entry: bool | None = None
    watermark: bool | None = None
    use_pmi: bool | None = None
    approval_type: int | None = None
    audio: str | None = None
    auto_recording: str | None = None
    enforce_login: bool | None = None
    enforce_login_domains: str | None = None
    alternative_hosts: str | None = None
    alternative_host_update_polls: bool | None = None
    close_registration: bool | None = None
    show_share_button: bool | None = None
    allow_multiple_devices: bool | None = None
    registrants_confirmation_email: bool | None = None
    waiting_room: bool | None = None
    request_permission_to_unmute_participants: bool | None = None
    registrants_email_notification: bool | None = None
    meeting_authentication: bool | None = None
    encryption_type: str | None = None
    approved_or_denied_countries_or_regions: CountriesOrRegions | None = None
    breakout_room: BreakoutRoom | None = None
    alternative_hosts_email_notification: bool | None = None
    show_join_info: bool | None = None
    device_testing: bool | None = None
    focus_mode: bool | None = None
    enable_dedicated_group_chat: bool | None = None
    private_meeting: bool | None = None
    email_notification: bool | None = None
    host_save_video_order: bool | None = None
