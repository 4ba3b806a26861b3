"""The client as the command makes it: its key from the environment or a prompt, never from the command line."""

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pyas_async import Event, PyasClient, RateBudget, Waiting
from pyas_async.cli._asking import ask_secret, at_terminal
from pyas_async.cli._failing import CommandError
from pyas_async.cli._output import say
from pyas_async.cli._times import lasting
from pyas_async.plans import PLANS

if TYPE_CHECKING:
    import httpx

KEY = "PYAS_API_KEY"
_LONG = 5.0
"""Seconds of a wait that is told."""
_OPTIONS = ("--api-key", "--apikey", "--key", "--pyas-api-key", "--x-api-key")


def refuse_keys(tokens: Sequence[str]) -> None:
    """Refuse a key among the arguments, without echoing it.

    Raises:
        CommandError: If there is an option that looks like one for a key.
    """
    for token in tokens:
        if token.partition("=")[0].lower().replace("_", "-") in _OPTIONS:
            raise CommandError(
                "the API key is not taken from the command line, where other users and the shell's history see it",
                hint=f"Set {KEY} in the environment, or leave it out and be asked for it.",
            )


def client_for(
    account: str | None = None,
    *,
    plan: str | None = None,
    on_event: Callable[[Event], None] | None = None,
    http_client: "httpx.AsyncClient | None" = None,
    tell_waits: bool = True,
) -> PyasClient:
    """Make a client.

    Args:
        account: Whose meetings its calls are about, unless they say otherwise.
        plan: The plan of the key, whose limit is then kept; without one, the service's answers alone are heeded.
        on_event: Told of what the client does.
        http_client: What to send through, rather than what the client would open.
        tell_waits: Write a line where a call waits for so long that people wonder.

    Raises:
        CommandError: If there is no key, and nobody to ask for it.
    """
    budget = None if plan is None else RateBudget(PLANS[plan].calls, window=PLANS[plan].window)
    heard = Waits(on_event) if tell_waits else on_event
    return PyasClient(_key(), account_id=account, budget=budget, on_event=heard, http_client=http_client)


class Waits:
    """Tells of long waits, each once, and passes on what it hears."""

    def __init__(
        self, pass_on: Callable[[Event], None] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with none."""
        self._pass_on = pass_on
        self._clock = clock
        self._over = -math.inf

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        # Of many calls that wait for the same, the first speaks for all.
        if isinstance(event, Waiting) and event.seconds >= _LONG and self._clock() >= self._over:
            self._over = self._clock() + event.seconds
            why = "the call limit is used up: going on" if event.reason == "budget" else "no good answer: trying again"
            say(f"pyas: {why} in {lasting(event.seconds)}")
        if self._pass_on is not None:
            self._pass_on(event)


def whose(account: str | None) -> str:
    """Take an account's id.

    Raises:
        CommandError: If there is none.
    """
    if account is None or not account.strip():
        raise CommandError("whose meetings? There is no account id", hint="Give --account, or set PYAS_ACCOUNT_ID.")
    return account


def _key() -> str | None:
    if os.environ.get(KEY) is not None:
        return None  # the client takes it from there
    if not at_terminal():
        raise CommandError("there is no API key", hint=f"Set {KEY} in the environment.")
    given = ask_secret("Pyas API key")
    if not given:
        raise CommandError("no API key was given", hint=f"It can stand in the environment, too: {KEY}.")
    return given
