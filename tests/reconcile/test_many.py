"""``create_many(on_unknown="reconcile")``: of many creates, those without a response are looked up."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inside
from pyas_async import AuthenticationError, InvalidArgumentError, MeetingCreate, OutcomeUnknownError
from reconcile.worlds import NEW, PAUSES, World, lost, refused, unreadable, world_of
from runtime.socket_server import KEY, Seen, document

if TYPE_CHECKING:
    from collections.abc import Iterator


pytestmark = pytest.mark.anyio


@pytest.fixture
def world() -> Iterator[World]:
    """Serve a sandbox whose responses can be lost."""
    with world_of() as made:
        yield made


def meetings(count: int) -> dict[str, MeetingCreate]:
    """Make meetings that start on different days, by their titles."""
    return {
        f"Meeting {number}": attrs.evolve(
            NEW, title=f"Meeting {number}", start_date=NEW.start_date + timedelta(days=number)
        )
        for number in range(count)
    }


def made(world: World, titles: Any) -> list[int]:  # noqa: ANN401  (an iterable of strings)
    """Return how many meetings there are of each title."""
    return [len({row["id"] for row in world.rows if row["topic"] == title}) for title in titles]


async def test_found(world: World) -> None:
    """A create whose response was lost or unusable is looked up: its outcome is ok, with the meeting."""
    world.creates = [lost, refused(503), unreadable]
    new = meetings(4)
    async with world.client() as client:
        run = client.meetings.create_many(new, on_unknown="reconcile", max_concurrency=1)
        outcomes = await run
    assert list(new) == [outcome.key for outcome in outcomes]
    assert list(new) == [outcome.unwrap().topic for outcome in outcomes]
    assert [1] * 4 == made(world, new)
    assert ["create", "list", "get"] * 3 + ["create"] == world.calls()
    assert (4, 10) == (run.stats.ok, run.stats.calls)


async def test_refused_and_lost(world: World) -> None:
    """Of many creates, the refused one has failed, and the one that cannot be found is unknown."""

    def refuse(_: Seen, __: bytes) -> bytes:
        return document({"error": "no"}, 403)

    world.creates, world.unexecuted = [refuse, lost], {0, 1}
    new = meetings(5)
    async with world.client() as client:
        outcomes = await client.meetings.create_many(new, on_unknown="reconcile", max_concurrency=1)
    assert ["failed", "unknown", "ok", "ok", "ok"] == [outcome.state for outcome in outcomes]
    assert PAUSES == world.pauses


async def test_lookups_do_not_hold_up_the_others(world: World) -> None:
    """While a lookup waits, the run creates the other meetings."""
    listings = iter([False])
    world.change_rows = lambda rows: rows if next(listings, True) else []
    world.creates, world.until_then = [lost], anyio.Event()
    new = meetings(4)
    keys = []
    async with (
        world.client() as client,
        client.meetings.create_many(new, on_unknown="reconcile", max_concurrency=2) as outcomes,
    ):
        async for outcome in outcomes:
            keys.append(outcome.key)
            if len(keys) == 3:
                world.until_then.set()
    # The lookup could not end before three outcomes had come.
    assert (set(new), 4) == (set(keys), len(keys))
    assert len(world.pauses) > 1


async def test_creates_of_one_run_know_each_other(world: World) -> None:
    """Of two equal meetings of a run, neither is taken for the other: which one was lost is not guessed."""
    world.creates = [lost]
    async with world.client() as client:
        outcomes = await client.meetings.create_many([NEW, NEW], on_unknown="reconcile", max_concurrency=1)
    first, second = (outcome.unwrap().id for outcome in outcomes)
    assert first != second


@pytest.mark.parametrize("on_unknown", ["raise", "reconcile"])
async def test_a_single_create_knows_those_of_a_run(world: World, on_unknown: Any) -> None:  # noqa: ANN401  (a literal)
    """The lookup of a single create never takes the meeting of a run for its own."""
    world.creates, world.unexecuted = [unreadable, lost], {1}
    async with world.client() as client:
        (outcome,) = await client.meetings.create_many([NEW], on_unknown=on_unknown)
        with pytest.raises(OutcomeUnknownError, match="The account's listing was read"):
            await client.meetings.create(NEW, on_unknown="reconcile")
    assert ("unknown" if on_unknown == "raise" else "ok") == outcome.state
    assert [1] == made(world, [NEW.title])


async def test_cancelled_run_looks_up(world: World) -> None:
    """After `cancel`, the lookup of a create that was sent goes on, and no further create is sent."""
    world.creates = [lost]
    async with world.client() as client:
        run = client.meetings.create_many(list(meetings(3).values()), on_unknown="reconcile", max_concurrency=1)
        async with run as outcomes:
            first = await anext(outcomes)
            run.cancel()
            others = [outcome.state async for outcome in outcomes]
    assert "ok" == first.state
    assert "not_started" in others
    assert world.calls().count("create") < 3


async def test_refused_key_during_a_lookup(world: World) -> None:
    """If the key is refused while a meeting is looked up, its outcome stays unknown, and names the reason."""

    def unauthorized(_: Seen, __: bytes) -> bytes:
        return document({"error": "Unauthorized. Invalid API key."}, 401)

    world.creates, world.change_list = [lost], unauthorized
    async with world.client() as client:
        (outcome,) = await client.meetings.create_many([NEW], on_unknown="reconcile")
    assert "unknown" == outcome.state
    assert outcome.error is not None
    assert AuthenticationError.__name__ in "".join(outcome.error.__notes__)


async def test_wrong_setting(world: World) -> None:
    """Another value of `on_unknown` is refused at the call."""
    wrong: Any = "retry"
    async with world.client() as client:
        with pytest.raises(InvalidArgumentError, match="on_unknown: expected one of 'raise', 'reconcile'"):
            _ = client.meetings.create_many([NEW], on_unknown=wrong)


COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook.md"
RECIPE = re.compile(r"^## Fifty creates, one refused, one lost$.*?^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("found", [True, False])
def test_recipe(world: World, found: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The recipe of the cookbook creates each meeting once at most, and prints which are to be fixed or checked."""
    world.creates = [nothing_wrong] * 7 + [rejected] + [lost]
    world.unexecuted = {7} if found else {7, 8}
    inside.look_up_without_pauses(monkeypatch)
    monkeypatch.setenv("PYAS_API_KEY", KEY)
    monkeypatch.setenv("PYAS_BASE_URL", world.server.url)
    recipe = RECIPE.search(COOKBOOK.read_text("utf-8"))
    assert recipe is not None

    exec(recipe[1].replace('"acc"', repr(world.account)), {"__name__": "__main__"})  # noqa: S102  (running it is the test)

    printed = capsys.readouterr().out.splitlines()
    assert (49 if found else 48) == sum(made(world, (f"Lesson {number}" for number in range(1, 51))))
    assert (49 if found else 48) == sum("created as" in line for line in printed)
    assert 1 == sum("not created" in line for line in printed)
    assert (0 if found else 1) == sum("may exist" in line for line in printed)


def nothing_wrong(_: Seen, answer: bytes) -> bytes:
    """Do not change the response."""
    return answer


def rejected(_: Seen, __: bytes) -> bytes:
    """Reject a create that was not carried out."""
    return document({"error": "no"}, 403)


FAULTS: list[tuple[Any, bool]] = [
    (nothing_wrong, True),
    (rejected, False),
    (lost, True),
    (lost, False),
    (refused(503), True),
    (refused(500), False),
    (unreadable, True),
]
"""What happens to a create: the change of its response, and whether it is carried out."""


@settings(max_examples=15, deadline=None)
@given(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=8), reconcile=st.booleans())
def test_repeating_what_failed(faults: list[tuple[Any, bool]], reconcile: bool) -> None:
    """A program that repeats what failed or was not started creates no meeting twice, whatever was lost."""

    async def main() -> None:
        with world_of(0) as world:
            world.creates = [change for change, _ in faults]
            world.unexecuted = {number for number, (_, carried_out) in enumerate(faults) if not carried_out}
            new = meetings(len(faults))
            async with world.client(retry=None) as client:
                for _ in range(2):
                    outcomes = await client.meetings.create_many(
                        new, on_unknown="reconcile" if reconcile else "raise", max_concurrency=1
                    )
                    states = {outcome.key: outcome.state for outcome in outcomes}
                    new = {key: one for key, one in new.items() if states[key] in ("failed", "not_started")}
            counts = made(world, meetings(len(faults)))
            assert max(counts) <= 1
            assert not new

    anyio.run(main)
