"""The command ``pyas doctor``."""

import platform
import statistics
from collections.abc import Callable
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pyas_async import PyasError, __version__
from pyas_async.cli._client import client_for, require_account
from pyas_async.cli._doctor.calls import Calls
from pyas_async.cli._doctor.dates import date_order
from pyas_async.cli._doctor.details import details
from pyas_async.cli._doctor.findings import Finding, Masker, State, any_differs
from pyas_async.cli._doctor.limits import clock, limit_headers
from pyas_async.cli._doctor.pages import LARGEST, page_number, page_size, page_tokens, total, unknown_token
from pyas_async.cli._doctor.token_life import expiry
from pyas_async.cli._errors import Exit
from pyas_async.cli._options import COMMON, Account, Common, Flag, PlanName
from pyas_async.cli._output import clean, plural, say, status, write, write_json
from pyas_async.cli._runner import perform_async
from pyas_async.cli._times import format_duration

EXAMPLES: Final = """\
Examples:
  pyas doctor
  pyas doctor --patient --json > report.jsonl
"""
_STYLES: Final[dict[State, str]] = {"holds": "green", "differs": "bold red", "noted": "cyan", "unclear": "yellow"}
_CHECK, _STATE = 13, 7


def examine(
    *,
    account: Account = None,
    patient: Flag = False,
    plan: PlanName = None,
    common: Common = COMMON,
) -> int:
    """Test the library's assumptions about the service, with your own key and account.

    It makes about a dozen calls, all of which only read. The report contains no keys, account ids or tokens, and
    nothing about the content of your meetings, so you can send it to others. If something differs, the exit code is 8.

    Args:
        account: The account to look at; default: PYAS_ACCOUNT_ID. Best one with many meetings.
        patient: Take a quarter of an hour more, to see page tokens expire.
        plan: Keep to the limit of this plan.
        common: Options of every command.
    """

    async def work() -> int:
        owner, masker, findings = require_account(account), Masker(), list[Finding]()
        masker.learn(owner)

        def found(*new: Finding) -> None:
            for finding in map(masker.finding, new):
                findings.append(finding)
                if common.json:
                    write_json(finding.document())
                else:
                    _show(finding)

        def make(**options: Any) -> Any:  # noqa: ANN401  (the arguments of a client)
            return client_for(plan=plan, **options)

        async with Calls(make, owner) as calls:
            try:
                await _examine(calls, masker, found, patient=patient)
            finally:
                if findings or common.json:
                    _sum_up(calls, findings, common)
        return Exit.INCOMPLETE if any_differs(findings) else Exit.OK

    return perform_async(work, common)


async def _examine(calls: Calls, masker: Masker, found: Callable[..., None], *, patient: bool) -> None:
    first = await calls.list(max_results=LARGEST)
    if not first.answered:
        raise _cannot(first.error)
    finding, largest, size = await page_size(calls, first)
    whole = largest.value
    if whole is None:
        raise _cannot(largest.error or first.error)
    masker.learn(whole.next_page_token or "")
    valid = "the key and the account are valid"
    found(Finding(check="access", state="holds", assumed=valid, seen="a page was returned"))
    found(finding, total(whole))
    tokens, length = await page_tokens(calls, whole, masker)
    found(*tokens)
    found(await page_number(calls, whole, length))
    found(await unknown_token(calls, length))
    found(*await date_order(calls, whole, size))
    found(*await details(calls, whole, masker))
    found(*limit_headers(calls), clock(calls))
    if patient:
        with status("") as report:
            findings = await expiry(calls, length, masker, lambda left: report(_waiting(left)))
        found(*findings)


def _waiting(left: float) -> str:
    return f"waiting for a page token to expire: {format_duration(left)}"


def _cannot(error: PyasError | None) -> PyasError:
    assert error is not None  # noqa: S101  (a result without a value has an error)
    error.add_note("Nothing else can be tested before this works.")
    return error


def _show(finding: Finding) -> None:
    lines = [("", finding.seen), ("", finding.change)]
    if finding.state == "differs":
        lines = [("assumed: ", finding.assumed), ("seen: ", finding.seen), ("do: ", finding.change)]
    told = Text("\n").join(Text.assemble((name, "dim"), clean(text)) for name, text in lines if text)
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=_CHECK, no_wrap=True)
    line.add_column(width=_STATE)
    line.add_column()
    line.add_row(Text(finding.check, style="bold"), Text(finding.state, style=_STYLES[finding.state]), told)
    write(line)


def _sum_up(calls: Calls, findings: list[Finding], common: Common) -> None:
    seconds = [result.seconds for result in calls.results]
    facts: dict[str, Any] = {
        "check": "summary",
        "calls": calls.count,
        "median_seconds": round(statistics.median(seconds), 3) if seconds else None,
        "differs": [finding.check for finding in findings if finding.state == "differs"],
        "unclear": [finding.check for finding in findings if finding.state == "unclear"],
        "pyas_async": __version__,
        "python": platform.python_version(),
    }
    if common.json:
        write_json(facts)
        return
    parts = [f"{state}: {count}" for state in _STYLES if (count := sum(one.state == state for one in findings))]
    say(f"{', '.join(parts) or 'nothing found'}; {plural(calls.count, 'call')}; pyas_async {__version__}")
