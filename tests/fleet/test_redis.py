"""Processes that share a key through Redis: no call is one too many, all are used, and each process has its part."""

from __future__ import annotations

import signal
import statistics
import time

import pytest

from fleet.fleets import SHORT, WHOLE, Fleet, Pace, fleet, measured

paces = pytest.mark.parametrize(
    "pace", [pytest.param(SHORT, id="short"), pytest.param(WHOLE, id="whole", marks=pytest.mark.long)]
)
NAMES = ("a", "b", "c", "d")


def run(found: Fleet, windows: float) -> tuple[float, float]:
    """Let the fleet work for some windows; return when that began and ended."""
    began = time.monotonic()
    time.sleep(windows * found.pace.window)
    return began, time.monotonic()


@paces
@measured
def test_four_workers(pace: Pace) -> None:
    """Four workers use 95 % of the limit, in parts that are equal within 10 %, and no call is refused."""
    with fleet(pace) as found:
        found.start(*NAMES)
        run(found, 1.5)
        began, ended = run(found, pace.windows(5, 2))
        first, last, _ = found.spent(began, ended)
        answers = found.answers(first, last)

    assert 0 == found.refused()
    found.check_used(began, ended, least=0.95)
    middle, part = statistics.mean(answers.values()), 0.1 + pace.lost
    assert {} == {name: count for name, count in answers.items() if not 1 - part <= count / middle <= 1 + part}
    assert set(NAMES) == set(answers)


@paces
@measured
def test_a_worker_is_killed(pace: Pace) -> None:
    """What a killed worker had leased comes back, and the remaining workers and a new one use the whole limit."""
    with fleet(pace) as found:
        found.start(*NAMES)
        run(found, 1.3)
        found.kill("a")
        run(found, 0.7)
        found.kill("b")
        found.start("e")
        run(found, 1.5)
        began, ended = run(found, pace.windows(4, 2))

    assert 0 == found.refused()
    found.check_used(began, ended, least=0.95)
    assert {"c", "d", "e"} == set(found.answers(began, ended))


@pytest.mark.parametrize(
    ("pace", "how"),
    [
        pytest.param(SHORT, signal.SIGKILL, id="killed-short"),
        pytest.param(WHOLE, signal.SIGTERM, id="stopped-whole", marks=pytest.mark.long),
        pytest.param(WHOLE, signal.SIGKILL, id="killed-whole", marks=pytest.mark.long),
    ],
)
@measured
def test_redis_stops_and_comes_back(pace: Pace, how: signal.Signals) -> None:
    """Without Redis each worker spends its part, and reports that. No call is refused, also when Redis is back."""
    with fleet(pace) as found:
        found.start(*NAMES)
        run(found, 1.5)
        found.wait_until(
            lambda: found.recent(2.0) > 0 == found.recent(1.0)
        )  # the limit is used up, and no worker sends
        found.redis.stop(how)
        without = run(found, pace.windows(3, 2))
        found.redis.start()
        run(found, pace.windows(2.5, 1))
        again = run(found, pace.windows(3, 2))
        said = {name: found.output(name) for name in NAMES}

    assert 0 == found.refused()
    found.check_used(*without, least=0.8)
    found.check_used(*again, least=0.9)
    assert dict.fromkeys(NAMES, True) == {name: "alone" in lines for name, lines in said.items()}


@paces
@measured
def test_redis_stops_while_a_window_begins(pace: Pace) -> None:
    """Each worker keeps to what it used until then for a window, and spends its part afterwards."""
    with fleet(pace) as found:
        found.start(*NAMES)
        run(found, 1.5)
        found.wait_until(lambda: 5 <= found.recent(1.0) <= 40)
        found.redis.stop(signal.SIGKILL)
        run(found, 1.2)
        without = run(found, pace.windows(2, 1.5))

    assert 0 == found.refused()
    found.check_used(*without, least=0.9)


# In a short window, a second is too large a part for what the last two tests are about.
@pytest.mark.long
def test_interactive_goes_first() -> None:
    """Interactive calls go before the bulk calls of other processes."""
    with fleet(WHOLE) as found:
        found.start(*NAMES[:3])
        run(found, 1.5)
        found.start("people", kind="interactive")
        run(found, 6)
        seconds = sorted(float(line.split()[1]) for line in found.output("people") if line.startswith("ok"))

    assert 0 == found.refused()
    assert len(seconds) >= 12
    assert statistics.median(seconds) < WHOLE.window / 50
    assert seconds[-1] < 1.5 * WHOLE.window


@pytest.mark.long
def test_another_program_spends() -> None:
    """Calls of another program with the key, which the service reports, count for all workers within a second."""
    import httpx  # noqa: PLC0415

    with fleet(WHOLE) as found, httpx.Client(base_url=found.url, headers={"x-api-key": "sandbox-key"}) as other:
        found.start(*NAMES)
        for _ in range(60):
            run(found, 0.1)
            asked: dict[str, str | int] = {"accountId": found.account, "maxResults": 1}
            other.get("/zoom/meetings", params=asked, headers={"x-worker": "other"})
        answers = found.answers()
        refused = [seen.headers["x-worker"] for _, seen in found.seen if seen.status == 429]

    assert answers["other"] == 60
    assert {*NAMES, "other"} == set(answers)
    assert 0.02 * sum(answers.values()) >= len([name for name in refused if name != "other"])
