"""The command ``pyas meetings export``."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import anyio
import attrs
from cyclopts import Parameter

from pyas_async import ListType, PyasError
from pyas_async.cli._errors import CommandError, Exit, code_of, text_of
from pyas_async.cli._export.convert import check_extra, finish
from pyas_async.cli._export.files import ExportState, Files
from pyas_async.cli._export.from_part import MakeFromPart, make_from_part
from pyas_async.cli._export.job import Format, Job, format_of
from pyas_async.cli._export.progress import now
from pyas_async.cli._export.run import ExportResult, export
from pyas_async.cli._export.stream import STDOUT, export_to_stdout, stream_format
from pyas_async.cli._options import COMMON, Common, Day, Flag, PlanName, read_text
from pyas_async.cli._output import plural, say, say_error, write_json
from pyas_async.cli._runner import perform

EXAMPLES: Final = """\
Examples:
  pyas meetings export -o meetings.jsonl
  pyas meetings export -o 2026.csv --accounts-from ids.txt --start 2026-01-01
  pyas meetings export -o meetings.parquet --accounts-from ids.txt --plan growth
  pyas meetings export -o meetings.parquet --resume
  pyas meetings export -o - | jq .topic
  pyas meetings export -o meetings.csv --from-part meetings.parquet.part
  pyas meetings export --to duckdb -o meetings.duckdb --accounts-from ids.txt
"""


def export_meetings(
    *,
    output: Annotated[Path, Parameter(alias="-o", metavar="FILE", allow_leading_hyphen=True)],
    account: Annotated[list[str] | None, Parameter(negative="", metavar="ID")] = None,
    accounts_from: Annotated[str | None, Parameter(metavar="FILE", allow_leading_hyphen=True)] = None,
    format: Annotated[Format | None, Parameter(alias="--to")] = None,
    start: Day = None,
    end: Day = None,
    type: ListType | None = None,
    page_size: int | None = None,
    plan: PlanName = None,
    repair: Flag = False,
    resume: Flag = False,
    force: Flag = False,
    partial: Flag = False,
    safe_cells: Flag = False,
    from_part: Annotated[Path | None, Parameter(metavar="FILE")] = None,
    at_once: int = 16,
    checkpoint_every: Annotated[float, Parameter(metavar="SECONDS")] = 1.0,
    common: Common = COMMON,
) -> int:
    """Write the meetings of many accounts into a file, each exactly once.

    The file appears when it is complete. Until then, rows are in FILE.part, and FILE.checkpoint keeps the progress: if
    the command is interrupted, --resume continues, without the other options.

    Args:
        output: The file; its suffix names the format: .jsonl, .csv, .parquet, .ics or .duckdb.
            - is stdout, for JSON lines or CSV; rows are written as they come, and the export cannot be resumed.
        account: An account to export; may be repeated. Default: PYAS_ACCOUNT_ID.
        accounts_from: A file of account ids, one per line; - is stdin.
        format: The format, if the file's suffix does not name it.
        start: The first day: YYYY-MM-DD. Digits with separators are sent unchanged.
        end: The last day; likewise.
        type: Which meetings; the service's default is scheduled.
        page_size: Rows to request for a page; default: 300.
        plan: Keep to the limit of this plan, instead of following the service's responses only.
        repair: Repeat listings that changed while they were read, to find missing rows.
        resume: Continue an export that was not completed; start if there is none.
        force: Start over, and replace the file if it exists.
        partial: Make the file even if some accounts failed.
        safe_cells: Write CSV for a spreadsheet program: an apostrophe keeps titles from becoming formulas.
        from_part: Make the file from the FILE.part of another export, which stays; no call is made.
        at_once: How many accounts are listed at a time.
        checkpoint_every: Minimum seconds between two checkpoints; 0 for one after every row.
        common: Options of every command.
    """
    asked = _Asked(
        output=output,
        account=account,
        accounts_from=accounts_from,
        format=format,
        start=start,
        end=end,
        type=type,
        page_size=page_size,
        plan=plan,
        repair=repair,
        resume=resume,
        force=force,
        partial=partial,
        safe_cells=safe_cells,
        at_once=at_once,
        checkpoint_every=checkpoint_every,
        json=common.json,
    )

    def work() -> int:
        if from_part is not None:
            return _from_part(from_part, asked)
        return _to_stdout(asked) if output == STDOUT else _to_file(asked)

    return perform(work, common)


@attrs.frozen(kw_only=True)
class _Asked:
    """The options as they were given; `export_meetings` says what they mean."""

    output: Path
    account: list[str] | None
    accounts_from: str | None
    format: Format | None
    start: str | None
    end: str | None
    type: ListType | None
    page_size: int | None
    plan: str | None
    repair: bool
    resume: bool
    force: bool
    partial: bool
    safe_cells: bool
    at_once: int
    checkpoint_every: float
    json: bool

    def job(self, form: Format, accounts: tuple[str, ...]) -> Job:
        """Return the settings of a new export.

        Raises:
            CommandError: If an option does not go with the format.
        """
        if self.safe_cells and form != "csv":
            raise CommandError(f"--safe-cells: only for CSV, and the format is {form}")
        return Job(
            format=form,
            accounts=accounts or _default_accounts(),
            start=self.start,
            end=self.end,
            type=None if self.type is None else self.type.value,
            page_size=300 if self.page_size is None else self.page_size,
            plan=self.plan,
            repair=self.repair,
            begun=now(),
            safe_cells=self.safe_cells,
        )

    def given(self, *names: str) -> list[str]:
        """Return those of these options that were given."""
        return [name for name in names if getattr(self, name)]


def _from_part(part: Path, asked: _Asked) -> int:
    others = ("account", "accounts_from", "start", "end", "type", "page_size", "plan", "repair", "resume")
    if needless := asked.given(*others):
        raise CommandError(f"--{needless[0].replace('_', '-')}: not with --from-part, which makes no call")
    options = ("output", "format", "safe_cells", "partial", "force", "json")
    return make_from_part(part, MakeFromPart(**{name: getattr(asked, name) for name in options}))


def _to_stdout(asked: _Asked) -> int:
    if needless := asked.given("resume", "force", "json"):
        raise CommandError(f"--{needless[0]}: only for exports to a file, and --output - is standard output")
    job = asked.job(stream_format(asked.format), _ids(asked.account, asked.accounts_from))
    _need_accounts(job)
    return _end_stream(export_to_stdout(job, at_once=asked.at_once), partial=asked.partial)


def _to_file(asked: _Asked) -> int:
    files = Files(asked.output)
    files.check(force=asked.force)
    if not asked.checkpoint_every >= 0:  # also refuses NaN
        raise CommandError(f"--checkpoint-every: expected 0 or more seconds, got {asked.checkpoint_every}")
    accounts = _ids(asked.account, asked.accounts_from)
    begun = files.load() if asked.resume else None
    if begun is None:
        form = format_of(asked.output, asked.format)
    else:
        form = asked.format or begun.job.format
        begun.job.check_makes(form)
    given = asked.given("start", "end", "type", "page_size", "repair")
    given += ["accounts"] if accounts else []
    # The cells of CSV are in the part already.
    given += asked.given("safe_cells") if begun is not None and begun.job.format == "csv" else []
    state = _begin(files, asked.job(form, accounts), given, resume=asked.resume, force=asked.force)
    if state is None:
        say(f"{asked.output} exists, and nothing is left to resume; --force makes it again.")
        return Exit.OK
    check_extra(state.job.format)
    check_extra(form)
    files.remove_links()
    with files.lock(), _noting_how_to_resume(files):
        if state.listings is not None and files.load() != state:
            raise CommandError(f"{asked.output}: another process has just continued it")
        if asked.plan is not None:  # it may differ from the plan of the start
            state = attrs.evolve(state, job=attrs.evolve(state.job, plan=asked.plan))
        every, at_once = asked.checkpoint_every, asked.at_once
        result = ExportResult(state, {}) if state.whole else _run(files, state, at_once=at_once, every=every)
        return _end(files, result, form, asked)


def _ids(account: list[str] | None, accounts_from: str | None) -> tuple[str, ...]:
    """Collect the accounts' ids, each once."""
    ids = list(account or ())
    if accounts_from is not None:
        text = read_text("--accounts-from", accounts_from)
        lines = (line.partition("#")[0].strip().strip('"') for line in text.splitlines())
        ids += [line for line in lines if line]
        if not ids:
            raise CommandError(f"--accounts-from: there is no id in {accounts_from}")
    for one in ids:
        # In a listing, a bad id would be a failure, and the export could never be completed.
        if not one.strip() or not one.isprintable():
            raise CommandError(f"--account: expected the id of a connected account, got {one!r}")
    return tuple(dict.fromkeys(ids))


def _default_accounts() -> tuple[str, ...]:
    own = os.environ.get("PYAS_ACCOUNT_ID", "").strip()
    return (own,) if own else ()


def _begin(files: Files, asked: Job, given: list[str], *, resume: bool, force: bool) -> ExportState | None:
    """Return the state to start from; ``None`` if there is nothing to do."""
    if resume and force:
        raise CommandError("give either --resume to continue, or --force to start over")
    state = None if force else files.load()
    if state is not None and state.whole and not files.part.exists():
        # The process ended after it made the output, and before it deleted the checkpoint.
        files.discard()
        state = None
    if state is not None and resume:
        state.job.check(asked, given)
        return state
    if state is not None and (rows := _rows(files, state)):
        raise CommandError(
            f"{files.output}: an export to it was not completed ({plural(rows, 'row')} so far)",
            hint="--resume continues it, --force starts over.",
        )
    # A part without a checkpoint is that of a process that was killed at its start, and was to replace the file.
    if files.output.exists() and not force and not (resume and files.part.exists()):
        if resume:
            return None
        raise CommandError(f"{files.output}: it exists already", hint="--force replaces it.")
    if resume and not asked.accounts:
        said = f"there is no {files.checkpoint} to resume from, and no account id was given to start"
        raise CommandError(said, hint="Give the options of the export again.")
    _need_accounts(asked)
    return ExportState(job=asked)


def _need_accounts(asked: Job) -> None:
    if not asked.accounts:
        hint = "Give --account or --accounts-from, or set PYAS_ACCOUNT_ID."
        raise CommandError("no account id was given", hint=hint)


def _rows(files: Files, state: ExportState) -> int:
    """Count the rows that are saved."""
    if state.rows or state.job.format != "duckdb":
        return state.rows
    # A process that was killed could not save the count of its database.
    check_extra("duckdb")
    from pyas_async.cli._export.warehouse import counts  # noqa: PLC0415  (it imports an extra)

    return counts(files)[0]


def _run(files: Files, state: ExportState, *, at_once: int, every: float) -> ExportResult:
    if state.job.format == "duckdb":
        from pyas_async.cli._export.warehouse import export_to_database  # noqa: PLC0415  (it imports an extra)

        return export_to_database(files, state, at_once=at_once, every=every)

    async def run() -> ExportResult:
        return await export(files, state, at_once=at_once, every=every)

    return anyio.run(run)


@contextmanager
def _noting_how_to_resume(files: Files) -> Iterator[None]:
    """Add notes to any exception: what is saved, and how to resume.

    After an error before the first row, the files are deleted. After an interruption, the checkpoint keeps the options.
    """
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        if interrupted:
            error.add_note("interrupted")
        state = files.load()
        if state is None or not (state.rows or interrupted):
            files.discard()
        else:
            safe = f"{plural(state.rows, 'row')} are safe in {files.part}" if state.rows else "no row has arrived yet"
            error.add_note(f"{safe}. To continue:")
            error.add_note(f"  {files.resume_command}")
            if state.whole and state.job.part_format == "jsonl":
                error.add_note("To make a file of these rows in another format, without a call:")
                error.add_note(f"  {files.from_part_command}")
        raise


def _end(files: Files, result: ExportResult, form: Format, asked: _Asked) -> int:
    """Make the output unless accounts failed, and print a summary."""
    state, failures = result.state, result.failures
    _say_failures(failures)
    all_failed = len(failures) == len(state.job.accounts) and not state.rows
    made = not failures or (asked.partial and not all_failed)
    if made:
        if not state.whole:
            files.save(attrs.evolve(state, whole=True))
        if note := finish(files, state, form, safe_cells=asked.safe_cells or state.job.safe_cells):
            say(note)
    summary: dict[str, Any] = {
        "file": str(files.output) if made else None,
        "format": form,
        "rows": state.rows,
        "accounts": len(state.job.accounts),
        "failed": {account_id: text_of(error)[0] for account_id, error in failures.items()},
        "calls": state.calls,
        "seconds": state.seconds,
    }
    if asked.json:
        write_json(summary)
    elif made:
        _say_summary(str(files.output), result)
    if made:
        return Exit.OK
    if all_failed:
        # There is nothing to resume: the same command works as well.
        files.discard()
        return _code_of_all(failures)
    safe = f"{plural(state.rows, 'row')} are safe in {files.part}"
    say(f"{plural(len(failures), 'account')} failed, and no file was made; {safe}. To retry the failed ones:")
    say(f"  {files.resume_command}")
    say("To make the file without them, add --partial.")
    return Exit.INCOMPLETE


def _end_stream(result: ExportResult, *, partial: bool) -> int:
    """Print a summary of an export to standard output."""
    state, failures = result.state, result.failures
    _say_failures(failures)
    if failures and len(failures) == len(state.job.accounts) and not state.rows:
        return _code_of_all(failures)
    _say_summary("standard output", result)
    return Exit.INCOMPLETE if failures and not partial else Exit.OK


def _say_summary(where: str, result: ExportResult) -> None:
    state = result.state
    of = f" of {plural(len(state.job.accounts) - len(result.failures), 'account')}"
    say(f"{where}: {plural(state.rows, 'meeting')}{of}, {plural(state.calls, 'call')}")


def _code_of_all(failures: Mapping[str, PyasError]) -> int:
    codes = set(map(code_of, failures.values()))
    return codes.pop() if len(codes) == 1 else Exit.INCOMPLETE


def _say_failures(failures: Mapping[str, PyasError]) -> None:
    """Print the errors of listings, each message once: if the service is down, all accounts have the same."""
    by_message: dict[str, list[str]] = {}
    for account_id, error in failures.items():
        # The line begins with the account, so the message need not end with it.
        text = text_of(error)[0].removesuffix(f" (account {json.dumps(account_id, ensure_ascii=False)})")
        by_message.setdefault(text, []).append(account_id)
    for text, (first, *others) in by_message.items():
        more = f" and {plural(len(others), 'more account')}" if others else ""
        say_error(f"{first}{more}: {text}")
