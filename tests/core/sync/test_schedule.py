"""When a watch looks at which account."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pyas_async._core.sync.schedule import MAX_BACKOFF, WatchSchedule, shard_of


def passes(
    schedule: WatchSchedule, accounts: list[str], count: int, *, seconds_a_look: float = 0.0
) -> list[list[float]]:
    """Go through the accounts this many times; return when each was looked at, pass by pass."""
    now, times = 0.0, []
    for _ in range(count):
        schedule.begin_pass()
        started = []
        for account_id in accounts:
            if not schedule.draw(account_id, now):
                continue
            now += schedule.wait_time(account_id, now)
            schedule.start(account_id, now)
            started.append(now)
            schedule.succeed(account_id)
            now += seconds_a_look
        now += schedule.end_pass(now)
        times.append(started)
    return times


@given(accounts=st.integers(1, 50), every=st.floats(1, 1000), look=st.floats(0, 10))
def test_never_more_often(accounts: int, every: float, look: float) -> None:
    """No account is looked at again sooner than `every` seconds after the last start."""
    times = passes(WatchSchedule(every, 0.0), [str(n) for n in range(accounts)], 5, seconds_a_look=look)
    for earlier, later in itertools.pairwise(times):
        for before, after in zip(earlier, later, strict=True):
            assert after - before >= every * (1 - 1e-9)


def test_evenly_spread() -> None:
    """From the second pass on, the accounts are spread over the time, and each is looked at as often as it may be."""
    times = passes(WatchSchedule(60.0, 0.0), [str(n) for n in range(30)], 6)
    assert [0.0] * 30 == times[0]
    for started in times[1:]:
        gaps = [after - before for before, after in itertools.pairwise(started)]
        assert all(abs(gap - 2.0) < 1e-6 for gap in gaps)
    assert all(abs(after - before - 60.0) < 1e-6 for before, after in zip(times[-2], times[-1], strict=True))


def test_as_often_as_possible() -> None:
    """If looking takes longer than `every`, the accounts stay in turn, without pauses."""
    times = passes(WatchSchedule(10.0, 0.0), [str(n) for n in range(30)], 4, seconds_a_look=1.0)
    assert [float(n) for n in range(120)] == [moment for started in times for moment in started]


def test_failing() -> None:
    """An account that fails is set aside for `every` seconds, then twice as long each time, up to an hour."""
    schedule, now, waits = WatchSchedule(60.0, 0.0), 0.0, list[float]()
    while len(waits) < 10:
        schedule.begin_pass()
        if schedule.draw("a", now):
            schedule.start("a", now)
            schedule.fail("a", now)
            waits.append(now)
        now += schedule.end_pass(now) or 1.0
    gaps = [round(after - before) for before, after in itertools.pairwise(waits)]
    assert [60, 120, 240, 480, 960, 1920, MAX_BACKOFF, MAX_BACKOFF, MAX_BACKOFF] == [float(gap) for gap in gaps]


def test_lag() -> None:
    """The lag is the time since the longest-waiting account was looked at; failing and removed ones do not count."""
    schedule = WatchSchedule(60.0, 0.0)
    schedule.begin_pass()
    for name, at in (("a", 0.0), ("b", 5.0), ("c", 7.0)):
        assert schedule.draw(name, at)
        schedule.start(name, at)
    schedule.succeed("a")
    assert 9.0 == schedule.lag(9.0)
    schedule.succeed("b")
    schedule.fail("c", 9.0)
    schedule.end_pass(9.0)
    assert 20.0 == schedule.lag(20.0)
    schedule.begin_pass()
    schedule.draw("b", 20.0)
    schedule.end_pass(20.0)
    assert 15.0 == schedule.lag(20.0)


@given(st.text(), st.integers(1, 64))
def test_shards(account_id: str, shards: int) -> None:
    """Each account is in exactly one shard."""
    assert 0 <= shard_of(account_id, shards) < shards


def test_shards_are_stable() -> None:
    """The shard of an account is the same in every process and release."""
    assert [1, 3, 1, 1] == [shard_of(name, 4) for name in ("acc-1", "acc-2", "acc-3", "acc-4")]
