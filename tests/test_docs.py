"""The documentation is run: every Python block of the README and of docs/, as a program or as tests."""

from __future__ import annotations

import importlib
import inspect
import logging
import pydoc
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

import pyas_async
from core.pictures import picture_of_a_call
from pyas_async import ListType
from pyas_async._core.pagination.transitions import TRANSITIONS
from pyas_async.models._source import wire_name
from pyas_async.plans import PLANS, estimate
from pyas_async.plans._cli import main
from pyas_async.plans._estimate import format_repeats
from pyas_async.plans._table import duration
from pyas_async.sandbox import Sandbox
from seeing.life import PICTURE, picture

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ("pytester",)

ROOT = Path(__file__).parent.parent
# docs/reference is written when the site is built.
WRITTEN = [page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "reference"]
PAGES = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *WRITTEN])
DOTALL_LINES = re.DOTALL | re.MULTILINE
CALCULATOR = (ROOT / "docs" / "choosing-a-plan.md").read_text("utf-8")
# This line before the fence marks a block that makes no request, and the test checks that it makes none.
NO_REQUEST = "<!-- This program makes no request. -->\n"
BLOCK = re.compile(
    rf"^({re.escape(NO_REQUEST)})?```python\n(.*?)^```$(?:\n\n[^\n]*it prints\n\n```text\n(.*?)^```$)?",
    DOTALL_LINES,
)
# This line before the fence marks a block that is a file of a test suite. The files of a page form one suite.
FILE = re.compile(r"^<!-- file: (\S+) -->\n```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [
    pytest.param(block, not mark, prints, id=f"{page.relative_to(ROOT)}:{number}")
    for page in PAGES
    if page.stem != "when-one-machine-is-not-enough"  # needs servers: see tests/fleet and tests/warehouse
    for number, (mark, block, prints) in enumerate(BLOCK.findall(FILE.sub("", page.read_text("utf-8"))))
]


def test_the_blocks_are_found() -> None:
    """A changed fence skips no block, and excuses none from making requests: their numbers are known."""
    requests, prints = (sum(bool(block.values[at]) for block in BLOCKS) for at in (1, 2))
    assert (50, 49, 1) == (len(BLOCKS), requests, prints)


def test_types_of_listings() -> None:
    """`help(ListType)` and the mapping have the same table of what each type of listing means."""
    mapping = (ROOT / "docs" / "mapping.md").read_text("utf-8")
    in_mapping = re.findall(r"^\| `\"(\w+)\"` \| `ListType\.(\w+)` \| (.+) \|$", mapping, re.MULTILINE)
    table = re.sub(r"\n {20,}", " ", inspect.getdoc(ListType) or "")
    in_help = re.findall(r"^``\"(\w+)\"`` +(.+)$", table, re.MULTILINE)
    shown = pydoc.plain(pydoc.render_doc(ListType))

    assert [(kind.value, kind.name) for kind in ListType] == [(value, name) for value, name, _ in in_mapping]
    assert [(value, meaning) for value, _, meaning in in_mapping] == in_help
    assert all(f'``"{kind}"``' in shown for kind in ListType)


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    """Undo what a program does to logging: its handlers would outlive their streams."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_logging_as_before")
@pytest.mark.parametrize(("block", "requests", "prints"), BLOCKS)
def test_block_runs(
    block: str,
    requests: bool,
    prints: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Each block of the documentation runs, and prints what the page says."""
    monkeypatch.chdir(tmp_path)  # some of them write files
    with Sandbox(accounts=1, meetings=400) as sandbox, sandbox.serve() as url:
        monkeypatch.setenv("PYAS_API_KEY", sandbox.api_key)
        monkeypatch.setenv("PYAS_BASE_URL", url)
        # The sandbox makes its own account ids; the documentation uses a readable one.
        program = block.replace('"acc"', repr(sandbox.account_ids[0]))
        exec(compile(program, "<documentation>", "exec"), {"__name__": "__main__"})  # noqa: S102  (running the block is the test)
        assert requests == bool(sandbox.requests)
        # One that the block has given up, such as a prefetched page, may have no status.
        assert all(request.status is None or request.status < 300 for request in sandbox.requests)
    printed = capsys.readouterr().out
    assert printed
    assert not prints or prints == printed


def test_suites_pass(pytester: pytest.Pytester) -> None:
    """The files of the page on testing form a suite that passes on asyncio and on trio."""
    files = FILE.findall((ROOT / "docs" / "testing.md").read_text("utf-8"))
    for name, content in files:
        (pytester.path / name).write_text(content, "utf-8")
    options = ["-p", "no:cacheprovider", "-W", "error", "-o", "asyncio_default_fixture_loop_scope=function"]
    # The reason is in pyproject.toml.
    options += ["-W", "ignore:The anyio.abc.BlockingPortal alias is deprecated:DeprecationWarning"]

    result = pytester.runpytest_inprocess(*options, "--strict-markers", "-p", "pyas_async_pytest", "-o", "pythonpath=.")

    # All tests run on both loops, except one for unittest and two with a synchronous client.
    assert 12 == len(files)
    result.assert_outcomes(passed=2 * 16 + 3)


def test_the_calculator_prints_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The console block of the page on plans is the command's output."""
    ((options, shown),) = re.findall(
        r"^```console\n\$ python -m pyas_async\.plans ([^\n]*)\n(.*?)^```$", CALCULATOR, re.DOTALL | re.MULTILINE
    )

    assert 0 == main(shlex.split(options))

    assert capsys.readouterr().out == shown


def test_the_sizes_are_those_of_the_calculator() -> None:
    """Each row of the table of sizes has the calls, times and repeats of `estimate`."""
    expected = []
    for longest in (None, 300):
        for accounts in (10, 50, 400, 1_000, 10_000):
            found = [estimate(plan, accounts=accounts, pages=3, longest=longest) for plan in PLANS.values()]
            cells = [f"{accounts:,}", str(longest or "-"), f"{found[0].calls:,}"]
            cells += [f"{duration(one.seconds)}; {format_repeats(one.repeats)}" for one in found]
            expected.append("| " + " | ".join(cells) + " |")

    assert expected == re.findall(r"^\| [\d,]+ \| (?:-|\d+) \| .*$", CALCULATOR, re.MULTILINE)


def test_how_far_a_key_reaches() -> None:
    """The table on several machines has the times of `estimate`."""
    text = (ROOT / "docs" / "when-one-machine-is-not-enough.md").read_text("utf-8")
    expected = []
    for accounts in (1_000, 100_000, 1_000_000):
        times = [duration(estimate(plan, accounts=accounts, pages=1).seconds) for plan in PLANS.values()]
        expected.append(f"| {accounts:,} | " + " | ".join(times) + " |")

    assert expected == re.findall(r"^\| [\d,]+ \| .*$", text, re.MULTILINE)


def test_how_many_keys() -> None:
    """The table of keys has the smallest number that is enough according to `estimate`."""
    text = (ROOT / "docs" / "when-one-machine-is-not-enough.md").read_text("utf-8")
    rows = re.findall(r"^\| in (a day|an hour), (\w+) \| (.*) \|$", text, re.MULTILINE)
    assert 4 == len(rows)
    for time, plan, cells in rows:
        for accounts, cell in zip((100_000, 1_000_000, 10_000_000), cells.split(" | "), strict=True):
            keys, most = int(cell), {"a day": 86_400, "an hour": 3_600}[time]
            takes = [
                estimate(PLANS[plan.lower()], accounts=-(-accounts // number), pages=1).seconds
                for number in (keys, keys - 1)
                if number
            ]
            assert [True, False][: len(takes)] == [seconds <= most for seconds in takes]


def test_the_page_shows_the_sync() -> None:
    """The page on several machines shows the recipe's own code, not an outdated copy."""
    shown = (ROOT / "docs" / "when-one-machine-is-not-enough.md").read_text("utf-8")
    program = (ROOT / "docs" / "examples" / "durable_sync.py").read_text("utf-8")

    assert program[program.index("def store(") : program.index("def plan(")].strip() in shown


def test_the_sync_is_short() -> None:
    """The recipe stays about 60 lines of code and 14 of imports. More code belongs in the library."""
    program = (ROOT / "docs" / "examples" / "durable_sync.py").read_text("utf-8")
    bare = re.sub(r'^ *""".*?"""$', "", program, flags=DOTALL_LINES)
    lines = [line for line in bare.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert imports
    assert len(imports) <= 14
    assert len(lines) - len(imports) <= 62


def test_the_mapping_is_whole() -> None:
    """The table of names has every field of every model, with the API's spelling."""
    table = (ROOT / "docs" / "mapping.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \| `(\w+\.\w+)` \|", table, re.MULTILINE))
    models = [
        model
        for name in pyas_async.__all__
        if isinstance(model := getattr(pyas_async, name), type)
        and attrs.has(model)
        and model.__qualname__ in pyas_async.models.__all__
    ]
    expected = {
        (wire_name(field), f"{model.__qualname__}.{field.name}")
        for model in models
        for field in attrs.fields(model)
        if not field.name.startswith("_")
    }
    assert len(models) > 10
    assert expected == rows


def test_the_pictures_of_the_machines_are_drawn_from_them() -> None:
    """The state diagrams in the architecture page have every transition of the machines, and no other."""
    lines = [f"    {state.name} --> {target.name}: {event.value}" for (state, event), target in TRANSITIONS.items()]
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    diagrams = re.findall(r"^```mermaid\n(stateDiagram-v2\n.*?)^```$", text, DOTALL_LINES)
    of_a_call, of_paging = (found.splitlines() for found in diagrams)
    assert ["stateDiagram-v2", "    [*] --> FRESH", *lines, "    DONE --> [*]"] == of_paging
    assert picture_of_a_call() == of_a_call


def test_the_picture_of_calls_is_drawn_from_them() -> None:
    """The picture of five calls shows each moment of the five calls."""
    assert PICTURE.read_text("utf-8") == picture()


def test_the_reference_has_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each public name is on one page of the reference, and every listed name is public."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "site")
    names = importlib.import_module("names")
    placed = [name for page in names.REFERENCE.values() for name in page]
    assert sorted(pyas_async.__all__) == sorted(placed)
    values = [name for name in placed if not callable(getattr(pyas_async, name))]
    assert {"UNSET", "__version__"} <= set(values) | set(names.VALUES)
    assert set(values) <= set(names.VALUES)


def test_the_index_leads_to_every_part() -> None:
    """The index has the four parts of the documentation, and the pages of each exist."""
    text = (ROOT / "docs" / "index.md").read_text("utf-8")
    assert ["Tutorial", "How to", "Reference", "Explanation"] == re.findall(r"^## (.*)$", text, re.MULTILINE)
    pages = re.findall(r"\]\(([^)]+\.md)\)", text)
    assert len(pages) == len(set(pages))
    assert len(pages) > 12


def test_links_lead_somewhere() -> None:
    """Every relative link of the documentation points to a file, and its anchor to a heading."""
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text("utf-8")):
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            assert file.exists(), f"{page.name}: {target}"
            if not anchor:
                continue
            headings = {
                re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
                for heading in re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            }
            assert anchor in headings, f"{page.name}: {target}"


def test_each_promise_is_kept_by_a_test() -> None:
    """Every test that the threat model names exists, and every promise in its tables names one."""
    text = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    for path, name in named:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), f"{path}::{name}"
    promises = re.findall(r"^\| (?!promise |---|-).* \| (.*) \|$", text, re.MULTILINE)
    assert len(promises) > 15
    assert [] == [kept for kept in promises if "::test_" not in kept]
