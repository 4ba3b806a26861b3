"""Run the proofs at full length, one after another, and write their figures into `docs/proofs.md`.

`bash .ci/full` runs all of them, `bash .ci/full walk mutants` some. A failed proof does not end the run: the others
follow, and the exit code is 1. The page keeps the result of each proof's last run, and `.nox/proofs/` its output.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".nox" / "proofs"
PAGE = ROOT / "docs" / "proofs.md"


def passed(log: str) -> str:
    """Sum the passed, failed and skipped tests of pytest's summary lines."""
    counts = {
        kind: sum(int(count) for count in re.findall(rf"^=*.*?(\d+) {kind}\b.* in [\d.]+s", log, re.MULTILINE))
        for kind in ("passed", "failed", "skipped")
    }
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count) or "no tests"


def noted(log: str) -> str:
    """Return the figures that tests recorded (the fixture `figure`), and the numbers of tests."""
    return "; ".join([*re.findall(r"^figure: (.+)$", log, re.MULTILINE), passed(log)])


def last(pattern: str) -> Callable[[str], str]:
    """Return a function that finds the last match of a pattern."""

    def find(log: str) -> str:
        found = re.findall(pattern, log, re.MULTILINE)
        return str(found[-1]) if found else "no figure"

    return find


covered = last(r"^TOTAL.* (\S+%)$")


def silent(_log: str) -> str:
    """Return a fixed text for a proof without a figure."""
    return "no finding"


@dataclass(frozen=True)
class Proof:
    """A session of `noxfile.py`: its promise, its arguments, and the function that finds its figure in its output."""

    promise: str
    session: str
    arguments: tuple[str, ...] = ()
    figure: Callable[[str], str] = noted

    @property
    def command(self) -> str:
        """The command that runs it."""
        return " ".join(["python3 noxfile.py -s", self.session, *(["--", *self.arguments] if self.arguments else [])])


def supported() -> list[str]:
    """Return the Python versions that pyproject.toml names."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)


RUNNING = "{}.{}".format(*sys.version_info[:2])
PROOFS = {
    "quick": Proof("The quick tests reach at least 95 % of the client's branches", "quick", ("--cover",), covered),
    "coverage": Proof(
        "All tests and proofs of the suite pass on this Python, and reach at least 97 % of all branches",
        "coverage",
        ("--full",),
        lambda log: f"{covered(log)}; {noted(log)}",
    ),
    **{
        f"python-{version}": Proof(f"The suite passes on Python {version}", f"tests-{version}", figure=passed)
        for version in supported()
        if version != RUNNING
    },
    "lowest": Proof("The suite passes with the oldest versions of every dependency", "lowest", figure=passed),
    "highest": Proof("The suite passes with the newest versions, pre-releases included", "highest", figure=passed),
    "httpx2": Proof("The tests with sockets pass with an injected client of httpx2", "httpx2", ("--full",), passed),
    "agents": Proof("Agents that trace httpx see each request once, and no secret", "agents", figure=passed),
    "walk": Proof(
        "A listing repeats and loses no meeting, whatever the service, the network and the consumer do", "walk"
    ),
    "sync": Proof("A copy that applies the changes of rounds is the service's listing", "sync"),
    "cancel": Proof("A call can be cancelled at every await, and nothing is left behind", "cancel"),
    "fuzz": Proof(
        "No answer, header, checkpoint, argument or setting ends in another error than the documented ones", "fuzz"
    ),
    "mutants": Proof("A change of the core is noticed by a test", "mutants", figure=last(r"^(.* % noticed.*)$")),
    "simulation": Proof(
        "No call is wasted, and every listing ends, at any load of the budget", "simulation", ("--full",)
    ),
    "fleet": Proof("Processes that share a key through Redis never overspend it", "fleet", ("--full",)),
    "warehouse": Proof("A load into DuckDB that is killed stores each meeting once", "warehouse", ("--full",)),
    "durable": Proof("The durable recipe ends after kills, on SQLite and Postgres", "durable", ("--full",)),
    "durable-whole": Proof("The same with 100,000 accounts", "durable", ("--whole",)),
    "web": Proof("The example's page works in a browser", "web", figure=passed),
    "contract": Proof(
        "Sandbox and client keep to the OpenAPI document", "contract", figure=last(r"^(.*\d+ generated.*|.*passed.*)$")
    ),
    "demo": Proof("The README's first command works", "demo", figure=silent),
    "lint": Proof("Style, format, import contracts, workflows", "lint", figure=last(r"^Contracts: (.*)$")),
    "types": Proof(
        "mypy and pyright, strict; every public name is typed", "types", figure=last(r"^Type completeness score: (.*)$")
    ),
    "docs": Proof("The site builds without a warning, with every public name and no dead link", "docs", figure=silent),
    "dist": Proof("Source distribution and wheel are complete", "dist", figure=silent),
    "bench": Proof("The benchmarks run", "bench", ("--quick",), silent),
}


@dataclass
class Result:
    """The result of the last run of a proof."""

    outcome: str
    figure: str
    minutes: float
    day: str
    commit: str


def run(name: str, proof: Proof, commit: str) -> Result:
    """Run a proof, and keep its output."""
    began = time.monotonic()
    command = [sys.executable, str(ROOT / "noxfile.py"), "-s", proof.session]
    if proof.arguments:
        command += ["--", *proof.arguments]
    log = KEPT / f"{name}.log"
    with log.open("wb") as file:
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"FORCE_COLOR": "0", "NO_COLOR": "1"},
            check=False,
        )
    text = log.read_text(encoding="utf-8", errors="replace")
    outcome = "failed" if done.returncode else "ok"
    if re.search(rf"Session {re.escape(proof.session)}\S* (was )?skipped", text):
        outcome = "skipped"
    minutes = (time.monotonic() - began) / 60
    return Result(outcome, proof.figure(text), round(minutes, 1), f"{datetime.now(UTC):%Y-%m-%d}", commit)


def commit_of_checkout() -> str:
    """Return the tested commit, with a plus sign if files differ from it."""
    git = ["git", "-C", str(ROOT)]
    name = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True)
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", ":!docs/proofs.md"], capture_output=True, text=True, check=True
    )
    return name.stdout.strip() + ("+" if changed.stdout.strip() else "")


HEAD = """# Proofs

Each row is a promise of this project, the command that checks it, and the result of its last run.
`bash .ci/full` runs all of them, one after another, and writes this page; it takes some hours on two cores.
`.ci/run`, which runs before every merge, uses short forms of the long ones.

| proof | command | result | figure | minutes | day | commit |
|---|---|---|---|--:|---|---|
"""


def write_page(results: dict[str, Result]) -> None:
    """Write the page from the stored results."""
    rows = [
        f"| {proof.promise} | `{proof.command}` | {found.outcome} | {found.figure} "
        f"| {found.minutes:.1f} | {found.day} | {found.commit} |\n"
        for name, proof in PROOFS.items()
        if (found := results.get(name))
    ]
    PAGE.write_text(HEAD + "".join(rows), encoding="utf-8")


def read_page() -> dict[str, Result]:
    """Read the results that the page has: the proofs may have run on several machines, some today and some before."""
    if not PAGE.exists():
        return {}
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        promise, command, outcome, figure, minutes, day, commit, *_ = [*line.strip("| ").split(" | "), *[""] * 7]
        for name, proof in PROOFS.items():
            if (promise, command) == (proof.promise, f"`{proof.command}`"):
                found[name] = Result(outcome, figure, float(minutes), day, commit)
    return found


def main(wanted: list[str]) -> int:
    """Run the wanted proofs, or all; print a line for each, and write the page."""
    if unknown := set(wanted) - set(PROOFS):
        sys.exit(f"no such proof: {', '.join(sorted(unknown))}; there are {', '.join(PROOFS)}")
    KEPT.mkdir(parents=True, exist_ok=True)
    results = read_page()
    commit, failed = commit_of_checkout(), []
    for name in wanted or PROOFS:
        found = results[name] = run(name, PROOFS[name], commit)
        print(f"{name:15}{found.outcome:9}{found.minutes:7.1f} min  {found.figure}", flush=True)
        if found.outcome == "failed":
            failed.append(name)
        write_page(results)
    print(f"{len(wanted or PROOFS) - len(failed)} passed, {len(failed)} failed")
    if failed:
        print(f"failed: {', '.join(failed)}; their output is in {KEPT.relative_to(ROOT)}/")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
