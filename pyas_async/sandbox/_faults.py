"""Faults on demand: which of the next requests fail, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal, get_args

from pyas_async.sandbox import _responses as responses
from pyas_async.sandbox._responses import ApiResponse, json_response
from pyas_async.sandbox._seen import check_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyas_async.sandbox._seen import Operation

Fault = Literal["unreachable", "dropped", "hang", "lost", "garbage"]
"""A fault of the network, rather than of the service."""
Body = dict[str, object] | list[object] | str
"""A JSON document, or plain text."""

_FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
_GARBAGE: Final = b"<html><body>Welcome to the hotel's network"


@dataclass(slots=True)
class QueuedFault:
    """A fault that a later request will meet.

    Attributes:
        fault: The fault; ``"response"`` for a response of the service.
        response: That response.
        operation: The call that meets the fault; None for any call.
        left: How many more requests meet it.
    """

    fault: Fault | Literal["response"]
    response: ApiResponse | None
    operation: Operation | None
    left: int


@dataclass(slots=True)
class FaultQueue:
    """The faults to come, in the order in which the test asked for them."""

    faults: list[QueuedFault] = field(default_factory=list[QueuedFault])

    def pop(self, operation: Operation | None, *, only: Fault | None = None) -> QueuedFault | None:
        """Remove and return the fault for a request; None if there is none, or if the first is not ``only``."""
        for queued in self.faults:
            if queued.operation not in (None, operation):
                continue
            if only not in (None, queued.fault):
                return None
            queued.left -= 1
            if queued.left == 0:
                self.faults.remove(queued)
            return queued
        return None


def queued_fault(
    fault: int | Fault,
    *,
    times: int,
    operation: Operation | None,
    body: Body | None,
    headers: Mapping[str, str] | None,
) -> QueuedFault:
    """Check a test's request for a fault, and return the fault.

    Raises:
        ValueError: An argument is not valid.
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
        return QueuedFault(fault, None, operation, times)
    if isinstance(fault, bool) or not HTTPStatus.OK <= fault <= 599:
        message = f"fault must be an HTTP status from 200 to 599, or one of {', '.join(_FAULTS)}; got {fault!r}"
        raise ValueError(message)
    return QueuedFault("response", _response(fault, body, headers or {}), operation, times)


def apply_fault(queued: QueuedFault, carry_out: Callable[[], ApiResponse]) -> ApiResponse:
    """Return the response of a request that meets a fault.

    Args:
        queued: The fault.
        carry_out: Carries out the request.
    """
    if queued.response is not None:
        return queued.response
    if queued.fault == "hang":
        return ApiResponse(0, delivery="hung")
    if queued.fault == "lost":
        carry_out()
    elif queued.fault == "garbage":
        status = carry_out().status
        # A 204 response cannot have a body.
        status = HTTPStatus.OK if status == HTTPStatus.NO_CONTENT else status
        return ApiResponse(status, _GARBAGE, "text/html; charset=utf-8")
    return ApiResponse(0, delivery="cut")


def _response(status: int, body: Body | None, headers: Mapping[str, str]) -> ApiResponse:
    if body is None:
        response = _default_response(status)
    elif isinstance(body, str):
        response = ApiResponse(status, body.encode(), "text/plain; charset=utf-8")
    else:
        response = json_response(status, body)
    response.headers |= headers
    return response


def _default_response(status: int) -> ApiResponse:
    if status == HTTPStatus.UNAUTHORIZED:
        return responses.unauthorized()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        response = responses.too_many_calls()
        response.headers["Retry-After"] = "1"
        return response
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    return json_response(status, {"success": False, "error": phrase, "code": status})
