"""The details of a meeting, built on request from its rows and from the data stored with them.

The data stored with the rows (``extra``) is an object with any of these keys: ``fields`` (fields of the details that
the rows do not have, or have cut), ``settings`` (settings that differ from the default), ``deleted`` (deleted
occurrences, which have no row), ``bare`` (true for a series whose times are in ``occurrences`` only).
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Final

from pyas_async.sandbox._times import read_epoch

if TYPE_CHECKING:
    from pyas_async.sandbox._responses import Json

AGENDA_CUT: Final = 250
"""The number of characters of an agenda in a list row."""
FIXED_SERIES: Final = 8
"""The type of a recurring meeting with fixed times."""
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_BARE: Final = ("start_time", "duration")
# The settings of the documented example, in its order.
_SETTINGS: Final = """{
"host_video": false, "participant_video": false, "cn_meeting": false, "in_meeting": false, "join_before_host": false,
"jbh_time": 0, "mute_upon_entry": false, "watermark": false, "use_pmi": false, "approval_type": 2, "audio": "voip",
"auto_recording": "none", "enforce_login": false, "enforce_login_domains": "", "alternative_hosts": "",
"alternative_host_update_polls": false, "close_registration": false, "show_share_button": false,
"allow_multiple_devices": false, "registrants_confirmation_email": true, "waiting_room": true,
"request_permission_to_unmute_participants": false, "registrants_email_notification": true,
"meeting_authentication": false, "encryption_type": "enhanced_encryption",
"approved_or_denied_countries_or_regions": {"enable": false}, "breakout_room": {"enable": false},
"alternative_hosts_email_notification": true, "show_join_info": false, "device_testing": false, "focus_mode": false,
"enable_dedicated_group_chat": false, "private_meeting": false, "email_notification": true,
"host_save_video_order": false}"""


def build_detail(rows: list[Json], extra: Json, account: Json, seed: int, now: float) -> Json:
    """Build the details of a meeting.

    Args:
        rows: The rows of the meeting; the details describe the first.
        extra: The data stored with the rows.
        account: The account's document, for the host's e-mail address.
        seed: The seed of the sandbox, from which the passwords are derived.
        now: The time, in epoch seconds, from which the status is derived.
    """
    row = rows[0]
    known: Json = {**row, **extra.get("fields", {})}
    if extra.get("bare"):
        known = {name: value for name, value in known.items() if name not in _BARE}
    detail: Json = {}
    for name in ("uuid", "id", "host_id"):
        _copy(known, detail, name)
    detail |= {"host_email": account["email"], "assistant_id": ""}
    _copy(known, detail, "topic")
    _copy(known, detail, "type")
    detail["status"] = "started" if _is_live(row, now) else "waiting"
    for name in ("start_time", "duration", "timezone", "agenda", "created_at"):
        _copy(known, detail, name)
    secrets = _secrets(row, seed)
    detail["start_url"] = secrets.pop("start_url")
    _copy(known, detail, "join_url")
    detail |= secrets
    detail["settings"] = {**json.loads(_SETTINGS), **extra.get("settings", {})}
    detail["pre_schedule"] = False
    if known.get("type") == FIXED_SERIES:
        detail["occurrences"] = _occurrences(rows, extra.get("deleted", []))
    return detail | {name: value for name, value in known.items() if name not in detail}


def secret_text(random: Random, length: int) -> str:
    """Return a random password of letters and digits."""
    return "".join(random.choices(_LETTERS, k=length))


def _copy(source: Json, target: Json, name: str) -> None:
    if name in source:
        target[name] = source[name]


def _is_live(row: Json, now: float) -> bool:
    start, duration = read_epoch(row.get("start_time")), row.get("duration")
    return start is not None and isinstance(duration, int) and start <= now < start + duration * 60


def _secrets(row: Json, seed: int) -> Json:
    random = Random(f"{seed}/secrets/{row.get('id')}")  # noqa: S311 - a sandbox's secrets protect nothing
    telephone = "".join(random.choices("0123456789", k=10))
    passcode = str(row.get("join_url", "")).partition("pwd=")[2]
    return {
        "start_url": f"https://us05web.zoom.us/s/{row.get('id')}?zak={secret_text(random, 40)}",
        "password": secret_text(random, 10),
        "h323_password": telephone,
        "pstn_password": telephone,
        "encrypted_password": passcode or secret_text(random, 32),
    }


def _occurrences(rows: list[Json], deleted: list[Json]) -> list[Json]:
    available = [
        {
            "occurrence_id": str(int((read_epoch(row["start_time"]) or 0) * 1000)),
            "start_time": row["start_time"],
            "duration": row.get("duration", 30),
            "status": "available",
        }
        for row in rows
        if row.get("start_time")
    ]
    return sorted([*available, *deleted], key=lambda occurrence: str(occurrence["start_time"]))
