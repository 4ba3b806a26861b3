"""Processes that share a key through Redis make no call too many, use the whole budget, and share it fairly."""

from __future__ import annotations

import signal
import statistics
import time

import pytest

from fleet.fleets import WINDOW, Fleet, fleet, measured

NAMES = ("a", "b", "c", "d")


def run(found: Fleet, windows: float) -> tuple[float, float]:
    """Let the fleet work for some windows; return the times of its start and end."""
    began = time.monotonic()
    time.sleep(windows * WINDOW)
    return began, time.monotonic()


@measured
def test_four_workers() -> None:
    """Four workers use 95 % of the key's budget, in shares equal within 10 %, without a call too many."""
    with fleet() as found:
        for name in NAMES:
            found.start(name)
        run(found, 1.5)
        began, ended = run(found, 5)
        first, last, _ = found.spent(began, ended)
        answers = found.answers(first, last)

    assert 0 == found.refused()
    found.check_used(began, ended, least=0.95)
    middle = statistics.mean(answers.values())
    assert {} == {name: count for name, count in answers.items() if not 0.9 * middle <= count <= 1.1 * middle}
    assert set(NAMES) == set(answers)


@measured
def test_a_worker_is_killed() -> None:
    """A killed worker's lease returns; the remaining workers and a new one then use the whole budget."""
    with fleet() as found:
        for name in NAMES:
            found.start(name)
        run(found, 1.3)
        found.kill("a")
        run(found, 0.7)
        found.kill("b")
        found.start("e")
        run(found, 1.5)
        began, ended = run(found, 4)

    assert 0 == found.refused()
    found.check_used(began, ended, least=0.95)
    assert {"c", "d", "e"} == set(found.answers(began, ended))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
@measured
def test_redis_goes_and_comes_back(how: signal.Signals) -> None:
    """Without Redis, each worker spends its share and reports it; after Redis returns, the budget is not overspent."""
    with fleet() as found:
        for name in NAMES:
            found.start(name)
        run(found, 1.5)
        found.wait_until(
            lambda: found.lately(2.0) > 0 == found.lately(1.0)
        )  # everything is spent, and no worker is calling
        found.redis.stop(how)
        without = run(found, 3)
        found.redis.start()
        run(found, 2.5)
        again = run(found, 3)
        said = {name: found.said(name) for name in NAMES}

    assert 0 == found.refused()
    found.check_used(*without, least=0.8)
    found.check_used(*again, least=0.9)
    assert dict.fromkeys(NAMES, True) == {name: "alone" in lines for name, lines in said.items()}


@measured
def test_redis_goes_while_a_window_begins() -> None:
    """If Redis fails at the start of a window, each worker keeps its last lease for a window, then spends its share."""
    with fleet() as found:
        for name in NAMES:
            found.start(name)
        run(found, 1.5)
        found.wait_until(lambda: 5 <= found.lately(1.0) <= 40)
        found.redis.stop(signal.SIGKILL)
        run(found, 1.2)
        without = run(found, 2)

    assert 0 == found.refused()
    found.check_used(*without, least=0.9)


def test_interactive_goes_first() -> None:
    """Interactive calls go before the bulk calls of other processes."""
    with fleet() as found:
        for name in NAMES[:3]:
            found.start(name)
        run(found, 1.5)
        found.start("people", "interactive")
        run(found, 6)
        took = sorted(float(line.split()[1]) for line in found.said("people") if line.startswith("ok"))

    assert 0 == found.refused()
    assert len(took) >= 12
    assert statistics.median(took) < WINDOW / 50
    assert took[-1] < 1.5 * WINDOW


def test_calls_of_other_programs() -> None:
    """Other programs' calls with the key, which the service reports, are known to all workers within a second."""
    import httpx  # noqa: PLC0415

    with fleet() as found, httpx.Client(base_url=found.url, headers={"x-api-key": "sandbox-key"}) as other:
        for name in NAMES:
            found.start(name)
        for _ in range(60):
            run(found, 0.1)
            asked: dict[str, str | int] = {"accountId": found.account, "maxResults": 1}
            other.get("/zoom/meetings", params=asked, headers={"x-worker": "other"})
        answers = found.answers()
        refused = [seen.headers["x-worker"] for _, seen in found.seen if seen.status == 429]

    assert answers["other"] == 60
    assert {*NAMES, "other"} == set(answers)
    assert 0.02 * sum(answers.values()) >= len([name for name in refused if name != "other"])
