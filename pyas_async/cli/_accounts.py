"""``pyas accounts url`` and ``connect``: connect a Zoom user's account and learn its id."""

import secrets
import sys

from pyas_async import to_dict
from pyas_async.cli._client import client_for
from pyas_async.cli._display import show_fields
from pyas_async.cli._errors import CommandError
from pyas_async.cli._options import COMMON, Common
from pyas_async.cli._output import clean, say, stdout, write_json
from pyas_async.cli._prompts import ask_secret, at_terminal
from pyas_async.cli._runner import perform_async
from pyas_async.cli._streams import check_stdout

URL_EXAMPLES = """\
Examples:
  pyas accounts url
  pyas accounts url --state "$STATE" --json | jq -r .url
"""
CONNECT_EXAMPLES = """\
Examples:
  pyas accounts connect --name "Ada Lovelace"
  printf %s "$CODE" | pyas accounts connect --name "Ada Lovelace" --json | jq -r .accountId
"""


def oauth_url(*, state: str | None = None, common: Common = COMMON) -> int:
    """Print the URL where a Zoom user authorizes the app to reach their meetings.

    Args:
        state: A value that Zoom passes back with the user, to detect a forged redirect; random unless given.
        common: Options of every command.
    """

    async def work() -> None:
        sent = secrets.token_urlsafe(24) if state is None else state
        async with client_for() as client:
            url = await client.accounts.oauth_url(state=sent)
        if common.json:
            write_json({"url": url, "state": sent})
            return
        stdout().print(clean(url), soft_wrap=True)
        say(f"The user comes back with the state {sent} and a code: pyas accounts connect --name NAME")

    return perform_async(work, common)


def connect_account(*, name: str, common: Common = COMMON) -> int:
    """Connect the account of a user who has come back from Zoom, and print its id.

    The code that the user came back with is asked for, or read from stdin. It is not an argument, since other users and
    the shell's history can see arguments, and the code is enough to connect the account. It works once.

    Args:
        name: The name for the account.
        common: Options of every command.
    """

    async def work() -> None:
        code = _code()
        check_stdout()  # the code works once, and the answer has the account's id
        async with client_for() as client:
            account = await client.accounts.connect(code=code, name=name)
        if common.json:
            write_json(to_dict(account))
            return
        facts = {"account": account.account_id, "name": account.name, "e-mail": account.email, "status": account.status}
        show_fields((name, text or "") for name, text in facts.items())

    return perform_async(work, common)


def _code() -> str:
    given = ask_secret("The code from Zoom") if at_terminal() else sys.stdin.readline().strip().lstrip("\ufeff")
    if not given:
        raise CommandError("no code was given", hint="Type it when asked, or give it on stdin.")
    return given
