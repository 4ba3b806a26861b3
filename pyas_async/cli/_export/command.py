"""The command ``pyas meetings export``."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import anyio
import attrs
from cyclopts import Parameter

from pyas_async import ListType, PyasError
from pyas_async.cli._export.files import Files, Place
from pyas_async.cli._export.job import Format, Job, format_of
from pyas_async.cli._export.progress import now
from pyas_async.cli._export.run import Ended, export
from pyas_async.cli._export.shapes import check_extra, finish
from pyas_async.cli._export.stream import STDOUT, export_to_stdout, stream_format
from pyas_async.cli._failing import CommandError, Exit, code_of, text_of
from pyas_async.cli._options import COMMON, Common, Day, Flag, PlanName, read_text
from pyas_async.cli._output import many, say, say_error, write_json
from pyas_async.cli._running import perform

EXAMPLES: Final = """\
Examples:
  pyas meetings export -o meetings.jsonl
  pyas meetings export -o 2026.csv --accounts-from ids.txt --start 2026-01-01
  pyas meetings export -o meetings.parquet --accounts-from ids.txt --plan growth
  pyas meetings export -o meetings.parquet --resume
  pyas meetings export -o - | jq .topic
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
    at_once: int = 16,
    checkpoint_every: Annotated[float, Parameter(metavar="SECONDS")] = 1.0,
    common: Common = COMMON,
) -> int:
    """Write the meetings of many accounts into a file, each exactly once.

    The file appears when it is whole. Until then, rows are in FILE.part, and FILE.checkpoint says how far it has come:
    whatever ends the command, --resume goes on there, without the other options.

    Args:
        output: The file; its suffix tells the format: .jsonl, .csv, .parquet, .ics or .duckdb.
            - is stdout, for JSON lines or CSV, which is written as rows come, and cannot be resumed.
        account: Whose meetings; may be repeated. Else PYAS_ACCOUNT_ID.
        accounts_from: A file of account ids, one a line; - is stdin.
        format: The format, if the file's name does not tell it.
        start: From this day on: YYYY-MM-DD. Anything else goes to the service as it is.
        end: Up to this day; likewise.
        type: Which meetings; the service's default is scheduled.
        page_size: Rows a page that are asked for; 300 unless given.
        plan: Keep to the limit of this plan, rather than go by the service's answers alone.
        repair: Walk listings again that changed under way, for what was missed.
        resume: Go on with an export that did not come to its end; begin if there is none.
        force: Begin anew, and replace the file if it is there.
        partial: Make the file even if some accounts failed.
        at_once: Accounts under way at a time.
        checkpoint_every: Seconds between two checkpoints at least; 0 for one after every row.
        common: What every command has.
    """

    def work() -> int:
        to_stdout = output == STDOUT
        if to_stdout and (resume or force or common.json):
            option = "resume" if resume else "force" if force else "json"
            raise CommandError(f"--{option}: of use for a file alone, and --output - is standard output")
        files = Files(output)
        if not to_stdout:
            files.check()
        if not checkpoint_every >= 0:  # not a number is not, either
            raise CommandError(f"--checkpoint-every: expected 0 or more seconds, got {checkpoint_every}")
        accounts = _ids(account, accounts_from)
        given = {"accounts": accounts, "start": start, "end": end, "type": type, "page_size": page_size}
        given |= {"format": format, "repair": repair or None}
        begun = files.place() if resume else None
        if begun is not None:
            form = format or begun.job.format
        else:
            form = stream_format(format) if to_stdout else format_of(output, format)
        asked = Job(
            format=form,
            accounts=accounts or _own(),
            start=start,
            end=end,
            type=None if type is None else type.value,
            page_size=300 if page_size is None else page_size,
            plan=plan,
            repair=repair,
            begun=now(),
        )
        if to_stdout:
            _need_accounts(asked)
            return _end_stream(export_to_stdout(asked, at_once=at_once), partial=partial)
        named = [name for name, value in given.items() if value]
        place = _begin(files, asked, named, resume=resume, force=force)
        if place is None:
            say(f"{output} is there, and nothing is left to resume; --force makes it anew.")
            return Exit.OK
        check_extra(place.job.format)
        with files.claim(), _telling_how_to_go_on(files):
            if place.listings is not None and files.place() != place:
                raise CommandError(f"{output}: another process has gone on with it just now")
            if plan is not None:  # which may be another one by now
                place = attrs.evolve(place, job=attrs.evolve(place.job, plan=plan))
            ended = Ended(place, {}) if place.whole else _run(files, place, at_once=at_once, every=checkpoint_every)
            return _end(files, ended, partial=partial, common=common)

    return perform(work, common)


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
        # The listings would take it for a failure, and the export would never be whole.
        if not one.strip() or not one.isprintable():
            raise CommandError(f"--account: expected the id of a connected account, got {one!r}")
    return tuple(dict.fromkeys(ids))


def _own() -> tuple[str, ...]:
    own = os.environ.get("PYAS_ACCOUNT_ID", "").strip()
    return (own,) if own else ()


def _begin(files: Files, asked: Job, given: list[str], *, resume: bool, force: bool) -> Place | None:
    """Find where to begin; ``None`` if there is nothing to do."""
    if resume and force:
        raise CommandError("--resume goes on, and --force begins anew: which?")
    place = None if force else files.place()
    if place is not None and place.whole and not files.part.exists():
        # It was struck after the output was made, and before the checkpoint was gone.
        files.forget()
        place = None
    if place is not None and resume:
        place.job.check(asked, given)
        return place
    if place is not None and (rows := _rows(files, place)):
        raise CommandError(
            f"{files.output}: an export to it did not come to its end ({many(rows, 'row')} so far)",
            hint="--resume goes on with it, --force begins anew.",
        )
    if files.output.exists() and not force:
        if resume:
            return None
        raise CommandError(f"{files.output}: it is there already", hint="--force replaces it.")
    _need_accounts(asked)
    return Place(job=asked)


def _need_accounts(asked: Job) -> None:
    if not asked.accounts:
        hint = "Give --account or --accounts-from, or set PYAS_ACCOUNT_ID."
        raise CommandError("whose meetings? There is no account id", hint=hint)


def _rows(files: Files, place: Place) -> int:
    """Count the rows that are safe."""
    if place.rows or place.job.format != "duckdb":
        return place.rows
    # A process that was killed could not say how much is in its database.
    check_extra("duckdb")
    from pyas_async.cli._export.warehouse import counts  # noqa: PLC0415  (it imports an extra)

    return counts(files)[0]


def _run(files: Files, place: Place, *, at_once: int, every: float) -> Ended:
    if place.job.format == "duckdb":
        from pyas_async.cli._export.warehouse import export_to_database  # noqa: PLC0415  (it imports an extra)

        return export_to_database(files, place, at_once=at_once, every=every)

    async def run() -> Ended:
        return await export(files, place, at_once=at_once, every=every)

    return anyio.run(run)


@contextmanager
def _telling_how_to_go_on(files: Files) -> Iterator[None]:
    """Say with whatever ends the export what is safe, and how to go on; where nothing is, leave nothing behind."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            error.add_note("interrupted")
        place = files.place()
        if place is None or not place.rows:
            files.forget()
        else:
            error.add_note(f"{many(place.rows, 'row')} are safe in {files.part}. To go on:")
            error.add_note(f"  {_resume_command(files)}")
        raise


def _resume_command(files: Files) -> str:
    return shlex.join(["pyas", "meetings", "export", "--output", str(files.output), "--resume"])


def _end(files: Files, ended: Ended, *, partial: bool, common: Common) -> int:
    """Make the file, unless accounts failed, and tell what was done."""
    place, failures = ended.place, ended.failures
    _tell_failures(failures)
    in_vain = len(failures) == len(place.job.accounts) and not place.rows
    made = not failures or (partial and not in_vain)
    if made:
        if not place.whole:
            files.save(attrs.evolve(place, whole=True))
        if note := finish(files, place.job):
            say(note)
    summary: dict[str, Any] = {
        "file": str(files.output) if made else None,
        "format": place.job.format,
        "rows": place.rows,
        "accounts": len(place.job.accounts),
        "failed": {account_id: text_of(error)[0] for account_id, error in failures.items()},
        "calls": place.calls,
        "seconds": place.seconds,
    }
    if common.json:
        write_json(summary)
    elif made:
        _tell_sum(str(files.output), ended)
    if made:
        return Exit.OK
    if in_vain:
        # There is nothing to go on from: the same command again is as good.
        files.forget()
        return _code_of_all(failures)
    safe = f"{many(place.rows, 'row')} are safe in {files.part}"
    say(f"{many(len(failures), 'account')} failed, and no file was made; {safe}. To try again what failed:")
    say(f"  {_resume_command(files)}")
    say("Or make the file without them: the same with --partial.")
    return Exit.INCOMPLETE


def _end_stream(ended: Ended, *, partial: bool) -> int:
    """Tell what went to standard output."""
    place, failures = ended.place, ended.failures
    _tell_failures(failures)
    if failures and len(failures) == len(place.job.accounts) and not place.rows:
        return _code_of_all(failures)
    _tell_sum("standard output", ended)
    return Exit.INCOMPLETE if failures and not partial else Exit.OK


def _tell_sum(where: str, ended: Ended) -> None:
    place = ended.place
    of = f" of {many(len(place.job.accounts) - len(ended.failures), 'account')}"
    say(f"{where}: {many(place.rows, 'meeting')}{of}, {many(place.calls, 'call')}")


def _code_of_all(failures: Mapping[str, PyasError]) -> int:
    codes = set(map(code_of, failures.values()))
    return codes.pop() if len(codes) == 1 else Exit.INCOMPLETE


def _tell_failures(failures: Mapping[str, PyasError]) -> None:
    """Tell what ended listings, each reason once: of a service that is gone, every account would say the same."""
    told: dict[str, list[str]] = {}
    for account_id, error in failures.items():
        told.setdefault(text_of(error)[0], []).append(account_id)
    for text, (first, *others) in told.items():
        more = f" and {many(len(others), 'more account')}" if others else ""
        say_error(f"{first}{more}: {text}")
