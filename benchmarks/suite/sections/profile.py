"""The parts of a page's time, in the loop by hand and in ours: the reasons for missed goals, and possible gains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.contest import contest
from suite.figures import Figure
from suite.peers import PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suite.sections import Plan

TITLE: Final = "Where the time of a page of 300 rows goes: CPU"
NAMES: Final = (
    "byhand.base",
    "others.transport",
    "others.connection",
    "decoding.structs",
    "ours.rows",
    "ours.pages",
    "ours.unsent",
    "decoding.native",
    "decoding.ours",
    "inside.digests",
)


def run(plan: Plan) -> list[Figure]:
    """Measure the whole and the separable parts; the rest is a difference, round by round."""
    turns = contest(NAMES, plan.where, warm=1, size=10 if plan.quick else 40, rounds=plan.close())
    base, transport, connection, structs, rows, pages, unsent, native, ours, digests = (
        [turn.each * PAGE / 1e3 for turn in turns[name]] for name in NAMES
    )
    wire = _less(transport, structs)
    parts = {
        "base": ("BASE, the whole", base),
        "wire": ("BASE: httpx's transport, which is httpcore, h11 and anyio", wire),
        "client": ("BASE: httpx's client above it", _less(base, transport)),
        "structs": ("BASE: decoding, into msgspec's Structs", structs),
        "ours": ("ours, the whole of iter_all", rows),
        "native": ("ours: decoding, into attrs classes", native),
        "kept": ("ours: telling each row where its unknown fields are", _less(ours, native)),
        "digests": ("ours: what each row is remembered by", digests),
        "rest": ("ours: request, budget, deadline, retries, paging", _less(unsent, ours, digests)),
        "connection": ("ours: httpx's transport over a connection of ours", _less(connection, structs)),
        "sent": ("ours: the same in a walk", _less(pages, unsent)),
        "handing": ("ours: rows yielded one by one, not by the page", _less(rows, pages)),
    }
    return [Figure(f"profile.{name}", what, "µs", values) for name, (what, values) in parts.items()]


def _less(whole: Sequence[float], *parts: Sequence[float]) -> list[float]:
    return [first - sum(others) for first, *others in zip(whole, *parts, strict=True)]
