"""A record of everything that the library emits: what objects and errors show, logs, warnings, and the screen."""

from __future__ import annotations

import contextlib
import copy
import logging
import pickle
import pprint
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.pretty import pretty_repr

from pyas_async import PyasError
from secrecy.planted import leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    import pytest


TESTS = Path(__file__).parent.parent


class Emitted:
    """The texts emitted so far. It is in the frames that are searched, so its own ``repr`` shows nothing."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str | bytes, str], str] = {}

    def __len__(self) -> int:
        """Return the number of different texts."""
        return len(self._texts)

    def found(self) -> list[str]:
        """Return the texts that show a secret, with where they came from."""
        found = []
        for (text, allowed), where in self._texts.items():
            if kinds := leaks(text, allowed=allowed):
                found.append(f"{where}: {', '.join(sorted(kinds))} in {text[:2_000]!r}")
        return found

    def text(self, where: str, text: str | bytes, *, allowed: str = "") -> None:
        """Record a text."""
        self._texts.setdefault((text, allowed), where)

    def shown(self, where: str, thing: object, *, allowed: str = "") -> None:
        """Record an object as each of `SHOWERS` shows it."""
        for name, write in SHOWERS.items():
            try:
                text = write(thing)
            except Exception as error:  # noqa: BLE001  (its message is emitted as well)
                text = f"{error!r} {error.args!r}"
            self.text(f"{where}, {name}", text, allowed=allowed)

    def packed(self, where: str, thing: object, *, allowed: str = "") -> None:
        """Record the pickle and the copies of an object."""
        for name, pack in (("pickle", pickle.dumps), ("copy", _copied), ("deepcopy", _deep)):
            try:
                packed = pack(thing)
            except Exception as error:  # noqa: BLE001  (its message is emitted as well)
                packed = f"{error!r} {error.args!r}".encode()
            self.text(f"{where}, {name}", packed, allowed=allowed if name == "pickle" else "")

    def error(self, where: str, error: BaseException) -> None:
        """Search an error with all that it drags along: notes, causes, contexts, and the variables of all frames."""
        values: set[int] = set()
        for one in with_related(error):
            self.shown(where, one)
            self.text(f"{where}, args", f"{one.args!r} {pretty_repr((one.args, vars(one)))}")
            self.text(f"{where}, notes", "\n".join(getattr(one, "__notes__", [])))
            # A checkpoint is meant to be stored with its page token; rows are stored with their passcodes.
            self.packed(f"{where}", one, allowed="tp" if isinstance(one, PyasError) and one.checkpoint else "p")
            report = traceback.TracebackException.from_exception(one, capture_locals=True)
            # The frames of the tests hold the planted secrets.
            report.stack[:] = [frame for frame in report.stack if not _is_tests(frame.filename)]
            self.text(f"{where}, traceback", "".join(report.format(chain=False)))
            for frame, _ in traceback.walk_tb(one.__traceback__):
                if not _is_tests(frame.f_code.co_filename):
                    self.frame(where, frame, values)
        self.text(f"{where}, whole", "".join(traceback.format_exception(error)))

    def frame(self, where: str, frame: FrameType, values: set[int]) -> None:
        """Search the variables of a frame as rich shows them; `repr` shows them in the traceback.

        What is in many frames is searched once: `values` are those that were; the frames keep them alive.
        """
        for name, value in list(frame.f_locals.items()):
            if type(value) not in (str, int, float, bool, type(None)) and id(value) not in values:
                values.add(id(value))
                place = f"{where}, {frame.f_code.co_filename}:{frame.f_lineno} {name}"
                self.text(place, pretty_repr(value))


def _is_tests(filename: str) -> bool:
    return Path(filename).is_relative_to(TESTS)


def _copied(thing: object) -> bytes:
    return repr(copy.copy(thing)).encode()


def _deep(thing: object) -> bytes:
    return repr(copy.deepcopy(thing)).encode()


SHOWERS: dict[str, Callable[[object], str]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "format": "{:}".format,
    "percent": lambda thing: "%s %r %a" % (thing, thing, thing),  # noqa: UP031  (one of the forms)
    "pprint": pprint.pformat,
    "rich": pretty_repr,
    "attributes": lambda thing: repr(getattr(thing, "__dict__", None)),
}


def with_related(error: BaseException) -> Iterator[BaseException]:
    """Yield an error with all causes and contexts, also the hidden ones, and the members of groups."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        pending += [one.__cause__, one.__context__]
        pending += one.exceptions if isinstance(one, BaseExceptionGroup) else []
        yield one


class _Handler(logging.Handler):
    """Records each log record with its arguments and its traceback."""

    def __init__(self, emitted: Emitted) -> None:
        super().__init__(level=1)
        self._emitted = emitted
        self.setFormatter(
            logging.Formatter("%(message)s %(args)s %(threadName)s %(taskName)s", defaults={"taskName": ""})
        )

    def emit(self, record: logging.LogRecord) -> None:
        where = f"log of {record.name}"
        self._emitted.text(where, self.format(record))
        self._emitted.text(where, repr(vars(record)))
        if record.exc_info and record.exc_info[1]:
            self._emitted.error(where, record.exc_info[1])


@contextlib.contextmanager
def listening(emitted: Emitted, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Record all logs and warnings, and everything that is written to the screen, within the block."""
    root, handler = logging.getLogger(), _Handler(emitted)
    names = ["", *(name for name in root.manager.loggerDict if isinstance(logging.getLogger(name), logging.Logger))]
    levels = {name: logging.getLogger(name).level for name in names}
    unraisable = sys.unraisablehook
    sys.unraisablehook = lambda caught: emitted.text("unraisable", f"{caught.exc_value!r} {caught.object!r}")
    root.addHandler(handler)
    root.setLevel(1)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield
        for one in warned:
            emitted.text("warning", f"{one.message} {one.message!r} {one.source!r}")
    finally:
        root.removeHandler(handler)
        sys.unraisablehook = unraisable
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    screen: Any = capfd.readouterr()
    emitted.text("stdout", screen.out)
    emitted.text("stderr", screen.err)
