"""The value of the call budget: many listings at once, with the client and by hand, in virtual time.

    python benchmarks/budget.py [--full] [--rounds 1] [--json FILE] [--plot FILE.png]

A model of the service counts the calls of a key, in fixed windows or over the last 300 s, and lets page tokens expire
after 900 s. All listings start at once: of 1 to 5 pages each, and one of 300. Single calls arrive meanwhile, for 5 % of
the plan. At least the pages must be requested. The earliest possible end is explained at `World.bound`, in
`tests/simulation/world.py`. A run is stopped at 5 times as many calls, or as much time.

Nothing waits in real time. The tests hold a small world of the same model to the same goals (`tests/simulation`).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import itertools
import json
import operator
import platform
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

import attrs

from simulation.run import CAP, CONTENDERS, Figures, run
from simulation.world import PLANS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUICK: Final = (10, 50, 400)
FULL: Final = (*QUICK, 1_000, 10_000)
WINDOWS: Final = ("fixed", "sliding")
COMPARED: Final = ("ours", "semaphore", "queue")
# The goals for our client, as upper bounds.
GOALS: Final[dict[str, tuple[Callable[[Figures], float], float]]] = {
    "accounts not listed": (lambda figures: figures.accounts - figures.done, 0),
    "calls over the least": (lambda figures: figures.spent, 1.0),
    "refused (429)": (lambda figures: figures.refused, 0),
    "expired tokens": (lambda figures: figures.expired, 0),
    "end over the bound": (lambda figures: figures.makespan, 1.05),
    "errors": (lambda figures: len(figures.failures), 0),
}
COLOURS: Final = {"ours": "#1b7837", "semaphore": "#d95f02", "queue": "#7570b3", "workers": "#666666"}


@attrs.frozen
class Row:
    """The runs of a contender in worlds that differ only in their seeds; each figure is the worst of them."""

    world: World
    who: str
    runs: list[Figures]

    def worst(self, figure: Callable[[Figures], float]) -> float:
        """Return the worst value of a figure."""
        return max(map(figure, self.runs))

    @property
    def ended(self) -> bool:
        """Whether every run completed."""
        return all(figures.ended for figures in self.runs)

    @property
    def title(self) -> str:
        """The description of the world."""
        world = self.world
        return f"{world.accounts:>8,}  {world.plan.name:9}  {world.window:7}"

    def __str__(self) -> str:
        monthly, wait = self.world.plan.monthly, self.worst(lambda figures: figures.wait(0.99) or 0.0)
        month = "" if monthly is None else f"{self.worst(lambda figures: figures.calls) / monthly:,.0%}"
        end = f"{self.worst(lambda figures: figures.makespan):.3f}" if self.ended else "-"
        counts = (operator.attrgetter(name) for name in ("refused", "expired", "restarts"))
        refused, expired, restarts = (f"{self.worst(count):,.0f}" for count in counts)
        real = f"{self.worst(lambda figures: figures.real):.1f} s"
        done = min(figures.done for figures in self.runs)
        remark = "" if self.ended else f"  did not end: {done:,} of {self.world.accounts:,} accounts done"
        remark += "  errors, see below" if any(figures.failures for figures in self.runs) else ""
        spent = f"{self.worst(lambda figures: figures.spent):.2f}"
        return (
            f"{self.who:9} {spent:>6} {refused:>8} {expired:>8} {restarts:>9} {end:>7} {wait:>8.1f} s {month:>7} "
            f"{real:>9}{remark}"
        )

    def missed(self) -> list[str]:
        """Return the missed goals, with the figures."""
        found = {name: (self.worst(figure), goal) for name, (figure, goal) in GOALS.items()}
        return [f"{name} {value:,.4g}" for name, (value, goal) in found.items() if value > goal]


HEAD: Final = (
    f"{'accounts':>8}  {'plan':9}  {'window':7}  {'who':9} {'calls':>6} {'refused':>8} {'expired':>8} {'restarts':>9} "
    f"{'end':>7} {'wait p99':>10} {'month':>7} {'real':>9}"
)
LEGEND: Final = """
calls     calls for pages, over the least possible (wanted: 1.00)
refused   answers 429 (wanted: 0); they are not among the calls
expired   calls with a page token that had expired (wanted: 0)
restarts  listings begun again
end       when the last listing ended, over the bound (wanted: <= 1.05); fixed windows let one below 1, see World.bound
wait p99  how much longer single calls took than the call itself: 99 of 100 at most so
month     all calls, over those of the plan's month
real      time that the simulation took
"""


def measure(options: argparse.Namespace) -> list[Row]:
    """Run every contender in every world, and print the rows as they come."""
    sizes = options.accounts or (FULL if options.full else QUICK)
    axes = (sizes, options.plans, options.windows, options.who)
    cells = [
        (
            World(
                accounts=accounts,
                plan=PLANS[plan],
                window=window,
                headers=options.headers == "always",
                interactive=options.interactive,
            ),
            who,
        )
        for accounts, plan, window, who in itertools.product(*axes)
    ]
    seeds = range(options.seed, options.seed + options.rounds)
    runs = [(attrs.evolve(world, seed=seed), who) for world, who in cells for seed in seeds]
    rows: list[Row] = []
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        results = pool.map(functools.partial(run, cap=options.cap), *zip(*runs, strict=True))
        for world, who in cells:
            row = Row(world, who, [next(results) for _ in seeds])
            known = rows and rows[-1].world == world
            print(" " * len(row.title) if known else row.title, row, sep="  ", flush=True)
            rows.append(row)
    return rows


def conclude(rows: Sequence[Row]) -> None:
    """Print the missed goals, and the errors."""
    missed = [f"  {row.title.strip()}: {', '.join(row.missed())}" for row in rows if row.who == "ours" and row.missed()]
    if missed:
        print("\nOurs missed a goal:", *missed, sep="\n")
    elif any(row.who == "ours" for row in rows):
        print("\nOurs reached every goal.")
    for row in rows:
        for figures in row.runs:
            if figures.failures:
                kinds = Counter(figures.failures.values()).most_common(5)
                print(f"\n{row.who}, {row.title.strip()}: {len(figures.failures):,} errors, the most frequent:")
                print(*(f"  {count:,} times {text}" for text, count in kinds), sep="\n")
                print(f"  the first, at {next(iter(figures.failures))}:\n{figures.trace}")


def report(row: Row) -> dict[str, Any]:
    """Return a row's figures for the file."""
    world = row.world
    runs = [
        attrs.asdict(figures, filter=attrs.filters.exclude("waits", "trace"))
        | {"wait": {str(part): figures.wait(part) for part in (0.5, 0.9, 0.99, 1.0)}, "ended": figures.ended}
        for figures in row.runs
    ]
    return attrs.asdict(world, filter=attrs.filters.exclude("seed")) | {"who": row.who, "runs": runs}


def plot(rows: Sequence[Row], cap: float, file: Path) -> None:
    """Draw calls and end over the number of accounts, by plan; the worse of the two kinds of windows."""
    from matplotlib.figure import Figure

    plans = list(dict.fromkeys(row.world.plan.name for row in rows))
    sizes = sorted({row.world.accounts for row in rows})
    drawing = Figure(figsize=(4 * len(plans), 6.4), layout="constrained")
    axes = drawing.subplots(2, len(plans), sharex=True, sharey="row", squeeze=False)
    measures = ("calls over the least", "end over the bound")
    for (line, title), (column, plan) in itertools.product(enumerate(measures), enumerate(plans)):
        ax, figure = axes[line][column], GOALS[title][0]
        for who in dict.fromkeys(row.who for row in rows):
            points, cut = [], []
            for size in sizes:
                found = [row for row in rows if (row.who, row.world.plan.name, row.world.accounts) == (who, plan, size)]
                if found:
                    ended = all(row.ended for row in found)
                    points.append((size, max(row.worst(figure) for row in found) if ended else cap))
                    cut += [] if ended else [points[-1]]
            wide = {"linewidth": 2.5, "zorder": 3} if who == "ours" else {"linewidth": 1.5}
            ax.plot(*zip(*points, strict=True), marker="o", color=COLOURS[who], label=CONTENDERS[who].about, **wide)
            if cut:
                ax.plot(*zip(*cut, strict=True), "x", color=COLOURS[who], markersize=14, markeredgewidth=2, zorder=4)
        ax.axhline(1.0, color="black", linewidth=0.8, linestyle=":")
        ax.set_xscale("log")
        ax.grid(visible=True, alpha=0.3)
        ax.set_ylim(0.5, cap + 0.5)
        if line == 0:
            world = next(row.world for row in rows if row.world.plan.name == plan)
            ax.set_title(f"{plan}: {world.plan.limit:,} calls in {world.plan.window:.0f} s")
        else:
            ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
            ax.set_xlabel("accounts, listed all at once")
        if column == 0:
            ax.set_ylabel(title)
    handles, labels = axes[0][0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=2)
    drawing.suptitle(f"Many listings on one key (a cross: cut off at {cap:g} times the bound, with listings left)")
    drawing.savefig(file, dpi=110)


def words(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Return a parser of known words, separated by commas."""

    def read(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(known)}")
        return chosen

    return read


def numbers(text: str) -> list[int]:
    """Parse whole numbers, separated by commas."""
    return [int(word) for word in text.split(",")]


def main() -> None:
    """Simulate, and print the table."""
    parser = argparse.ArgumentParser(description="What the call budget is worth.")
    parser.add_argument("--full", action="store_true", help=f"all sizes: {', '.join(map(str, FULL))}")
    parser.add_argument("--accounts", type=numbers, help="these sizes, as in 10,400")
    parser.add_argument("--plans", type=words(list(PLANS)), default=list(PLANS), help=", ".join(PLANS))
    parser.add_argument("--windows", type=words(WINDOWS), default=WINDOWS, help=", ".join(WINDOWS))
    parser.add_argument("--who", type=words(list(CONTENDERS)), default=COMPARED, help=", ".join(CONTENDERS))
    parser.add_argument("--headers", choices=["always", "refusals"], default="always", help="which answers tell counts")
    parser.add_argument("--interactive", type=float, default=0.05, help="the part of the plan for single calls")
    parser.add_argument("--rounds", type=int, default=1, help="worlds of each kind; the worst figures are shown")
    parser.add_argument("--seed", type=int, default=1, help="of the first of them")
    parser.add_argument("--cap", type=float, default=CAP, help="times the bound after which a run is cut off")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--plot", type=Path, help="draw them into this file (with matplotlib)")
    options = parser.parse_args()
    began = time.perf_counter()
    where = f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}"
    for who in options.who:
        print(f"{who:9} {CONTENDERS[who].about}")
    print(LEGEND, HEAD, sep="\n")
    rows = measure(options)
    conclude(rows)
    elapsed = time.perf_counter() - began
    ours = [figures for row in rows if row.who == "ours" for figures in row.runs]
    calls = sum(figures.calls for figures in ours)
    each = f"; 10,000 calls of ours take {sum(f.cpu for f in ours) / calls * 10_000:.1f} s of the CPU" if calls else ""
    print(f"\n{elapsed:.0f} s of real time, {where}{each}")
    if options.json:
        figures = {"where": where, "elapsed": elapsed, "cap": options.cap, "rows": [report(row) for row in rows]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if options.plot:
        plot(rows, options.cap, options.plot)


if __name__ == "__main__":
    main()
