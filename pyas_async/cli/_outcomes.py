"""Input and output of the commands for several meetings: ids and outcomes."""

from collections.abc import Iterable, Iterator
from typing import Any

from pyas_async import Outcome, PyasError
from pyas_async._masking import mask_secrets
from pyas_async.cli._errors import CommandError, Exit, code_of, text_of
from pyas_async.cli._options import read_text
from pyas_async.cli._output import say_error

STDIN = "-"


def given_ids(ids: Iterable[str]) -> list[str]:
    """Return the given ids, each once; a dash is replaced by the ids on stdin, one per line.

    A listing has one row for each date of a series, all with the same id, and a call is about the whole series.

    Raises:
        CommandError: If there is no id, or if one of them looks like an unknown option.
    """
    ids = list(ids)
    if odd := [given for given in ids if given.startswith("-") and given != STDIN]:
        raise CommandError(f"Unknown option: {odd[0]}")
    if not all(given.strip() for given in ids):
        raise CommandError("one of the ids is blank")
    found = dict.fromkeys(id_ for given in ids for id_ in (_lines() if given == STDIN else [given.strip()]))
    if not found:
        raise CommandError("no meeting id was given", hint="Give ids, or - to read them from stdin.")
    return list(found)


def _lines() -> Iterator[str]:
    # `jq .uuid` prints strings in quotes.
    lines = (line.strip().strip('"') for line in read_text("stdin", "-").splitlines())
    return (line for line in lines if line)


class Outcomes:
    """Counts the outcomes of several meetings, prints failures as they come, and determines the exit code."""

    def __init__(self) -> None:
        self.done = 0
        self._not_started = 0
        self._codes: list[Exit] = []

    def failed(self, outcome: Outcome[Any, Any]) -> bool:
        """Count an outcome; if it is a failure, print it and return true."""
        if outcome.error is None:
            self.done += 1
            return False
        self._codes.append(code_of(outcome.error))
        if outcome.state == "not_started":
            self._not_started += 1
        else:
            message, hint = text_of(outcome.error)
            say_error(f"{mask_secrets(str(outcome.key))}: {message}", hint)
        return True

    def refuse(self, key: object, error: PyasError) -> None:
        """Count a meeting as a failure after all, and print why."""
        self.done -= 1
        self._codes.append(code_of(error))
        say_error(f"{mask_secrets(str(key))}: {text_of(error)[0]}")

    def close(self) -> Exit:
        """Print how many were not started. Return the exit code: that of the failures, if all failed with the same."""
        if self._not_started:
            say_error(f"{self._not_started:,} more were not tried, since they would have failed as well")
        if not self._codes:
            return Exit.OK
        return self._codes[0] if not self.done and len(set(self._codes)) == 1 else Exit.INCOMPLETE
