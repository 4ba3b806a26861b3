"""The command that prints estimates: it reads arguments and writes a table or JSON."""

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
    """Run the command; return its exit code. Bad arguments exit with 2.

    Args:
        arguments: The command's arguments; default: those of the process.
        prog: The command's name in its help.
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
    """Return an estimate as a JSON object: its fields, with the plan's name for the plan, and whether it fits."""
    return {**attrs.asdict(found, recurse=False), "plan": found.plan.name, "fits": found.fits}


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Estimate what listing many accounts needs on each plan: calls, time until the last response, "
        "calls in windows' worth, possible runs a day, calls a month, and whether that fits. Makes no call.",
    )
    add = parser.add_argument
    add("--accounts", type=_number, required=True, metavar="N", help="accounts to list, all at once")
    add("--pages", type=_number, default=1, metavar="N", help="pages of each, of 300 rows; a mean will do (default: 1)")
    add("--longest", type=_number, metavar="N", help="pages of the longest of these listings, if one is longer")
    add("--details", type=_number, default=0, metavar="N", help="single calls in all: get, create, update, delete")
    add("--per-day", type=_number, metavar="N", help="runs a day; without it, one run in all")
    add("--plan", choices=list(PLANS), help="only this plan")
    add("--latency", type=_number, default=0.3, metavar="SECONDS", help="time until a response comes (default: 0.3)")
    add("--share", type=_number, default=1.0, metavar="PART", help="part of the plan that the job may spend")
    add("--interactive", type=_number, default=0.0, metavar="PART", help="part of the plan that other calls take")
    add("--connections", type=_number, default=CONNECTIONS, metavar="N", help="calls at once (default: %(default)s)")
    add("--json", action="store_true", help="write JSON, one object per line")
    return parser


def _number(text: str) -> int | float | str:
    """Read a number. Other text is returned unchanged: `estimate` refuses it and says what it expected."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
