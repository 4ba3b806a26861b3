"""The client as the command makes it: its key from the environment or a prompt, never from the command line."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pyas_async import Event, PyasClient, RateBudget
from pyas_async.cli._asking import ask_secret, at_terminal
from pyas_async.cli._failing import CommandError
from pyas_async.plans import PLANS

if TYPE_CHECKING:
    import httpx

KEY = "PYAS_API_KEY"
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
) -> PyasClient:
    """Make a client.

    Args:
        account: Whose meetings its calls are about, unless they say otherwise.
        plan: The plan of the key, whose limit is then kept; without one, the service's answers alone are heeded.
        on_event: Told of what the client does.
        http_client: What to send through, rather than what the client would open.

    Raises:
        CommandError: If there is no key, and nobody to ask for it.
    """
    budget = None if plan is None else RateBudget(PLANS[plan].calls, window=PLANS[plan].window)
    return PyasClient(_key(), account_id=account, budget=budget, on_event=on_event, http_client=http_client)


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
