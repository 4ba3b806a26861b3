"""The performance page of the docs, whose figures are written by a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from suite.figures import rows

ROOT: Final = Path(__file__).resolve().parent.parent.parent
FILE: Final = ROOT / "benchmarks" / "figures.json"
"""The figures of the run that the page shows."""
PAGE: Final = ROOT / "docs" / "performance.md"
PICTURE: Final = ROOT / "docs" / "performance.png"
BEGIN: Final = "<!-- Written by a run of the benchmarks: `python3 noxfile.py -s bench -- --write`. -->\n"
END: Final = "<!-- The end of what a run writes. -->\n"


def render(report: dict[str, Any]) -> str:
    """Return the part between the two marks."""
    return "\n".join([_machine(report["machine"]), _missed(report), *map(_section, report["sections"].values())])


def replace(text: str, report: dict[str, Any]) -> str:
    """Replace the figures on the page by a report's."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        message = f"{PAGE} has lost the marks between which figures are written"
        raise ValueError(message)
    return f"{before}{BEGIN}\n{render(report)}\n{END}{after}"


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    pinned = "server and client on cores of their own" if machine["pinned"] else "nothing pinned to a core"
    return (
        f"Measured on {machine['date']} with {machine['python']}, {machine['system']}, {machine['cores']} cores, "
        f"{pinned}; load {machine['load'][0]:.1f} before, {machine['load'][1]:.1f} after.\n"
        f"Versions: {versions}.\n"
    )


def _missed(report: dict[str, Any]) -> str:
    judged = [
        (section["title"], row)
        for section in report["sections"].values()
        for figure, row in zip(section["figures"], rows(section["figures"]), strict=True)
        if figure["reached"] is not None
    ]
    missed = [
        f"- {title}: {row[0]}: {row[1]}, where {row[3]} was wanted.\n" for title, row in judged if row[4] == "missed"
    ]
    head = f"Of {len(judged)} goals, this run reached {len(judged) - len(missed)}."
    return f"{head} It missed:\n\n{''.join(missed)}" if missed else f"{head}\n"


def _section(section: dict[str, Any]) -> str:
    table = ["| | median | least to most | goal | |", "|---|--:|--:|--:|---|"]
    table += [f"| {' | '.join(row)} |" for row in rows(section["figures"])]
    rounds = {figure["rounds"] for figure in section["figures"]} - {1}
    of = f" ({' or '.join(map(str, sorted(rounds)))} rounds)" if rounds else ""
    return f"### {section['title']}{of}\n\n" + "\n".join(table) + "\n"
