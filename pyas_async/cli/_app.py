"""The tree of commands, and the parsing of a command line."""

import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Final

from cyclopts import App, CycloptsError, Parameter

from pyas_async import __version__, plans
from pyas_async.cli import _accounts, _listing, _writing
from pyas_async.cli._client import refuse_keys
from pyas_async.cli._doctor import command as _doctor
from pyas_async.cli._errors import CommandError, Exit, code_of, text_of
from pyas_async.cli._export import command as _export
from pyas_async.cli._output import say_error
from pyas_async.cli._streams import discard_stdout, prepare_streams
from pyas_async.cli._week import command as _week
from pyas_async.sandbox import main as serve_sandbox

_HELP: Final = (
    "Zoom meetings through Pyas, from a terminal or a script.\n\n"
    "The API key comes from PYAS_API_KEY, or is asked for; it is never an argument. "
    "PYAS_ACCOUNT_ID names the account where --account does not."
)
_EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 failed; 2 called wrongly; 3 the key or its rights; 4 not found; 5 a limit; "
    "6 network or service; 7 a write whose outcome is unknown; 8 done in part; 130 interrupted."
)
# These commands parse their arguments themselves, since they can also be called without the extra `cli`.
Tokens = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]

app: Final = App(
    name="pyas",
    help=_HELP,
    help_epilogue=_EXIT_CODES,
    help_format="plaintext",
    version=f"pyas {__version__}",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
meetings: Final = App(name="meetings", help="List, show, create, change, delete and export meetings.")
accounts: Final = App(name="accounts", help="Connect Zoom users' accounts.")
app.command(meetings)
app.command(accounts)


def _add(group: App, function: Callable[..., int], name: str, examples: str) -> None:
    """Make a command of a function. Its docstring is the help text, rewrapped to the width of the terminal."""
    text = (inspect.getdoc(function) or "").partition("\nArgs:")[0]
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    group.command(function, name=name, help="\n\n".join(paragraphs), help_epilogue=examples)


_add(meetings, _listing.list_meetings, "list", _listing.LIST_EXAMPLES)
_add(meetings, _listing.get_meetings, "get", _listing.GET_EXAMPLES)
_add(meetings, _writing.create_meeting, "create", _writing.CREATE_EXAMPLES)
_add(meetings, _writing.update_meeting, "update", _writing.UPDATE_EXAMPLES)
_add(meetings, _writing.delete_meetings, "delete", _writing.DELETE_EXAMPLES)
_add(meetings, _export.export_meetings, "export", _export.EXAMPLES)
_add(meetings, _week.show_week, "week", _week.EXAMPLES)
_add(app, _doctor.examine, "doctor", _doctor.EXAMPLES)
_add(accounts, _accounts.oauth_url, "url", _accounts.URL_EXAMPLES)
_add(accounts, _accounts.connect_account, "connect", _accounts.CONNECT_EXAMPLES)


@app.command(help_flags=[])
def plan(*tokens: Tokens) -> int:
    """Estimate what a job needs on each of the service's plans; no call is made."""
    return plans.main(tokens, prog="pyas plan")


@app.command(help_flags=[])
def sandbox(*tokens: Tokens) -> int:
    """Serve a stand-in for the service on this machine, for development and tests."""
    return serve_sandbox(tokens, prog="pyas sandbox")


def run(tokens: list[str]) -> int:
    """Parse a command line, run the command, and return its exit code."""
    prepare_streams(may_drop=tokens[:1] == ["sandbox"])  # a server is of use without its first line
    try:
        if tokens[:1] != ["sandbox"]:  # the sandbox's key is not a secret
            refuse_keys(tokens)
        code = app(tokens, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except SystemExit as end:
        # Raised by argparse after a help text, or after bad arguments, which it has reported.
        return Exit.USAGE if end.code else Exit.OK
    except CycloptsError as error:
        say_error(str(error), hint="pyas --help lists the commands, and each of them has a --help of its own.")
        return Exit.USAGE
    except CommandError as error:
        say_error(error.message, error.hint)
        return error.code
    except BrokenPipeError:
        discard_stdout()
        return Exit.BROKEN_PIPE
    except OSError as error:
        # A full disk, or another failure of stdout.
        discard_stdout()
        say_error(*text_of(error))
        return code_of(error)
    return code or Exit.OK
