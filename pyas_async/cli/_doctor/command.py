"""The command ``pyas doctor``."""

import platform
import statistics
from collections.abc import Callable
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pyas_async import PyasError, __version__
from pyas_async.cli._doctor.calls import Calls
from pyas_async.cli._doctor.dates import date_order
from pyas_async.cli._doctor.details import details
from pyas_async.cli._doctor.findings import Finding, Masker, State, worst
from pyas_async.cli._doctor.limits import clock, limit_headers
from pyas_async.cli._doctor.pages import LARGEST, page_number, page_size, page_tokens, total, unknown_token
from pyas_async.cli._doctor.patience import expiry
from pyas_async.cli._failing import Exit
from pyas_async.cli._options import COMMON, Account, Common, Flag, PlanName
from pyas_async.cli._output import clean, many, say, status, write, write_json
from pyas_async.cli._running import perform_async
from pyas_async.cli._service import client_for, whose
from pyas_async.cli._times import lasting

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
    """Look which of the library's assumptions about the service hold, with your own key and account.

    It makes about a dozen calls, all of which only read. Keys, accounts, tokens, and what your meetings are about do
    not appear in its report, so that it can be sent to others. If something differs, the exit code is 8.

    Args:
        account: Whose meetings to look at; else PYAS_ACCOUNT_ID. Best one with many.
        patient: Take a quarter of an hour more, to see page tokens die.
        plan: Keep to the limit of this plan.
        common: What every command has.
    """

    async def work() -> int:
        owner, masker, findings = whose(account), Masker(), list[Finding]()
        masker.learn(owner)

        def found(*new: Finding) -> None:
            for finding in map(masker.finding, new):
                findings.append(finding)
                if common.json:
                    write_json(finding.document())
                else:
                    _show(finding)

        def make(**options: Any) -> Any:  # noqa: ANN401  (whatever a client takes)
            return client_for(plan=plan, **options)

        async with Calls(make, owner) as calls:
            try:
                await _examine(calls, masker, found, patient=patient)
            finally:
                if findings or common.json:
                    _sum_up(calls, findings, common)
        return Exit.INCOMPLETE if worst(findings) else Exit.OK

    return perform_async(work, common)


async def _examine(calls: Calls, masker: Masker, found: Callable[..., None], *, patient: bool) -> None:
    first = await calls.list(max_results=LARGEST)
    if first.value is None and not first.refused:
        raise _cannot(first.error)
    finding, whole, size = await page_size(calls, first)
    if whole is None:
        raise _cannot(first.error)
    masker.learn(whole.next_page_token or "")
    found(Finding(check="access", state="holds", assumed="the key and the account are good", seen="a listing came"))
    found(finding, total(whole))
    tokens, length = await page_tokens(calls, whole, masker)
    found(*tokens)
    found(await page_number(calls, whole, length))
    found(await unknown_token(calls, length))
    found(*await date_order(calls, whole, size))
    found(*await details(calls, whole, masker))
    found(*limit_headers(calls), clock(calls))
    if patient:
        with status("") as tell:
            died = await expiry(calls, length, masker, lambda left: tell(_waiting(left)))
        found(*died)


def _waiting(left: float) -> str:
    return f"waiting for a page token to die: {lasting(left)}"


def _cannot(error: PyasError | None) -> PyasError:
    assert error is not None  # noqa: S101  (a reply without a value has one)
    error.add_note("Nothing else can be looked at before this is mended.")
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
    seconds = [reply.seconds for reply in calls.replies]
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
    say(f"{', '.join(parts) or 'nothing found'}; {many(calls.count, 'call')}; pyas_async {__version__}")
