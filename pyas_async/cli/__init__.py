"""The command ``pyas``: meetings, accounts, exports and checks from a terminal or a script.

``pyas --help`` lists the commands; the page docs/cli.md shows them in use. It needs the extra ``pyas_async[cli]``.

It is built on cyclopts and rich. Typer would have worked as well, but it depends on pydantic and its compiled core.
cyclopts needs only attrs, which is installed anyway, and takes options as attrs classes that several commands share.
"""

import sys
from collections.abc import Sequence

__all__ = ["main"]

_EXTRA = ("cyclopts", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    Args:
        arguments: The command's arguments; default: those of the process.
    """
    try:
        from pyas_async.cli._app import run  # noqa: PLC0415  (it imports optional packages)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in _EXTRA:
            raise
        from pyas_async._extras import how_to_install  # noqa: PLC0415  (seldom needed)

        sys.stderr.write(f"pyas: error: it needs {name}, which is not installed: {how_to_install('cli')}\n")
        return 2
    except KeyboardInterrupt:  # loading takes a while
        return 130
    try:
        return run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:  # while options are read or help is written; commands handle it themselves
        return 130
