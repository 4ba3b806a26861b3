"""How fast it is, beside others: every goal as a ratio of things measured in one run.

::

    python benchmarks [--only SECTION ...] [--quick] [--rounds 9] [--json FILE] [--write]
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
from pathlib import Path
from typing import Any, Final

from suite import figures, generated, machine, page, plot
from suite.contest import service
from suite.sections import Plan

SECTIONS: Final = (
    "decoding",
    "paging",
    "profile",
    "burst",
    "accounts",
    "prefetch",
    "inside",
    "stretches",
    "start",
    "memory",
    "spent",
)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run sections, and print their tables as they end."""
    rounds = options.rounds or (3 if options.quick else 9)
    sections: dict[str, Any] = {}
    load = [os.getloadavg()[0]]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(generated.client())
        where, facts = stack.enter_context(service(folder))
        plan = Plan(where, facts, rounds, options.quick)
        for name in options.only:
            section = importlib.import_module(f"suite.sections.{name}")
            print(f"\n{section.TITLE}", flush=True)
            documents = [figure.document() for figure in section.run(plan)]
            print("", *figures.lines(documents), sep="\n", flush=True)
            sections[name] = {"title": section.TITLE, "figures": documents}
    load.append(os.getloadavg()[0])
    about = machine.describe() | {"load": load, "sizes": facts}
    return {"machine": about, "sections": sections}


def main() -> None:
    """Measure, print, and write the requested files."""
    parser = argparse.ArgumentParser(prog="python benchmarks", description="How fast it is, beside others.")
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, default=SECTIONS, metavar="SECTION", help="some of these: %(choices)s"
    )
    parser.add_argument("--quick", action="store_true", help="a first look: less of everything")
    parser.add_argument("--rounds", type=int, help="rounds of each comparison; 15 at least where the goal is close")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--write", action="store_true", help="write them into the docs: all sections, not --quick")
    options = parser.parse_args()
    if options.write and (options.quick or set(options.only) != set(SECTIONS)):
        parser.error("--write is for a whole run: the docs show the figures of one")
    report = measure(options)
    files = [options.json] if options.json else []
    if options.write:
        files.append(page.FILE)
        plot.draw(report, page.PICTURE)
        page.PAGE.write_text(page.replace(page.PAGE.read_text(encoding="utf-8"), report), encoding="utf-8")
    for file in files:
        file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
