"""What a job takes on a plan: the arithmetic, compared with the simulation; and the command."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import trio
from hypothesis import example, given
from hypothesis import strategies as st

import inside
from pyas_async import InvalidArgumentError, RateBudget
from pyas_async._runtime.attempts.limiter import ConnectionLimiter
from pyas_async.limits import portion
from pyas_async.plans import DEVELOPER, GROWTH, PLANS, SCALE, Estimate, Plan, estimate, table
from pyas_async.plans._cli import main
from pyas_async.plans._estimate import format_repeats
from pyas_async.plans._table import duration
from simulation import run as simulation
from simulation.ours import Ours
from simulation.world import LATENCY, World
from simulation.world import PLANS as MODELS
from simulation.world import Plan as Model

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALL = Plan("small", 20)
HAIR = 1 + 1e-9
"""A tolerance for rounding errors of floats."""
plans = st.sampled_from([*PLANS.values(), SMALL])
jobs = st.fixed_dictionaries(
    {
        "accounts": st.integers(1, 20_000),
        "pages": st.integers(1, 50),
        "details": st.integers(0, 20_000),
        "latency": st.floats(0, 60),
        "share": st.floats(0.01, 1),
    }
)


def estimate_of(plan: Plan, world: World, *, connections: int = 10**6) -> Estimate:
    """Estimate a world of the simulation, which has no pool, from what a user would know of it."""
    return estimate(
        plan,
        accounts=world.accounts,
        pages=(world.least - world.long) / (world.accounts - 1) if world.accounts > 1 else 1,
        longest=world.long,
        latency=sum(LATENCY) / 2,
        interactive=world.interactive,
        connections=connections,
    )


def test_plans() -> None:
    """The plans have the service's numbers; `PLANS` has them by name, the smallest first."""
    assert [("developer", 100, 300.0, 2_000), ("growth", 3_000, 300.0, None), ("scale", 5_000, 300.0, None)] == [
        attrs.astuple(plan) for plan in PLANS.values()
    ]
    assert ["developer", "growth", "scale"] == list(PLANS)
    assert (DEVELOPER, GROWTH, SCALE) == tuple(PLANS.values())


@given(plans, st.floats(0, 1, exclude_min=True))
@example(DEVELOPER, 0.29)
def test_share_is_that_of_the_budget(plan: Plan, share: float) -> None:
    """A share gives a job as many calls as a `RateBudget` with this share has slots."""
    one = estimate(plan, accounts=1, share=share)

    limit = RateBudget(plan.calls, share=share).slots_until(0.0, 0.0)

    assert 1 / limit == one.used


@pytest.mark.parametrize(
    ("plan", "job", "calls", "seconds", "windows"),
    [
        # Three responses, one after the other.
        (GROWTH, {"accounts": 30, "pages": 3}, 90, 3 * 0.3, 1),
        # A hundred at once.
        (GROWTH, {"accounts": 400, "pages": 3}, 1_200, 12 * 0.3, 1),
        (GROWTH, {"accounts": 400, "pages": 3, "connections": 400}, 1_200, 3 * 0.3, 1),
        # The last burst goes one by one; so do all calls if connections are a tighter bound than windows.
        (DEVELOPER, {"accounts": 130, "connections": 1}, 130, 301.3 + 30 * 0.3, 2),
        (GROWTH, {"accounts": 4_000, "latency": 1, "connections": 1}, 4_000, 4_000, 2),
        # All slots are taken, and no more are needed.
        (DEVELOPER, {"accounts": 100}, 100, 0.3, 1),
        # One call too many: it waits for a window, the guard and a response.
        (DEVELOPER, {"accounts": 101}, 101, 301.3 + 0.3, 2),
        (DEVELOPER, {"accounts": 400, "pages": 3}, 1_200, 11 * 301.3 + 0.3, 12),
        # The longest is one of the accounts.
        (GROWTH, {"accounts": 400, "pages": 3, "longest": 300}, 399 * 3 + 300, 300 * 0.3, 1),
        # One listing: a hundred pages go one by one in the last burst as well.
        (DEVELOPER, {"accounts": 1, "longest": 300}, 300, 2 * 301.3 + 100 * 0.3, 3),
        # Beside other listings it goes on in every burst, and has nothing left for the last.
        (DEVELOPER, {"accounts": 61, "longest": 300}, 360, 3 * 301.3 + 0.3, 4),
        # More pages one after the other than a window has seconds for.
        (SCALE, {"accounts": 1, "longest": 10_000}, 10_000, 10_000 * 0.3, 2),
        # The details of a page can be requested when the page is there.
        (GROWTH, {"accounts": 1, "details": 90}, 91, 2 * 0.3, 1),
        # A mean number of pages is rounded up to whole calls.
        (GROWTH, {"accounts": 3, "pages": 2.5, "latency": 1}, 8, 3.0, 1),
        (DEVELOPER, {"accounts": 100, "share": 0.5}, 100, 301.3 + 0.3, 2),
        # Other calls take half of the slots, and again half in the second window.
        (DEVELOPER, {"accounts": 100, "interactive": 0.5}, 100, 301.3 + 0.3, 2),
        (DEVELOPER, {"accounts": 150, "interactive": 0.5}, 150, 2 * 301.3 + 0.3, 3),
    ],
)
def test_time(plan: Plan, job: dict[str, Any], calls: int, seconds: float, windows: int) -> None:
    """Calls go out in bursts, a window, the guard and a response apart; pages of a listing go one by one."""
    found = estimate(plan, **job)

    assert (calls, windows) == (found.calls, found.windows)
    assert pytest.approx(seconds) == found.seconds


@given(
    plans,
    jobs,
    st.sampled_from(["accounts", "pages", "details", "latency"]),
    st.integers(1, 1_000),
    st.sampled_from([0.0, 0.001]),
)
def test_more_work(plan: Plan, job: dict[str, Any], what: str, more: int, interactive: float) -> None:
    """More work never takes fewer calls or less time, and can never be repeated more often."""
    less = estimate(plan, **job, interactive=interactive)
    larger = estimate(
        plan,
        **job | {what: min(job[what] + more, 900)} if what == "latency" else job | {what: job[what] + more},
        interactive=interactive,
    )

    assert less.calls <= larger.calls
    assert less.seconds <= larger.seconds * HAIR
    assert less.windows <= larger.windows
    assert less.used <= larger.used
    assert less.month_calls <= larger.month_calls
    assert less.repeats * HAIR >= larger.repeats


@given(plans, jobs, st.integers(0, 1_000))
def test_a_longer_listing(plan: Plan, job: dict[str, Any], more: int) -> None:
    """The longest listing adds its pages; one as long as the others adds nothing."""
    same = estimate(plan, **job)
    longer = estimate(plan, **job, longest=job["pages"] + more)

    assert same.calls + more == longer.calls
    assert same.seconds <= longer.seconds * HAIR
    assert more > 0 or same == longer


@given(jobs)
def test_larger_plans(job: dict[str, Any]) -> None:
    """On a larger plan a job takes the same calls, is never slower, and can be repeated at least as often."""
    found = [estimate(plan, **job) for plan in PLANS.values()]

    assert 1 == len({one.calls for one in found})
    assert all(small.seconds * HAIR >= large.seconds for small, large in itertools.pairwise(found))
    assert all(small.repeats <= large.repeats * HAIR for small, large in itertools.pairwise(found))


@given(plans, jobs)
def test_never_too_early(plan: Plan, job: dict[str, Any]) -> None:
    """No estimate is shorter than the windows that the job needs, or the pages of its listings."""
    found = estimate(plan, **job)
    allowed = portion(plan.calls, job["share"])

    assert -(-found.calls // allowed) == found.windows
    assert found.seconds * HAIR >= (found.windows - 1) * (plan.window + 1)
    assert found.seconds * HAIR >= (job["pages"] + (job["details"] > 0)) * job["latency"]
    assert found.seconds * HAIR >= found.calls * job["latency"] / 100
    assert found.calls / allowed == found.used


@given(plans, jobs, st.sampled_from([0.0, 0.002]))
def test_repeats(plan: Plan, job: dict[str, Any], interactive: float) -> None:
    """A job fits as often as `repeats` says, and not more often."""
    if interactive * plan.calls * 1.3 >= portion(plan.calls, job["share"]):
        interactive = 0.0
    most = estimate(plan, **job, interactive=interactive).repeats

    if most:
        assert () == estimate(plan, **job, interactive=interactive, per_day=min(most / 1.001, 86_400)).reasons
    if 0 < most < 80_000:
        assert estimate(plan, **job, interactive=interactive, per_day=most * 1.001).reasons


@pytest.mark.parametrize(
    ("job", "month_calls", "month_share", "reasons"),
    [
        ({"accounts": 2_000}, 2_000, 1.0, ()),
        ({"accounts": 2_001}, 2_001, 1.0005, ("2,001 calls a month where 2,000 may be made",)),
        ({"accounts": 33, "per_day": 2}, 1_980, 0.99, ()),
        ({"accounts": 34, "per_day": 2}, 2_040, 1.02, ("2,040 calls a month where 2,000 may be made",)),
        ({"accounts": 50, "per_day": 1 / 7}, 215, 0.1075, ()),
        ({"accounts": 500, "share": 0.25}, 500, 1.0, ()),
        ({"accounts": 501, "share": 0.25}, 501, 1.002, ("501 calls a month where 500 may be made",)),
        # One other call in every window.
        ({"accounts": 1, "interactive": 0.01}, 8_641, 4.3205, ("8,641 calls a month where 2,000 may be made",)),
    ],
)
def test_month(job: dict[str, Any], month_calls: int, month_share: float, reasons: tuple[str, ...]) -> None:
    """The Developer plan's month has 30 days and 2,000 calls, and the reason says by how much a job exceeds it."""
    found = estimate(DEVELOPER, **job)

    assert (month_calls, month_share, reasons) == (found.month_calls, found.month_share, found.reasons)
    assert (not reasons) == found.fits


def test_month_without_a_limit() -> None:
    """If a plan limits only windows, the calls of a month are estimated, and are no reason against it."""
    found = estimate(GROWTH, accounts=1_000, per_day=24)

    assert (720_000, None, ()) == (found.month_calls, found.month_share, found.reasons)


def test_too_often() -> None:
    """More runs than fit into the windows of a day are a reason, which names the possible number."""
    found = estimate(GROWTH, accounts=3_000, per_day=300)

    assert ("300 runs a day where the windows allow 286",) == found.reasons


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("accounts", [10, 50, 400, 1_000, 10_000])
@pytest.mark.parametrize("interactive", [0.0, 0.05])
def test_beside_the_bound(plan: Plan, accounts: int, interactive: float) -> None:
    """The time is within 5 % of the least possible, which the simulation computes from the latency of each page."""
    world = World(plan=MODELS[plan.name], accounts=accounts, interactive=interactive)
    assert (plan.calls, plan.window, plan.monthly) == (world.plan.limit, world.plan.window, world.plan.monthly)

    found = estimate_of(plan, world)

    assert world.least == found.calls
    assert pytest.approx(world.bound.seconds, rel=0.05) == found.seconds


@pytest.mark.parametrize(
    ("plan", "accounts", "long", "interactive"),
    [
        (SMALL, 1, 60, 0.0),
        (SMALL, 20, 30, 0.0),
        (SMALL, 20, 40, 0.05),
        (GROWTH, 10, 300, 0.0),
        pytest.param(SMALL, 100, 5, 0.0, marks=pytest.mark.long),
        pytest.param(DEVELOPER, 1, 300, 0.0, marks=pytest.mark.long),
        pytest.param(DEVELOPER, 10, 300, 0.0, marks=pytest.mark.long),
        pytest.param(DEVELOPER, 50, 300, 0.05, marks=pytest.mark.long),
    ],
)
def test_beside_the_simulation(plan: Plan, accounts: int, long: int, interactive: float) -> None:
    """The time is within 5 % of the simulated client's, and the calls are the same."""
    world = World(plan=Model(plan.name, plan.calls), accounts=accounts, long=long, interactive=interactive)
    figures = simulation.run(world, "ours")
    assert ({}, accounts) == (figures.failures, figures.done)

    found = estimate_of(plan, world)

    assert figures.pages == found.calls
    assert pytest.approx(figures.seconds, rel=0.05) == found.seconds


@pytest.mark.parametrize(
    ("limit", "accounts", "connections"),
    [
        (3_000, 200, 5),  # the pool is what takes the time
        (75, 100, 5),  # the limit is
        pytest.param(3_000, 400, 10, marks=pytest.mark.long),
        pytest.param(300, 400, 5, marks=pytest.mark.long),
    ],
)
def test_connections_beside_the_simulation(
    limit: int, accounts: int, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a pool, the time is within 5 % of the simulated client's."""

    class Pooled(Ours):
        async def list_all(self) -> None:
            inside.set_connection_limiter(self.client, ConnectionLimiter(connections))
            await super().list_all()

    monkeypatch.setitem(simulation.CONTENDERS, "pooled", Pooled)
    world = World(plan=Model("mine", limit), accounts=accounts, long=5, interactive=0)
    figures = simulation.run(world, "pooled", cap=50)
    assert ({}, accounts) == (figures.failures, figures.done)

    found = estimate_of(Plan("mine", limit), world, connections=connections)

    assert pytest.approx(figures.seconds, rel=0.05) == found.seconds


@pytest.mark.parametrize(
    ("accounts", "long", "interactive"),
    [pytest.param(1, 60, 0.0, marks=pytest.mark.long), (10, 30, 0.0), (10, 5, 0.3)],
)
def test_repeats_beside_the_simulation(
    accounts: int, long: int, interactive: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeated runs take the time that the number of runs a day says, within 5 %."""
    runs, ends = 6, list[float]()

    class Again(Ours):
        async def list_all(self) -> None:
            for _ in range(runs):
                await super().list_all()
                ends.append(trio.current_time())

    monkeypatch.setitem(simulation.CONTENDERS, "again", Again)
    world = World(plan=Model("small", 20), accounts=accounts, long=long, interactive=interactive)
    figures = simulation.run(world, "again", cap=3 * runs)
    assert ({}, runs) == (figures.failures, len(ends))

    # The first run begins with an unused window.
    between = (ends[-1] - ends[0]) / (runs - 1)

    assert pytest.approx(between, rel=0.05) == 86_400 / estimate_of(SMALL, world).repeats


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"accounts": 0}, "a whole number from 1 to 1,000,000,000"),
        ({"accounts": 1.5}, "a whole number from 1 to 1,000,000,000"),
        ({"accounts": 10**400}, "a whole number from 1 to 1,000,000,000"),
        ({"pages": 0.5}, "a number from 1 to 1,000,000"),
        ({"pages": 10**400}, "a number from 1 to 1,000,000"),
        ({"pages": "3"}, "a number from 1 to 1,000,000"),
        ({"pages": True}, "a number from 1 to 1,000,000"),
        ({"longest": 2}, "a whole number from 3 to 1,000,000"),
        ({"details": -1}, "a whole number from 0 to 1,000,000,000"),
        ({"latency": -0.1}, "a number from 0 to 900"),
        ({"latency": float("nan")}, "a number from 0 to 900"),
        ({"per_day": 0}, "a number above 0 and at most 86,400"),
        ({"per_day": float("inf")}, "a number above 0 and at most 86,400"),
        ({"share": 0}, "a number above 0 and at most 1"),
        ({"share": 1.01}, "a number above 0 and at most 1"),
        ({"connections": 0}, "a whole number from 1 to 1,000,000,000"),
        ({"interactive": -0.01}, "a part of the plan, 0 or more and below 0.9956, so that calls are left for the job"),
        ({"interactive": 1}, "a part of the plan, 0 or more and below 0.9956, so that calls are left for the job"),
        ({"interactive": "x"}, "a part of the plan, 0 or more and below 0.9956, so that calls are left for the job"),
        ({"plan": "growth"}, "a Plan, such as PLANS['growth']"),
    ],
)
def test_refusals(wrong: dict[str, Any], expected: str) -> None:
    """A wrong argument is refused by name, with what is allowed and what was given."""
    ((field, value),) = wrong.items()
    job: dict[str, Any] = {"plan": GROWTH, "accounts": 10, "pages": 2.5} | wrong

    with pytest.raises(InvalidArgumentError) as raised:
        estimate(**job)

    assert (field, expected) == (raised.value.field, raised.value.expected)
    assert repr(value)[:10] == raised.value.got[:10]


def test_interactive_leaves_calls_for_the_job() -> None:
    """Interactive calls may not take the whole share; just below that, the job has an end."""
    with pytest.raises(InvalidArgumentError, match=r"below 0\.0995.*got 0\.0995$"):
        estimate(DEVELOPER, accounts=1, share=0.1, interactive=0.0995)

    assert estimate(DEVELOPER, accounts=1, share=0.1, interactive=0.0994).seconds < 86_400


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"calls": 0}, "calls"),
        ({"calls": True}, "calls"),
        ({"calls": 10**10}, "calls"),
        ({"window": 0}, "window"),
        ({"window": float("nan")}, "window"),
        ({"window": "300"}, "window"),
        ({"monthly": 0}, "monthly"),
    ],
)
def test_plan_refusals(wrong: Mapping[str, Any], field: str) -> None:
    """A wrong field of a plan is refused by its name."""
    fields: dict[str, Any] = {"name": "mine", "calls": 10} | dict(wrong)

    with pytest.raises(InvalidArgumentError) as raised:
        Plan(**fields)

    assert field == raised.value.field


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3_599.4, "59 min 59 s"),
        (3_599.6, "1 h 0 min"),
        (86_399, "1 d 0 h"),
        (86_400 * 1_234 + 7_200, "1,234 d 2 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    """A time is written in its two largest units, and rounding carries over."""
    assert text == duration(seconds)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.001, "<0.01"), (0.0555, "0.05"), (0.29, "0.29"), (2.999, "2.99"), (10.9, "10"), (1_234.9, "1,234")],
)
def test_few(number: float, text: str) -> None:
    """How often something is possible is never rounded up."""
    assert text == format_repeats(number)


def test_table() -> None:
    """Columns are aligned, words to the left and numbers to the right, without trailing blanks."""
    estimates = [estimate(plan, accounts=400, pages=3, per_day=1) for plan in (DEVELOPER, SCALE)]

    lines = table(estimates).split("\n")

    assert [
        "plan       calls         time  windows  repeats a day            month  verdict",
        "developer  1,200  55 min 15 s    12.00           0.05  36,000 (1,800%)  " + estimates[0].reasons[0],
        "scale      1,200        3.6 s     0.24          1,194           36,000  fits",
    ] == lines


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the table of all plans, and uses every option."""
    options = "--accounts 40 --pages 2.5 --longest 9 --details 7 --per-day 3 --latency 1 --share 0.5 --interactive 0.1"
    options += " --connections 7"
    job: dict[str, Any] = {"accounts": 40, "pages": 2.5, "longest": 9, "details": 7, "per_day": 3}
    job |= {"latency": 1, "share": 0.5, "interactive": 0.1, "connections": 7}

    assert 0 == main(options.split())

    assert (table(estimate(plan, **job) for plan in PLANS.values()) + "\n", "") == capsys.readouterr()


def test_command_for_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--plan`, the table has only that plan."""
    assert 0 == main(["--accounts", "40", "--plan", "scale"])

    assert table([estimate(SCALE, accounts=40)]) + "\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("", "the following arguments are required: --accounts"),
        ("--accounts 0", "argument --accounts: expected a whole number from 1 to 1,000,000,000, got 0"),
        ("--accounts many", "argument --accounts: expected a whole number from 1 to 1,000,000,000, got 'many'"),
        ("--accounts 1 --per-day nan", "argument --per-day: expected a number above 0 and at most 86,400, got nan"),
        ("--accounts 1 --plan gold", "argument --plan: invalid choice: 'gold'"),
    ],
)
def test_bad_options(options: str, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong option ends the command with 2, and a message that names it, what is allowed, and what was given."""
    with pytest.raises(SystemExit) as ended:
        main(options.split())

    assert 2 == ended.value.code
    assert f"python -m pyas_async.plans: error: {complaint}" in capsys.readouterr().err


def test_module_runs() -> None:
    """`python -m pyas_async.plans` prints its table and nothing else, even where warnings are errors."""
    command = [sys.executable, "-W", "error", "-m", "pyas_async.plans", "--accounts", "400"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    expected = table(estimate(plan, accounts=400) for plan in PLANS.values()) + "\n"
    assert (0, expected, "") == (done.returncode, done.stdout, done.stderr)
