"""The command's client. Its key comes from the environment or a prompt, never from the command line."""

import math
import os
import time
from collections.abc import Callable, Sequence

from pyas_async import Event, PyasClient, RateBudget, Waiting
from pyas_async.cli._errors import CommandError
from pyas_async.cli._output import say
from pyas_async.cli._prompts import ask_secret, at_terminal
from pyas_async.cli._times import format_duration
from pyas_async.plans import PLANS

KEY = "PYAS_API_KEY"
_LONG_WAIT = 5.0
"""Waits of at least this many seconds are reported."""
_OPTIONS = ("--api-key", "--apikey", "--key", "--pyas-api-key", "--x-api-key")


def refuse_keys(tokens: Sequence[str]) -> None:
    """Refuse a key among the arguments, without repeating it.

    Raises:
        CommandError: If an option looks like one for a key.
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
    show_waits: bool = True,
) -> PyasClient:
    """Make a client.

    Args:
        account: The account that its calls are about, unless they name one.
        plan: The key's plan, whose limit is observed. Without one, the client follows the service's responses only.
        on_event: An event handler.
        show_waits: Whether to print a message about long waits.

    Raises:
        CommandError: If there is no key, and no terminal to ask for one.
    """
    budget = None if plan is None else RateBudget(PLANS[plan].calls, window=PLANS[plan].window)
    heard = WaitMessages(on_event) if show_waits else on_event
    return PyasClient(_key(), account_id=account, budget=budget, on_event=heard)


class WaitMessages:
    """An event handler that prints long waits, each once, and passes events on to another handler."""

    def __init__(
        self, pass_on: Callable[[Event], None] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pass_on = pass_on
        self._clock = clock
        self._over = -math.inf

    def __call__(self, event: Event) -> None:
        # If many calls wait for the same reason, one message is enough.
        if isinstance(event, Waiting) and event.seconds >= _LONG_WAIT and self._clock() >= self._over:
            self._over = self._clock() + event.seconds
            why = (
                "the call limit is used up: continuing"
                if event.reason == "budget"
                else "the request failed: trying again"
            )
            say(f"pyas: {why} in {format_duration(event.seconds)}")
        if self._pass_on is not None:
            self._pass_on(event)


def require_account(account: str | None) -> str:
    """Return an account's id.

    Raises:
        CommandError: If there is none.
    """
    if account is None or not account.strip():
        raise CommandError("no account id was given", hint="Give --account, or set PYAS_ACCOUNT_ID.")
    return account


def _key() -> str | None:
    if os.environ.get(KEY) is not None:
        return None  # the client reads it from the environment
    if not at_terminal():
        raise CommandError("no API key is set", hint=f"Set {KEY} in the environment.")
    given = ask_secret("Pyas API key")
    if not given:
        raise CommandError("no API key was given", hint=f"It can also be set in the environment: {KEY}.")
    return given
