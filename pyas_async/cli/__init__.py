"""The command ``pyas``: meetings, accounts, exports and checks from a terminal or a script.

``pyas --help`` tells its commands; the page docs/cli.md shows them at work. It needs the extra ``pyas_async[cli]``.

It is built on cyclopts and rich. Typer would have done as well; it brings pydantic and its compiled core along, where
cyclopts makes do with attrs, which is here already, and takes options as attrs classes that several commands share.
"""

import sys
from collections.abc import Sequence

__all__ = ["main"]

_EXTRA = ("cyclopts", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    Args:
        arguments: What follows the command's name; without them, those of the process.
    """
    try:
        from pyas_async.cli._app import run  # noqa: PLC0415  (it imports the extra)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in _EXTRA:
            raise
        sys.stderr.write(f"pyas: error: it needs {name}, which is not installed: pip install 'pyas_async[cli]'\n")
        return 2
    except KeyboardInterrupt:  # loading takes a moment
        return 130
    try:
        return run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:  # so does reading the options, or writing the help; commands have their own say
        return 130
