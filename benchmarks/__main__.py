"""How fast it is, beside others: every goal as a ratio of things measured in one run.

::

    python benchmarks [--only SECTION ...] [--quick] [--rounds 9] [--json FILE]
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Final

from suite import figures, machine
from suite.contest import service
from suite.sections import Plan

SECTIONS: Final = ("paging", "burst")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python benchmarks", description="How fast it is, beside others.")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, metavar="SECTION")
    parser.add_argument("--quick", action="store_true", help="a first look: less of everything")
    parser.add_argument("--rounds", type=int, help="rounds of each comparison")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    rounds = options.rounds or (3 if options.quick else 9)
    report = {"machine": machine.describe(), "sections": {}}
    with service() as (where, facts):
        plan = Plan(where, facts, rounds, options.quick)
        for name in options.only:
            section = importlib.import_module(f"suite.sections.{name}")
            print(f"\n{section.TITLE}", flush=True)
            documents = [figure.document() for figure in section.run(plan)]
            print("", *figures.lines(documents), sep="\n", flush=True)
            report["sections"][name] = {"title": section.TITLE, "figures": documents}
    if options.json:
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
