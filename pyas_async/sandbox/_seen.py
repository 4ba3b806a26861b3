"""One request as the sandbox saw it: what handlers decide by, and what tests look at afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class SeenRequest:
    """A request of the API.

    Attributes:
        method: The HTTP method, in capitals.
        path: The path as it was sent, percent-encoding and all, without the query.
        query: The query parameters, decoded; of a repeated one, the last.
        body: The JSON body, parsed; None if there was none, or none that parses.
        headers: The headers, names in lower case, the API key masked.
        malformed: Whether there was a body that is not JSON.
        status: The status that was answered; None until then.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    malformed: bool = False
    status: int | None = None
