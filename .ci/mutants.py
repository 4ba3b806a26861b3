"""Change the core (`_core/`) in thousands of ways, one at a time, and count the changes that no test notices.

`python3 noxfile.py -s mutants` runs this for all modules; `-- pagination/machine codec/responses` after it for some.
mutmut makes the changes and runs the tests. It runs once for each module, with the tests of that module alone
(`tool.mutmut.tests` in pyproject.toml), because each unnoticed change costs the time of all tests that are tried. Two
modules run at a time, because mutmut spends a long time in a single process before it tries the first change.
"""

import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

MINIMUM = 95.0
"""Percent of all changes that must be noticed."""
MINIMUM_OF_MODULE = 90.0
"""Percent of the changes of each module that must be noticed."""
AT_ONCE = 2
"""Modules that are tried at the same time. They share the processors."""
ROOT = Path(__file__).resolve().parent.parent
CORE = Path("pyas_async/_core")

# mutmut's exit codes for the tests of a mutant. Every other code is a crash, or a kill from outside.
KILLED = {1, 3}
SURVIVED = {0, 5, 33}  # the last two mean that no test reaches it
TIMED_OUT = {-24, 24, 36, 152, 255}
COLUMNS = ("mutants", "killed", "survived", "timeouts", "crashed")


def kind(code: int | None) -> str:
    """Name the outcome of a mutant."""
    if code in KILLED:
        return "killed"
    if code in SURVIVED:
        return "survived"
    return "timeouts" if code in TIMED_OUT else "crashed"


def percent(counts: Mapping[str, int]) -> float:
    """Return the percentage of noticed mutants. One that never ends counts as noticed: it hangs the program."""
    return 100 * (counts["killed"] + counts["timeouts"]) / counts["mutants"]


def line(name: str, counts: Mapping[str, int], seconds: float) -> str:
    """Write a line of the table."""
    numbers = "".join(f"{counts[column]:>10,}" for column in COLUMNS)
    return f"{name:20}{numbers}{percent(counts):>9.1f} %{seconds / 60:>8.1f} min"


def listed(wanted: list[str]) -> dict[str, list[str]]:
    """Return the tests of the wanted modules, or of all.

    Each module of the folder must be listed, with tests that exist. `tests/core/test_mutants.py` calls this in every
    run
    of the tests, so that no new module is forgotten.
    """
    table: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]["tests"]
    modules = {path.relative_to(ROOT / CORE).with_suffix("").as_posix() for path in (ROOT / CORE).rglob("*.py")}
    modules = {name for name in modules if not name.endswith("__init__")}
    if modules != set(table):
        sys.exit(f"tool.mutmut.tests in pyproject.toml and {CORE} differ: {sorted(modules ^ set(table))}")
    if missing := {test for tests in table.values() for test in tests if not (ROOT / "tests" / test).is_file()}:
        sys.exit(f"tool.mutmut.tests in pyproject.toml names tests that do not exist: {sorted(missing)}")
    if unknown := set(wanted) - modules:
        sys.exit(f"no module of {CORE}: {sorted(unknown)}")
    return {name: tests for name, tests in sorted(table.items()) if tests and (not wanted or name in wanted)}


def prepare(folder: Path, module: str, tests: list[str]) -> None:
    """Make a folder with the checkout, and a mutmut configuration for one module and its tests."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("pyas_async", "tests"):
        (folder / name).symlink_to(ROOT / name, target_is_directory=True)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    own = {
        "only_mutate": [f"{CORE}/{module}.py"],
        "pytest_add_cli_args_test_selection": [f"tests/{test}" for test in tests],
    }
    written = "".join(
        f"{name} = {json.dumps(value)}\n" for name, value in own.items()
    )  # JSON values like these are also TOML
    (folder / "pyproject.toml").write_text(settings.replace("[tool.mutmut]\n", f"[tool.mutmut]\n{written}"))


def try_all(folder: Path) -> None:
    """Run mutmut, with this module's share of the processors."""
    children = max(1, (os.cpu_count() or AT_ONCE) // AT_ONCE)
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", str(children)]
    with (folder / "log").open("wb") as log:
        plugin = {"PYTHONPATH": str(ROOT / ".ci")}
        done = subprocess.run(
            command, cwd=folder, env=os.environ | plugin, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        lines = (folder / "log").read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
        sys.exit("\n".join([*lines[-40:], f"mutmut failed in {folder}"]))


def diffs(source: Path, names: list[str]) -> Iterator[str]:
    """Yield the diff of each mutant, from the source that holds the mutants beside the original."""
    text = source.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = {
        node.name: textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno])).splitlines()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and "__mutmut" in node.name
    }
    for name in names:
        function, _, number = name.rpartition("__mutmut_")
        was, became = found[f"{function}__mutmut_orig"], found[f"{function}__mutmut_{number}"]
        was = [was[0].replace("__mutmut_orig", f"__mutmut_{number}"), *was[1:]]  # the names always differ
        changes = list(difflib.unified_diff(was, became, lineterm="", n=2))[3:]
        yield "\n".join([f"# {name}", *changes, "", ""])


def try_module(folder: Path, module: str, tests: list[str]) -> tuple[dict[str, int | None], float]:
    """Try all mutants of a module. Return the exit code of each mutant's tests, and the seconds for all of them."""
    start = time.monotonic()
    prepare(folder, module, tests)
    try_all(folder)
    written = (folder / "mutants" / CORE / f"{module}.py.meta").read_text(encoding="utf-8")
    codes: dict[str, int | None] = json.loads(written)["exit_code_by_key"]
    return codes, time.monotonic() - start


def summary(
    found: Mapping[str, Mapping[str, int]], total: Mapping[str, int], seconds: float
) -> dict[str, int | float | str]:
    """Summarise the run in a few numbers for other scripts."""
    lowest = min(found, key=lambda module: percent(found[module]))
    return {
        "mutants": total["mutants"],
        "noticed": round(percent(total), 1),
        "lowest": lowest,
        "lowest_noticed": round(percent(found[lowest]), 1),
        "seconds": round(seconds),
    }


def too_low(found: Mapping[str, Mapping[str, int]], total: Mapping[str, int], *, whole: bool) -> str | None:
    """Name the minimum that was missed, if any. The minimum of the total applies only to a run of all modules."""
    low = [module for module, counts in sorted(found.items()) if percent(counts) < MINIMUM_OF_MODULE]
    faults = [f"below {MINIMUM_OF_MODULE:g} %: {', '.join(low)}"] if low else []
    if whole and percent(total) < MINIMUM:
        faults.append(f"all together below {MINIMUM:g} %")
    return "; ".join(faults) or None


def main() -> str | None:
    """Try the modules named in the arguments, or all. Print the table, and return what is wrong, if anything."""
    scratch, wanted = Path(sys.argv[1]).resolve(), sys.argv[2:]
    modules = listed(wanted)
    survivors, summed = scratch / "survivors.diff", scratch / "summary.json"
    for old in (survivors, summed):
        old.unlink(missing_ok=True)
    found: dict[str, Counter[str]] = {}
    began = time.monotonic()
    print(f"{'':20}" + "".join(f"{column:>10}" for column in COLUMNS) + f"{'noticed':>11}{'took':>12}", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # The longest first, since the last module to end runs alone and leaves the other processors idle.
        longest_first = sorted(modules, key=lambda module: -(ROOT / CORE / f"{module}.py").stat().st_size)
        runs = {
            pool.submit(try_module, scratch / module.replace("/", "-"), module, modules[module]): module
            for module in longest_first
        }
        for run in as_completed(runs):
            module = runs[run]
            if run.exception() is not None or None in run.result()[0].values():
                pool.shutdown(cancel_futures=True)
            codes, seconds = run.result()
            if None in codes.values():
                return "interrupted"
            found[module] = Counter(kind(code) for code in codes.values())
            found[module]["mutants"] = len(codes)
            print(line(module, found[module], seconds), flush=True)
            unnoticed = [key.rpartition(".")[2] for key, code in codes.items() if kind(code) in {"survived", "crashed"}]
            source = scratch / module.replace("/", "-") / "mutants" / CORE / f"{module}.py"
            with survivors.open("a", encoding="utf-8") as file:
                file.writelines(f"# {module}\n{diff}" for diff in diffs(source, unnoticed))
    total = sum(found.values(), Counter[str]())
    took = time.monotonic() - began
    print(line("all", total, took))
    print(f"What stayed unnoticed: {survivors}; explained in docs/mutants.md")
    numbers = summary(found, total, took)
    summed.write_text(json.dumps(numbers) + "\n", encoding="utf-8")
    print(
        f"{numbers['mutants']:,} mutants, {numbers['noticed']} % noticed; "
        f"the lowest module is {numbers['lowest']} with {numbers['lowest_noticed']} %"
    )
    return too_low(found, total, whole=not wanted)


if __name__ == "__main__":
    sys.exit(main())
