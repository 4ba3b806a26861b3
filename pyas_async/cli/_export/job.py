"""What is exported: everything that an export needs in order to be gone on with."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal, get_args

import attrs

from pyas_async.cli._failing import CommandError

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
    """What is exported, and how.

    Attributes:
        format: What the file will be.
        accounts: Whose meetings, each account once.
        start: The filter's first day, as it was given; ``None`` without one.
        end: Its last day, likewise.
        type: Which meetings; ``None`` for the service's default.
        page_size: Rows a page that are asked for.
        plan: The plan whose limit is kept; ``None`` to go by the service's answers.
        repair: Whether listings that changed under way are walked again for what was missed.
        begun: When the export was begun, as text.
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

    def document(self) -> dict[str, Any]:
        """Write the job as a JSON object."""
        return attrs.asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Job":
        """Read what `document` wrote."""
        return cls(**{**document, "accounts": tuple(document["accounts"])})

    def check(self, asked: "Job", given: Iterable[str]) -> None:
        """Refuse to go on with this job where something else was asked for.

        Args:
            asked: What the options say.
            given: The fields among them that were given at all.

        Raises:
            CommandError: If they differ.
        """
        for name in given:
            mine, other = getattr(self, name), getattr(asked, name)
            if mine != other:
                option = f"--{name.replace('_', '-')}"
                begun = f"with {mine}" if isinstance(mine, (str, int)) and mine else "otherwise"
                raise CommandError(
                    f"{option}: the export was begun {begun}, and goes on like that alone",
                    hint="Leave the option out, or begin anew with --force.",
                )


def format_of(output: Path, given: Format | None) -> Format:
    """Tell the format by the file's name, unless it was given.

    Raises:
        CommandError: If the name says nothing.
    """
    found = given or _SUFFIXES.get(output.suffix.lower())
    if found is None:
        raise CommandError(
            f"--output: {output.name!r} does not say in which format",
            hint=f"Give --format: {', '.join(get_args(Format))}.",
        )
    return found
