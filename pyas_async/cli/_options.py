"""Options that several commands share."""

import codecs
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import attrs
from cyclopts import Group, Parameter

from pyas_async.cli._errors import CommandError

EVERYWHERE: Final = Group("Everywhere", sort_key=9)
Flag = Annotated[bool, Parameter(negative="", show_default=False)]
"""An option that is either given or not: it has no --no-… form."""

Account = Annotated[str | None, Parameter(env_var="PYAS_ACCOUNT_ID", show_env_var=False, metavar="ID")]
"""The id of the account, for commands about one account."""

Ids = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Meetings' ids; a dash stands for ids on stdin."""

PlanName = Literal["developer", "growth", "scale"] | None
Day = Annotated[str | None, Parameter(metavar="DAY")]
Zone = Annotated[str | None, Parameter(metavar="ZONE")]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Common:
    """The options of every command.

    Attributes:
        json: Write JSON, one object per line.
        debug: Show the traceback of an error.
    """

    json: Annotated[bool, Parameter(negative="", show_default=False, group=EVERYWHERE)] = False
    debug: Annotated[bool, Parameter(negative="", show_default=False, group=EVERYWHERE)] = False


COMMON: Final = Common()


def read_text(option: str, source: str) -> str:
    """Read the file that an option names, or stdin for a dash.

    The text is in UTF-8, or in UTF-16 with a byte order mark, as PowerShell redirects output to a file.

    Raises:
        CommandError: If it is not such text.
    """
    if source != "-":
        content = Path(source).read_bytes()
    elif (stdin := getattr(sys.stdin, "buffer", None)) is not None:
        content = stdin.read()
    else:
        content = sys.stdin.read().encode("utf-8", "surrogatepass")
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise CommandError(f"{option}: expected text in UTF-8: {error}") from None
