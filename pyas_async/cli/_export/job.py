"""The settings of an export: everything that is needed to continue it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal, get_args

import attrs

from pyas_async.cli._errors import CommandError

Format = Literal["jsonl", "csv", "parquet", "ical", "duckdb"]
_SUFFIXES: Final[dict[str, Format]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".ics": "ical",
    ".duckdb": "duckdb",
}


@attrs.frozen(kw_only=True)
class Job:
    """The settings of an export.

    Attributes:
        format: The format of the file.
        accounts: The accounts to list, each once.
        start: The filter's first day, as it was given; ``None`` without one.
        end: The filter's last day, likewise.
        type: Which meetings; ``None`` for the service's default.
        page_size: Rows to request for a page.
        plan: The plan whose limit is observed; ``None`` to follow the service's responses only.
        repair: Whether listings that changed while they were read are repeated for missing rows.
        begun: The time of the export's start, as text.
        safe_cells: Whether CSV is written for a spreadsheet program, which finds no formula in it.
    """

    format: Format
    accounts: tuple[str, ...]
    start: str | None
    end: str | None
    type: str | None
    page_size: int
    plan: str | None
    repair: bool
    begun: str
    safe_cells: bool = False

    @property
    def part_format(self) -> Format:
        """The format of the part: Parquet and iCalendar files are made from lines of JSON at the end."""
        return "jsonl" if self.format in ("parquet", "ical") else self.format

    def check_makes(self, form: Format) -> None:
        """Refuse to make a file from the part that would need rows which are not in it.

        Raises:
            CommandError: If the part is not that of this format, and not lines of JSON.
        """
        if form == self.format or (self.part_format == "jsonl" and form != "duckdb"):
            return
        hint = "From an export as jsonl, parquet or ical, each of these and csv can be made."
        raise CommandError(f"--format: the export was started as {self.format}, which cannot become {form}", hint=hint)

    def document(self) -> dict[str, Any]:
        """Return the job as a JSON object."""
        return attrs.asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Job":
        """Read what `document` wrote."""
        return cls(**{**document, "accounts": tuple(document["accounts"])})

    def check(self, asked: "Job", given: Iterable[str]) -> None:
        """Refuse to continue this job with other settings.

        Args:
            asked: The settings of the command line.
            given: The names of those that were given.

        Raises:
            CommandError: If one of them differs.
        """
        for name in given:
            mine, other = getattr(self, name), getattr(asked, name)
            if mine != other:
                option = f"--{name.replace('_', '-')}"
                begun = f"with {mine}" if isinstance(mine, (str, int)) and mine else "otherwise"
                raise CommandError(
                    f"{option}: the export was started {begun}, and can only continue like that",
                    hint="Leave the option out, or start over with --force.",
                )


def format_of(output: Path, given: Format | None) -> Format:
    """Return the format that was given, or else that of the file's suffix.

    Raises:
        CommandError: If the suffix is not known.
    """
    found = given or _SUFFIXES.get(output.suffix.lower())
    if found is None:
        raise CommandError(
            f"--output: the suffix of {output.name!r} does not name a format",
            hint=f"Give --format: {', '.join(get_args(Format))}.",
        )
    return found
