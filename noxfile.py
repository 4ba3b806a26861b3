"""The commands of this repository: `python3 noxfile.py --list` names them.

nox reads this file, and it also runs as a script. As a script it needs only Python 3.11 and the standard library. If
nox
is missing, the script installs it under `.nox/.bootstrap/` and continues there, so it also works where pip refuses to
change the system's Python (PEP 668).
"""

import os
import subprocess
import sys

# Older Pythons must be able to parse this whole file to print the message below, so it uses no newer syntax.
if sys.version_info < (3, 11):
    sys.exit(
        f"pyas_async needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).\n"
        "Run this file with a newer one, for example: python3.13 noxfile.py"
    )

import importlib.metadata
import re
import shutil
import tempfile
from pathlib import Path
from typing import Iterable, NoReturn

ROOT = Path(__file__).resolve().parent
NOX_FLOOR = (2025, 10)


def bootstrap(environment: Path) -> Path:
    """Make a virtual environment with nox in it, unless there is one, and return its interpreter.

    An environment that is incomplete, or was made by another Python, is made again: the stamp is written last.
    """
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = environment / "complete"
    mark = f"{sys.base_prefix} {sys.version} nox>={NOX_FLOOR}"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == mark:
        return python

    print(f"Installing nox in {environment.relative_to(ROOT)} (once) ...", file=sys.stderr, flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    said = []

    def succeeds(*command: object) -> bool:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # A virtual environment has no user site, and pip fails if it is configured to install there.
            env={**os.environ, "PIP_USER": "0"},
            check=False,
        )
        if done.returncode:
            said.append(f"$ {' '.join(map(str, command))}\n{done.stdout.strip()}")
        return done.returncode == 0

    if succeeds(sys.executable, "-m", "venv", "--clear", environment):
        pip = [python, "-I", "-m", "pip"]
    elif succeeds(sys.executable, "-m", "venv", "--clear", "--without-pip", environment) and succeeds(
        sys.executable, "-m", "pip", "--version"
    ):
        # Debian has ensurepip in a package of its own. The system's pip can still install into another environment.
        pip = [sys.executable, "-m", "pip", "--python", python]
    else:
        sys.exit(
            "\n\n".join(said) + "\n\nThis Python cannot make virtual environments: it lacks venv, ensurepip or pip.\n"
            "On Debian and Ubuntu they are in the package python3-venv (for another Python than the system's, "
            "in its own: python3.13-venv). Install it and run this again: sudo apt install python3-venv"
        )
    nox = ".".join(map(str, NOX_FLOOR))
    # uv makes the sessions several times faster, but it is not built for every platform.
    if not any(succeeds(*pip, "install", "--quiet", f"nox{extra}>={nox}") for extra in ("[uv]", "")):
        sys.exit("\n\n".join(said) + "\n\nnox could not be installed: pip's own words are above.")
    # uv does not read pip's settings. If those lead to the index, the sessions use pip.
    probe = ["-m", "uv", "pip", "install", "--quiet", "--dry-run", "--python", python, "hatchling"]
    if not succeeds(python, *probe):
        succeeds(*pip, "uninstall", "--quiet", "--yes", "uv")
    stamp.write_text(mark, encoding="utf-8")
    return python


def run_nox() -> NoReturn:
    """Replace this process by nox, with the arguments of this script."""
    try:
        release = importlib.metadata.version("nox").split(".")
        python = Path(sys.executable) if tuple(map(int, release[:2])) >= NOX_FLOOR else None
    except importlib.metadata.PackageNotFoundError:
        python = None
    if python is None:
        python = bootstrap(ROOT / ".nox" / ".bootstrap" / "{}.{}".format(*sys.version_info[:2]))
    command = [str(python), "-m", "nox", "--noxfile", str(Path(__file__).resolve()), *sys.argv[1:]]
    if os.name == "nt":
        # exec on Windows starts a second process, and the console does not wait for it.
        sys.exit(subprocess.call(command))
    # From here on, nox has the terminal, the signals and the exit code.
    os.execv(command[0], command)


if __name__ == "__main__":
    run_nox()

import nox

nox.needs_version = f">={'.'.join(map(str, NOX_FLOOR))}"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
nox.options.error_on_external_run = True
nox.options.sessions = ["tests", "lint", "types"]

PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
SUPPORTED = nox.project.python_versions(PYPROJECT)
RUNNING = "{}.{}".format(*sys.version_info[:2])
# If the only Python of a machine is newer than the newest classifier, test that one: a run always tests something.
TESTED = SUPPORTED if RUNNING in SUPPORTED else [*SUPPORTED, RUNNING]


def uncover_pyenv() -> None:
    """Put the interpreters that pyenv installed before pyenv's shims in PATH.

    PATH has a shim for every installed version, and a shim fails if its version is not enabled (`pyenv global`). nox
    would
    take a shim for a Python, or find no Python at all.
    """
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    newest: dict[str, tuple[int, str]] = {}
    for folder in root.glob("versions/3.*/bin"):
        release = re.fullmatch(r"(3\.\d+)\.(\d+)", folder.parent.name)
        if release and release[1] in TESTED:
            newest[release[1]] = max(newest.get(release[1], (-1, "")), (int(release[2]), str(folder)))
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    shims = next((at for at, entry in enumerate(path) if Path(entry) == root / "shims"), len(path))
    path[shims:shims] = [folder for _, folder in newest.values()]
    os.environ["PATH"] = os.pathsep.join(path)


uncover_pyenv()
FOUND = [version for version in TESTED if version == RUNNING or shutil.which(f"python{version}")]


class Wheel:
    """The package's wheel, built at most once in a run of nox.

    It is built from the source distribution, so a file that the source distribution lacks is missed at once. If the
    variable PYAS_ASYNC_DIST names a folder, the wheel in it is used, so that a release tests the files that it
    publishes.
    """

    _folder: "tempfile.TemporaryDirectory[str] | None" = None

    @classmethod
    def path(cls, session: nox.Session) -> str:
        """Return the path of the wheel, and build it first if this run has not."""
        return str(next(cls.folder(session).glob("*.whl")))

    @classmethod
    def folder(cls, session: nox.Session) -> Path:
        """Return the folder of both distributions, and build them first if this run has not."""
        if "PYAS_ASYNC_DIST" in os.environ:
            return Path(os.environ["PYAS_ASYNC_DIST"]).resolve()
        if cls._folder is None:
            folder = tempfile.TemporaryDirectory(prefix="pyas_async-wheel-")
            if session.venv_backend == "uv":
                session.run_install("uv", "build", "--quiet", "--out-dir", folder.name)
            else:
                pip = ("python", "-m", "pip", "wheel", "--quiet", "--no-deps")
                session.run_install(*pip, "--wheel-dir", folder.name, ".")
            cls._folder = folder
        return Path(cls._folder.name)


def groups(*names: str) -> list[str]:
    """List the requirements of dependency groups."""
    return list(nox.project.dependency_groups(PYPROJECT, *names))


EXTRAS = PYPROJECT["project"]["optional-dependencies"]


def install_wheel(session: nox.Session, *requirements: str, extras: "Iterable[str]" = ("sandbox",)) -> None:
    """Install the built wheel, never the checkout, with extras and further requirements."""
    wheel = Wheel.path(session)
    session.install(f"{wheel}[{','.join(extras)}]", *requirements)
    if session.venv_backend != "uv":
        # If a wheel of the same version is installed, pip assumes that it is the same wheel.
        session.install("--force-reinstall", "--no-deps", wheel)


# The tests import the installed package. A checkout in front of it in sys.path would hide it. tests/test_package.py
# asserts that this is not so.
UNDER_TEST = {"PYAS_ASYNC_TEST_WHEEL": "1", "PYTHONSAFEPATH": "1"}

CLIENT = ",".join(
    f"pyas_async/{part}" for part in ("_core/*", "_runtime/*", "models/*", "client.py", "meetings.py", "accounts.py")
)
"""The parts of the package whose coverage the session `quick -- --cover` measures."""
AT_ONCE = ["--numprocesses", str(os.cpu_count() or 1), "--dist", "worksteal"]
SHORT = ["-m", "not long"]
"""Leaves out the proofs at full length, which are marked `long`."""
FULL = "--full"
"""After `--`, also runs the proofs at full length."""

# Tests that need no other process and no pauses, and few sockets. They cover nearly every branch of the client.
QUICK = [
    "tests/core",
    "tests/contract",
    "tests/offline",
    "tests/bulk",
    "tests/prefetch",
    "tests/accounts",
    "tests/reconcile",
    "tests/sync",
    "tests/seeing",
    "tests/single_flight",
    "tests/openapi",
    "tests/costs",
    "tests/environments/test_certificates.py",
    "tests/runtime/test_limits.py",
    "tests/runtime/test_long_values.py",
    "tests/runtime/test_settings.py",
    "tests/runtime/test_sockets.py",
    "tests/runtime/test_transports.py",
]
# Tests below those folders that take long for the branches that they add: `quick` leaves them out.
SLOW = [
    "tests/accounts/test_leaving.py",
    "tests/bulk/test_faults.py",
    "tests/core/checkpoints/test_seen_rows.py::test_digests_are_the_same_in_every_process",
    "tests/core/test_plans.py",
    "tests/offline/test_plugin.py",
]
COVER = "--cover"
"""After `--`, `quick` measures the coverage, which makes it half as slow again."""

# The tests that use sockets. Differences between Pythons, or between the libraries below the client, show here.
SOCKETS = [
    "tests/accounts/test_pairs.py",
    "tests/bulk/test_cancelling.py",
    "tests/bulk/test_faults.py",
    "tests/contract/test_calls.py",
    "tests/prefetch/test_leaving.py",
    "tests/prefetch/test_requests.py",
    "tests/reconcile",
    "tests/sync",
    "tests/runtime",
    "tests/single_flight",
]
# More tests with sockets, which make clients of other libraries themselves.
SOCKETS_TOO = ["tests/cancel", "tests/environments", "tests/faults", "tests/instrumentation"]


@nox.session
def demo(session: nox.Session) -> None:
    """Run the main job against the sandbox, in a terminal with a live display."""
    install_wheel(session, *groups("demo"))
    session.run("python", "docs/examples/first_run.py", *session.posargs)


def run_pytest(session: nox.Session, *arguments: str, runner: "Iterable[str]" = (), **variables: str) -> None:
    """Run pytest. Arguments after `--` replace the default ones, and `--full` adds the long proofs."""
    given = [part for part in session.posargs if part != FULL]
    length = [] if FULL in session.posargs or "-m" in given else SHORT
    command = ["python", "-m", *(runner or ("pytest",))]
    session.run(*command, *length, *(given or arguments), env={**UNDER_TEST, **variables})


@nox.session
def quick(session: nox.Session) -> None:
    """Run the tests that need no socket and no pauses, on this checkout. `-- --cover` requires a coverage of 95 %."""
    session.install("--editable", ".[sandbox]", *groups("tests"))
    cover = COVER in session.posargs
    chosen = [part for part in session.posargs if part != COVER]
    chosen = chosen or [*QUICK, *(f"--deselect={test}" for test in SLOW)]
    runner = ["coverage", "run", "-m", "pytest"] if cover else ["pytest"]
    if cover:
        session.run("coverage", "erase")
    session.run("python", "-m", *runner, *SHORT, *AT_ONCE, "--quiet", *chosen)
    if cover:
        session.run("coverage", "combine", "--quiet")
        session.run("coverage", "report", "--include", CLIENT, "--fail-under", "95", "--sort", "cover")


@nox.session(python=RUNNING)
def tests(session: nox.Session) -> None:
    """Run the tests on the Python that runs this, without the long proofs. Arguments after -- go to pytest."""
    install_wheel(session, *groups("tests"), extras=EXTRAS)
    run_pytest(session, *AT_ONCE)


for other in TESTED:
    if other != RUNNING:
        nox.session(python=other, name=f"tests-{other}")(tests.func)


def run_edge(session: nox.Session, version: str) -> None:
    """Run the tests whose results may differ on another Python: the quick tests and those that use sockets."""
    if version == RUNNING:
        session.skip(f"it is Python {version}, which the session `tests` uses")
    install_wheel(session, *groups("tests"), extras=EXTRAS)
    run_pytest(session, *AT_ONCE, *dict.fromkeys([*QUICK, *SOCKETS, *SOCKETS_TOO]))


@nox.session(python=FOUND[0])
def oldest(session: nox.Session) -> None:
    """Run the quick tests and those that use sockets on the oldest Python found, unless `tests` uses it."""
    run_edge(session, FOUND[0])


@nox.session(python=FOUND[-1])
def newest(session: nox.Session) -> None:
    """Run the quick tests and those that use sockets on the newest Python found, unless `tests` uses it."""
    run_edge(session, FOUND[-1])


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests and the proofs at full length, measure the coverage of all code, and check its minimum."""
    install_wheel(session, *groups("tests"), extras=EXTRAS)
    session.run("coverage", "erase")
    run_pytest(session, *AT_ONCE, runner=("coverage", "run", "-m", "pytest"))
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and the direction of imports."""
    session.install(*groups("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")
    # The workflows can publish the package, so they are checked with the strictest rules. These checks need no network.
    session.run("zizmor", "--offline", "--quiet", "--persona=auditor", ".github/workflows")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright, and that the installed package's public names are all typed."""
    install_wheel(session, *groups("types", "tests"), extras=EXTRAS)
    session.run("mypy")
    session.run("pyright")
    # Run outside the checkout, whose sources would be found before the installed ones.
    users = Path(session.create_tmp()) / "users"
    shutil.rmtree(users, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "typing", users)
    with session.chdir(users):
        session.run("pyright", "--verifytypes", "pyas_async", "--ignoreexternal")
        session.run("mypy", ".")
        session.run("pyright", ".")


PRISM = "5.14.2"


@nox.session
def contract(session: nox.Session) -> None:
    """Check the sandbox and the client against docs/openapi.yaml. Arguments after -- go to schemathesis."""
    install_wheel(session, *groups("contract"))
    session.run("openapi-spec-validator", "docs/openapi.yaml")
    # The same requests in every run. A longer search needs arguments.
    search = session.posargs or ["--seed", "1", "--max-examples", "50"]
    session.run("python", "tests/openapi/with_schemathesis.py", *search)
    prism = str(Path(session.create_tmp()) / "prism")
    silent = ["--silent", "--no-audit", "--no-fund", "--no-save"]
    session.run("npm", "install", *silent, "--prefix", prism, f"@stoplight/prism-cli@{PRISM}")
    session.run("python", "tests/openapi/with_prism.py", prism)


@nox.session
def walk(session: nox.Session) -> None:
    """Run the pagination walk for 200,000 steps, ten times as many as the tests do."""
    install_wheel(session, *groups("tests"))
    environment = {**UNDER_TEST, "PYAS_ASYNC_WALK_STEPS": "200000", "PYTEST_ADDOPTS": "-o faulthandler_timeout=7200"}
    session.run("python", "-m", "pytest", *AT_ONCE, "tests/walk", *session.posargs, env=environment)


@nox.session
def sync(session: nox.Session) -> None:
    """Compare copies with listings that change, for 100,000 rounds, seventy times as many as the tests do."""
    install_wheel(session, *groups("tests"))
    # 24 tests of as many rounds each.
    environment = {**UNDER_TEST, "PYAS_ASYNC_SYNC_STEPS": "4200", "PYTEST_ADDOPTS": "-o faulthandler_timeout=7200"}
    session.run("python", "-m", "pytest", *AT_ONCE, "tests/sync/test_model.py", *session.posargs, env=environment)


@nox.session
def httpx2(session: nox.Session) -> None:
    """Run the tests that talk to a socket through an injected client of httpx2."""
    install_wheel(session, *groups("tests"), *PYPROJECT["project"]["optional-dependencies"]["httpx2"])
    run_pytest(session, *AT_ONCE, *SOCKETS, PYAS_ASYNC_TEST_CLIENT="httpx2")


@nox.session
def cancel(session: nox.Session) -> None:
    """Cancel every operation at each of its suspension points, and 10,000 calls at random; compare with httpx."""
    install_wheel(session, *groups("tests"))
    environment = {**UNDER_TEST, "PYAS_ASYNC_CANCEL": "complete"}
    where = ["tests/cancel", "tests/runtime/test_happy_eyeballs.py"]
    session.run("python", "-m", "pytest", *AT_ONCE, *where, *session.posargs, env=environment)


@nox.session
def simulation(session: nox.Session) -> None:
    """Simulate the budget's queue in virtual time under loads of all kinds; `-- --full` adds the long ones."""
    install_wheel(session, *groups("tests"))
    run_pytest(session, *AT_ONCE, "tests/simulation")


@nox.session
def fleet(session: nox.Session) -> None:
    """Run several processes that share one key through a real Redis or Valkey."""
    servers = ("redis-server", "valkey-server")
    if not any(map(shutil.which, servers)) and shutil.which("apt-get") and os.name != "nt" and not os.geteuid():
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "redis-server"]):
            session.run("apt-get", "--quiet", *command, external=True, silent=True, success_codes=range(256))
    if not any(map(shutil.which, servers)):
        session.skip("neither Redis nor Valkey is installed; on Debian and Ubuntu: sudo apt install redis-server")
    install_wheel(session, *groups("tests"), extras=("redis", "sandbox"))
    # These tests sleep most of the time.
    run_pytest(session, "--numprocesses", "4", "tests/fleet", PYAS_ASYNC_FLEET="1")


@nox.session
def agents(session: nox.Session) -> None:
    """Let the agents of Sentry, New Relic, Datadog, Elastic and AWS X-Ray trace the client's requests."""
    install_wheel(session, *groups("agents"))
    # Datadog's plugin of pytest would change the process of the tests.
    run_pytest(session, "-p", "no:ddtrace", "tests/instrumentation/test_agents.py", PYAS_ASYNC_AGENTS="1")


@nox.session
def warehouse(session: nox.Session) -> None:
    """Kill a load into DuckDB at random moments, and at chosen moments that random kills seldom hit."""
    install_wheel(session, *groups("tests"), extras=("cli", "dlt", "sandbox"))
    run_pytest(session, "-rP", *AT_ONCE, "tests/warehouse", PYAS_ASYNC_WAREHOUSE="1")


@nox.session
def durable(session: nox.Session) -> None:
    """Kill the workers of a durable sync, on SQLite and a real Postgres; `-- --whole` does it with 100,000 accounts."""
    kept = Path("/usr/lib/postgresql")
    found = kept.exists() or shutil.which("initdb")
    if not found and shutil.which("apt-get") and os.name != "nt" and not os.geteuid():
        # Debian would start a server of its own, which is not needed: the tests start theirs.
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "postgresql"]):
            session.run("apt-get", "--quiet", *command, external=True, silent=True, success_codes=range(256))
    if os.name == "nt":
        session.skip("Windows has no SIGKILL")
    install_wheel(session, *groups("durable"))
    if "--whole" not in session.posargs:
        run_pytest(session, *AT_ONCE, "tests/durable", PYAS_ASYNC_DURABLE="1")
        return
    # One test after the other, with its figures printed.
    chosen = [part for part in session.posargs if part != "--whole"]
    environment = {**UNDER_TEST, "PYAS_ASYNC_DURABLE": "1", "PYAS_ASYNC_DURABLE_WHOLE": "1"}
    session.run(
        "python", "-m", "pytest", "-s", "-o", "faulthandler_timeout=7200", "tests/durable", *chosen, env=environment
    )


@nox.session
def web(session: nox.Session) -> None:
    """Test the example's page in a headless Chromium; `-- --draw` redraws the pictures of the documentation."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        session.skip("Chromium is not installed; on Debian and Ubuntu: sudo apt install chromium")
    install_wheel(session, *groups("web"))
    environment = {**UNDER_TEST, "PYAS_ASYNC_CHROMIUM": browser}
    arguments = list(session.posargs)
    if "--draw" in arguments:
        arguments.remove("--draw")
        environment["PYAS_ASYNC_DRAW"] = "1"
    session.run("python", "-m", "pytest", "tests/web", *arguments, env=environment)


@nox.session
def mutants(session: nox.Session) -> None:
    """Change the core in thousands of ways, and count the changes that no test notices. Modules after --."""
    # Not the wheel: mutmut tests its own copies of the sources.
    project = PYPROJECT["project"]
    session.install(*project["dependencies"], *project["optional-dependencies"]["sandbox"], *groups("mutants"))
    session.run("python", ".ci/mutants.py", str(session.cache_dir / "mutants"), *session.posargs)


@nox.session
def pages(session: nox.Session) -> None:
    """Write the pages and pictures of the documentation that the tests generate."""
    install_wheel(session, *groups("tests"), extras=("cli", "sandbox"))
    session.run("python", "-m", "faults.page", *session.posargs, env={**UNDER_TEST, "PYTHONPATH": "tests"})
    session.run("python", "-m", "faults.raw_page", env={**UNDER_TEST, "PYTHONPATH": "tests"})
    session.run("python", "-m", "seeing.life", env={**UNDER_TEST, "PYTHONPATH": "tests"})
    session.run("python", "-m", "cli.picture", env={**UNDER_TEST, "PYTHONPATH": "tests"})
    session.run("python", "-m", "layers", env={**UNDER_TEST, "PYTHONPATH": "tests"})


MERMAID = "12.3.0"


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation's site in .nox/site without warnings, and check its spelling, names and links."""
    install_wheel(session, *groups("docs"))
    pages = [*map(str, sorted(Path("docs").glob("*.md"))), *map(str, sorted(Path().glob("*.md")))]
    session.run("codespell", *pages, "docs/examples", "docs/site/conf.py", "pyas_async")
    drawing = ROOT / "docs" / "site" / "static" / "mermaid.min.js"
    if not drawing.exists() and shutil.which("npm"):
        # Mermaid is served with the pages, so that they load nothing from another site. Without it, diagrams are shown
        # as text. So an unreachable registry is no reason to fail, or to wait for each of its packages.
        silent = ["--silent", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--fetch-retries=0"]
        folder = Path(session.create_tmp())
        npm = ["npm", "install", *silent, "--prefix", str(folder), f"mermaid@{MERMAID}"]
        session.run(*npm, external=True, success_codes=range(256))
        found = folder / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
        if found.exists():
            shutil.copy(found, drawing)
        else:
            session.warn("npm cannot be reached: the diagrams are shown as text")
    site, trees = ROOT / ".nox" / "site", ROOT / ".nox" / "site-trees"
    options = ["--fail-on-warning", "--keep-going", "--fresh-env", "--quiet", "--conf-dir", "docs/site"]
    session.run("sphinx-build", *options, "--doctree-dir", str(trees), ".", str(site), *session.posargs)
    session.run("python", "docs/site/check.py", str(site), env={"PYTHONSAFEPATH": "1"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Test a million generated responses, headers, checkpoints, arguments and settings; another number after --."""
    install_wheel(session, *groups("tests"))
    inputs = session.posargs[0] if session.posargs else "1000000"
    environment = {**UNDER_TEST, "PYAS_ASYNC_FUZZ_INPUTS": inputs, "PYTEST_ADDOPTS": "-o faulthandler_timeout=14400"}
    session.run("python", "-m", "pytest", *AT_ONCE, "tests/fuzz", "--durations=0", env=environment)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks. Arguments after -- go to benchmarks/__main__.py, as in `-- --only paging`."""
    install_wheel(session, *groups("bench"))
    session.run("python", "benchmarks", *session.posargs)


@nox.session
def dist(session: nox.Session) -> None:
    """Build and check the distributions in dist/. A tag after -- must match the version and the changelog."""
    if session.venv_backend != "uv":
        session.skip("only uv builds both distributions")
    session.install(*groups("dist"))
    made = Wheel.folder(session)
    files = sorted([*made.glob("*.tar.gz"), *made.glob("*.whl")])  # uv leaves a .gitignore beside them
    session.run("twine", "check", "--strict", *map(str, files))
    session.run("python", "tests/packaging_checks.py", str(made), *session.posargs)
    shutil.rmtree("dist", ignore_errors=True)
    Path("dist").mkdir()
    for file in files:
        shutil.copy(file, "dist")


@nox.session
def audit(session: nox.Session) -> None:
    """Look for known vulnerabilities in the installed dependencies. This queries the package index."""
    if session.venv_backend != "uv":
        session.skip("only uv resolves without installing")
    session.install(*groups("audit"))
    resolved = str(Path(session.create_tmp()) / "requirements.txt")
    session.run("uv", "pip", "compile", "--quiet", "--all-extras", "--upgrade", "pyproject.toml", "-o", resolved)
    # Strict: a package that cannot be looked up counts as a finding.
    session.run("pip-audit", "--strict", "--no-deps", "--disable-pip", "-r", resolved)


@nox.session(python=SUPPORTED[-1], reuse_venv=False)
def highest(session: nox.Session) -> None:
    """Run the tests with the newest versions of everything, pre-releases of the dependencies included."""
    if session.venv_backend != "uv":
        session.skip("only uv admits pre-releases of some packages alone")
    extras = [requirement for extra in EXTRAS.values() for requirement in extra]
    direct = [*PYPROJECT["project"]["dependencies"], *extras]
    # A requirement that names a pre-release admits those of its package. For the tests' own tools they prove nothing.
    newest = [*(re.sub(r"(>=[\d.]+)", r"\1.dev0", requirement) for requirement in direct), *groups("tests")]
    install_wheel(session, "--upgrade", "--prerelease=if-necessary-or-explicit", *newest, extras=EXTRAS)
    session.run("uv", "pip", "list")
    run_pytest(session, *AT_ONCE)


@nox.session(
    python=SUPPORTED[0], reuse_venv=False
)  # in a reused environment, a newer version that is installed would satisfy it
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest direct dependencies that pyproject.toml admits."""
    if session.venv_backend != "uv":
        session.skip("only uv resolves to the lowest versions")
    # uv counts only the requirements on its command line as direct, not those of the wheel.
    extras = [requirement for extra in EXTRAS.values() for requirement in extra]
    direct = [*PYPROJECT["project"]["dependencies"], *extras, *groups("tests")]
    install_wheel(session, "--resolution=lowest-direct", *direct, extras=EXTRAS)
    run_pytest(session, *AT_ONCE)
