"""The figures of several processes and several keys, for docs/when-one-machine-is-not-enough.md.

Keys do not affect each other, so several keys are separate runs of one key each. The end is that of the last run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from pyas_async.plans import PLANS as SOLD
from pyas_async.plans import estimate
from pyas_async.plans._table import duration
from simulation.run import run
from simulation.world import PLANS, World

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD: Final = (
    "| accounts, keys | processes | calls ÷ minimum | 429s | end | calculator's end |\n|---|---|--:|--:|--:|--:|"
)


@attrs.frozen
class Case:
    """Accounts of one page each, divided among keys, and the contender that spends each key."""

    accounts: int
    plan: str
    keys: int
    contender: str
    about: str

    def row(self) -> str:
        """Simulate it, and return its row of the table."""
        part = -(-self.accounts // self.keys)
        sizes = [min(part, self.accounts - first) for first in range(0, self.accounts, part)]
        plan = PLANS[self.plan]
        runs = [
            run(World(plan=plan, accounts=size, interactive=0.0, short=(1, 1), long=1, seed=seed), self.contender)
            for seed, size in enumerate(sizes, 1)
        ]
        assert [{}] * len(runs) == [figures.failures for figures in runs]
        assert sizes == [figures.done for figures in runs]
        spent = sum(figures.pages + figures.refused for figures in runs) / self.accounts
        end = duration(max(figures.seconds for figures in runs))
        said = duration(estimate(SOLD[self.plan], accounts=part, pages=1).seconds)
        keys = f"{self.keys} {self.plan.capitalize()} key" + "s" * (self.keys > 1)
        refused = sum(figures.refused for figures in runs)
        return f"| {self.accounts:,}, {keys} | {self.about} | {spent:.2f} | {refused:,} | {end} | {said} |"


def cases(accounts: int, plan: str) -> Iterator[Case]:
    """Return the cases: first one key and one or several processes, then several keys."""
    yield Case(accounts, plan, 1, "pairs", "one")
    yield Case(accounts, plan, 1, "apart", "four, each with the whole limit")
    yield Case(accounts, plan, 1, "shares", "four, each with a share of a quarter")
    yield Case(accounts, plan, 1, "uneven-shares", "the same, but one has 70 % of the accounts")
    yield Case(accounts, plan, 1, "stored", "four with a store")
    yield Case(accounts, plan, 1, "uneven-stored", "the same, but one has 70 % of the accounts")
    yield Case(accounts, plan, 4, "pairs", "one for each key, or one for all keys")


SMALL: Final = tuple(cases(450, "developer"))
LARGE: Final = (
    *tuple(cases(10_000, "growth"))[:-1],
    Case(100_000, "growth", 10, "pairs", "one for each key, or one for all keys"),
)
