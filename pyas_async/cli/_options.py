"""Options that several commands share."""

import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import attrs
from cyclopts import Group, Parameter

from pyas_async.cli._failing import CommandError

EVERYWHERE: Final = Group("Everywhere", sort_key=9)
Flag = Annotated[bool, Parameter(negative="", show_default=False)]
"""An option that is there or not: without a --no-… of its own."""

Account = Annotated[str | None, Parameter(env_var="PYAS_ACCOUNT_ID", show_env_var=False, metavar="ID")]
"""Whose meetings, where one account is meant."""

Ids = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Meetings' ids; a dash stands for those on stdin."""

PlanName = Literal["developer", "growth", "scale"] | None
Day = Annotated[str | None, Parameter(metavar="DAY")]
Zone = Annotated[str | None, Parameter(metavar="ZONE")]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Common:
    """What every command has.

    Attributes:
        json: Write JSON, one object a line.
        debug: Show the traceback of an error.
    """

    json: Annotated[bool, Parameter(negative="", show_default=False, group=EVERYWHERE)] = False
    debug: Annotated[bool, Parameter(negative="", show_default=False, group=EVERYWHERE)] = False


COMMON: Final = Common()


def read_text(option: str, source: str) -> str:
    """Read what an option names: a file, or stdin for a dash.

    Raises:
        CommandError: If it is no text.
    """
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{option}: expected text in UTF-8: {error}") from None
