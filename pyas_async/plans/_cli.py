"""The calculator as a command: arguments in, a table out."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

import attrs

from pyas_async.errors import InvalidArgumentError
from pyas_async.limits import CONNECTIONS
from pyas_async.plans._estimate import Estimate, estimate
from pyas_async.plans._plan import PLANS
from pyas_async.plans._table import table

PROG: Final = "python -m pyas_async.plans"


def main(arguments: Sequence[str] | None = None, *, prog: str = PROG) -> int:
    """Run the calculator as a command; return its exit code. Bad arguments exit with 2.

    Args:
        arguments: What follows the command's name; without them, those of the process.
        prog: What the command is called in its help.
    """
    parser = _parser(prog)
    options = vars(parser.parse_args(arguments))
    name, as_json = options.pop("plan"), options.pop("json")
    plans = PLANS.values() if name is None else [PLANS[name]]
    try:
        estimates = [estimate(plan, **options) for plan in plans]
    except InvalidArgumentError as error:
        option = "--" + error.field.replace("_", "-")
        parser.error(f"argument {option}: expected {error.expected}, got {error.got}")
    lines = [json.dumps(_document(one)) for one in estimates] if as_json else [table(estimates)]
    sys.stdout.writelines(line + "\n" for line in lines)
    return 0


def _document(found: Estimate) -> dict[str, Any]:
    """Write an estimate as a JSON object: its fields, the plan by its name, and whether it fits."""
    return {**attrs.asdict(found, recurse=False), "plan": found.plan.name, "fits": found.fits}


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Tell what listing many accounts takes on each plan: calls, time until the last answer, windows' "
        "worth of calls, runs a day that are possible, calls a month, and whether that fits. Makes no call.",
    )
    add = parser.add_argument
    add("--accounts", type=_number, required=True, metavar="N", help="accounts that are listed, all at once")
    add("--pages", type=_number, default=1, metavar="N", help="pages of each, of 300 rows; a mean will do (default: 1)")
    add("--longest", type=_number, metavar="N", help="pages of the longest of these listings, if one is longer")
    add("--details", type=_number, default=0, metavar="N", help="single calls in all: get, create, update, delete")
    add("--per-day", type=_number, metavar="N", help="runs a day; without it, one run in all")
    add("--plan", choices=list(PLANS), help="this plan alone")
    add("--latency", type=_number, default=0.3, metavar="SECONDS", help="how long an answer takes (default: 0.3)")
    add("--share", type=_number, default=1.0, metavar="PART", help="part of the plan that the job may spend")
    add("--interactive", type=_number, default=0.0, metavar="PART", help="part of the plan that other calls take")
    add("--connections", type=_number, default=CONNECTIONS, metavar="N", help="calls at once (default: %(default)s)")
    add("--json", action="store_true", help="write JSON, one object a line")
    return parser


def _number(text: str) -> int | float | str:
    """Read a number; what is none stays as it is, for `estimate` refuses it, and says what it expected."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
