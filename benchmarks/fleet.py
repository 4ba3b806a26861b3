"""The value of several processes and several keys: the table of docs/when-one-machine-is-not-enough.md.

    python benchmarks/fleet.py [--quick]

It uses virtual time and the real client, as benchmarks/budget.py does. It takes some minutes, and always prints the
same.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from simulation.several import HEAD, LARGE, SMALL


def main() -> None:
    """Simulate, and print the rows as they come."""
    parser = argparse.ArgumentParser(description="What several processes and several keys are worth.")
    parser.add_argument("--quick", action="store_true", help="the small ones, in some seconds")
    options = parser.parse_args()
    print(HEAD)
    for case in SMALL if options.quick else (*SMALL, *LARGE):
        print(case.row(), flush=True)


if __name__ == "__main__":
    main()
