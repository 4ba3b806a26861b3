"""Faults on demand: which of the requests to come go wrong, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal, get_args

from pyas_async.sandbox import _answers as answers
from pyas_async.sandbox._answers import Answer, json_answer
from pyas_async.sandbox._seen import check_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyas_async.sandbox._seen import Operation

Fault = Literal["unreachable", "dropped", "hang", "lost", "garbage"]
"""What can go wrong on the way, rather than with the service."""
Body = dict[str, object] | list[object] | str
"""A JSON document, or plain text."""

_FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
_GARBAGE: Final = b"<html><body>Welcome to the hotel's network"


@dataclass(slots=True)
class Scripted:
    """A fault that is to come.

    Attributes:
        fault: What goes wrong; ``"answer"`` for an answer of the service.
        answer: That answer.
        operation: The call that it waits for; None takes any.
        left: How often it still comes.
    """

    fault: Fault | Literal["answer"]
    answer: Answer | None
    operation: Operation | None
    left: int


@dataclass(slots=True)
class Script:
    """The faults to come, in the order in which they were asked for."""

    lines: list[Scripted] = field(default_factory=list[Scripted])

    def take(self, operation: Operation | None, *, only: Fault | None = None) -> Scripted | None:
        """Take the fault that a request meets; None if it meets none, or another than ``only``."""
        for line in self.lines:
            if line.operation not in (None, operation):
                continue
            if only not in (None, line.fault):
                return None
            line.left -= 1
            if line.left == 0:
                self.lines.remove(line)
            return line
        return None


def scripted(
    fault: int | Fault,
    *,
    times: int,
    operation: Operation | None,
    body: Body | None,
    headers: Mapping[str, str] | None,
) -> Scripted:
    """Make a fault of what a test asks for.

    Raises:
        ValueError: It cannot be.
    """
    if not isinstance(times, int) or isinstance(times, bool) or times < 1:
        message = f"times must be a whole number, 1 or more; got {times!r}"
        raise ValueError(message)
    if operation is not None:
        check_operation(operation)
    if isinstance(fault, str):
        if fault not in _FAULTS:
            message = f"fault must be an HTTP status or one of {', '.join(_FAULTS)}; got {fault!r}"
            raise ValueError(message)
        if body is not None or headers is not None:
            message = f"body and headers belong to an HTTP status; got them with {fault!r}"
            raise ValueError(message)
        return Scripted(fault, None, operation, times)
    if isinstance(fault, bool) or not HTTPStatus.OK <= fault <= 599:
        message = f"fault must be an HTTP status from 200 to 599, or one of {', '.join(_FAULTS)}; got {fault!r}"
        raise ValueError(message)
    return Scripted("answer", _answer(fault, body, headers or {}), operation, times)


def go_wrong(line: Scripted, answer: Callable[[], Answer]) -> Answer:
    """Give what comes of a request that meets a fault.

    Args:
        line: The fault.
        answer: Carries the request out.
    """
    if line.answer is not None:
        return line.answer
    if line.fault == "hang":
        return Answer(0, fate="hung")
    if line.fault == "lost":
        answer()
    elif line.fault == "garbage":
        status = answer().status
        # A status that has no body could not carry any.
        status = HTTPStatus.OK if status == HTTPStatus.NO_CONTENT else status
        return Answer(status, _GARBAGE, "text/html; charset=utf-8")
    return Answer(0, fate="cut")


def _answer(status: int, body: Body | None, headers: Mapping[str, str]) -> Answer:
    if body is None:
        answer = _usual(status)
    elif isinstance(body, str):
        answer = Answer(status, body.encode(), "text/plain; charset=utf-8")
    else:
        answer = json_answer(status, body)
    answer.headers |= headers
    return answer


def _usual(status: int) -> Answer:
    if status == HTTPStatus.UNAUTHORIZED:
        return answers.unauthorized()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        answer = answers.too_many_calls()
        answer.headers["Retry-After"] = "1"
        return answer
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    return json_answer(status, {"success": False, "error": phrase, "code": status})
