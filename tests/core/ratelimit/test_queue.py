"""The order in which waiting calls are let out, and the rules that keep listings alive: on a clock moved by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inside
from core.strategies import brisk
from core.tools import NOON
from pyas_async import RateBudget
from pyas_async._core.ratelimit.fair_queue import FairQueue
from pyas_async._core.ratelimit.listings import ActiveListings
from pyas_async._core.ratelimit.queue import Queue, Ticket

if TYPE_CHECKING:
    from collections.abc import Sequence


@attrs.define
class Places:
    """A budget that says what a test wants it to say: so many places now, so many more every `every` seconds."""

    free: int = 1
    every: float = 1.0
    brings: int = 1
    capacity: float = math.inf
    for_bulk: bool = True
    spread: float = 0.0
    taken: list[bool] = attrs.field(factory=list)
    asked: list[tuple[float, ...]] = attrs.field(factory=list)

    def slots(self, now: float, until: float) -> float:
        """Count the places until then."""
        return self.free + max(0.0, until - now) // self.every * self.brings

    def listings(self, life: float) -> float:
        """Count the listings there is room for."""
        self.asked.append((life,))
        return self.capacity

    def wait(self, now: float, *, bulk: bool) -> float | None:
        """Say how long until there is a place."""
        assert now < math.inf
        if self.free < 1:
            return self.every
        return 0.0 if self.for_bulk or not bulk else 0.5

    def spare(self, now: float) -> float:
        """Count the places for bulk calls."""
        assert now < math.inf
        return self.free if self.for_bulk else 0

    def claim(self, pages: int, period: float) -> int:
        """Say what a listing may claim."""
        self.asked.append((pages, period))
        return pages

    def took(self, now: float, *, bulk: bool) -> None:
        """Give a place away."""
        assert now < math.inf
        self.taken.append(bulk)
        self.free -= 1

    def step(self, now: float) -> float:
        """Say how far apart a crowd goes."""
        assert now < math.inf
        return self.spread


def interactive(account: str = "a") -> Ticket:
    """Make a single call."""
    return Ticket(account=account)


def bulk(account: str = "a") -> Ticket:
    """Make a call of a bulk run."""
    return Ticket(bulk=True, account=account)


def token(dies: float, account: str = "a") -> Ticket:
    """Make a call of a listing under way."""
    return Ticket(bulk=True, account=account, dies=dies, listing=object(), life=890.0)


def beginner(account: str = "a") -> Ticket:
    """Make the first call of a listing."""
    return Ticket(bulk=True, account=account, listing=object(), life=890.0)


def order(tickets: Sequence[Ticket], *, room: Places | None = None, now: float = 0.0) -> list[int]:
    """Let all stand in line, then let out one after the other; give their numbers in the order in which they went."""
    queue, room = Queue(), room or Places()
    for ticket in tickets:
        queue.join(ticket)
    went: list[int] = []
    while len(went) < len(tickets):
        room.free = 1
        queue.serve(room, now, 0.5)
        done = [number for number, ticket in enumerate(tickets) if ticket.granted and number not in went]
        if not done:
            break
        went += done
    return went


def test_interactive_before_bulk() -> None:
    """Single calls go before those of iterations and bulk runs."""
    assert [1, 3, 0, 2] == order([bulk(), interactive(), bulk(), interactive()])


def test_first_to_die_goes_first() -> None:
    """Among bulk calls, the one whose page token dies first goes first; those without a token after all of them."""
    assert [2, 1, 0, 3] == order([bulk(), token(1_000.0), token(900.0), bulk()])


@pytest.mark.parametrize("make", [interactive, bulk, beginner])
def test_fair_between_accounts(make: object) -> None:
    """An account that asks for much does not keep others waiting: accounts take turns, in order of arrival."""
    assert callable(make)
    assert [0, 3, 1, 4, 2] == order([make("a"), make("a"), make("a"), make("b"), make("b")])


def test_one_of_ten_is_bulk() -> None:
    """However many single calls wait, every tenth release is a bulk one while such wait."""
    went = order([*(interactive(str(number)) for number in range(30)), bulk(), bulk(), bulk()])

    assert [30, 31, 32] == [went[9], went[19], went[29]]


def test_last_safe_slot() -> None:
    """A token that would die if it waited for the next place goes before single calls; a younger one waits."""
    room = Places(every=100.0)

    assert [1, 0] == order([interactive(), token(dies=99.0)], room=room)
    assert [0, 1] == order([interactive(), token(dies=100.0)], room=room)


def test_last_safe_slot_of_many() -> None:
    """Tokens that could each wait, but not all of them, are counted together: so many go first that the rest can."""
    room = Places(every=100.0)
    tokens = [token(dies=350.0), token(dies=351.0), token(dies=352.0), token(dies=353.0)]

    assert [1, 0, 2, 3, 4] == order([interactive(), *tokens], room=room)


def test_admission() -> None:
    """A listing is begun while there is room for it; a bulk call behind it goes, a listing under way goes."""
    queue, room = Queue(), Places(free=10, capacity=1)
    one, other, call = beginner("a"), beginner("b"), bulk()
    for ticket in (one, other, call):
        queue.join(ticket)
    queue.serve(room, 0.0, 0.5)
    assert [True, False, True] == [one.granted, other.granted, call.granted]

    assert one.listing is not None
    queue.listings.stands(one.listing, 900.0, 0.0)
    queue.serve(room, 899.0, 0.5)
    assert not other.granted
    assert 900.0 == queue.next_look(room, 899.0)
    queue.serve(room, 900.0, 0.5)
    assert other.granted


def test_a_listing_that_begins_again_counts_once() -> None:
    """The retry of a listing's first call is not held up by the listing itself."""
    queue, room = Queue(), Places(free=10, capacity=1)
    first = beginner()
    queue.served(first, room, 0.0, 0.5)

    assert queue.may_go(msgspec.structs.replace(first, granted=False), room, 1.0)
    assert not queue.may_go(beginner(), room, 1.0)


def test_the_longest_listing_has_a_claim() -> None:
    """Where places are short, bulk calls leave some to the longest listing, as long as it is busy."""
    queue, room = Queue(), Places(free=5)
    long, other = token(900.0, "a"), token(890.0, "b")
    assert long.listing is not None
    queue.listings.stands(long.listing, 900.0, 0.0, pages=7)
    for ticket in (long, other):
        queue.join(ticket)
    queue.leave(long)
    queue.serve(room, 0.0, 0.5)
    assert not other.granted
    assert 1.0 == queue.next_look(room, 0.0)
    assert queue.may_go(interactive(), room, 0.0)
    assert queue.may_go(long, room, 0.0)
    room.free = 8
    queue.serve(room, 0.0, 0.5)
    assert other.granted
    room.free = 5
    queue.join(late := token(890.0, "b"))
    queue.serve(room, 0.9, 0.5)
    assert not late.granted
    queue.serve(room, 1.0, 0.5)
    assert late.granted


def test_the_longest_listing_goes_before_tokens_that_die_earlier() -> None:
    """Where others are held back for its sake, the longest listing goes, until a token has a tenth of its life left."""
    queue, room = Queue(), Places(free=5)
    long, other = token(1_700.0, "a"), token(890.0, "b")
    queue.join(long)
    queue.join(other)
    assert other is queue.next(room, 800.5)
    assert long.listing is not None
    queue.listings.stands(long.listing, 1_700.0, 800.5, pages=7)

    assert long is queue.next(room, 800.9)
    assert 801.0 == queue.next_look(room, 800.9)
    assert other is queue.next(room, 801.0)
    room.for_bulk = False
    assert None is queue.next(room, 800.9)
    room.for_bulk = True
    queue.leave(long)
    assert None is queue.next(room, 800.9)


def test_what_a_claim_leaves() -> None:
    """Others have what is free beyond the claim, to the place, however little is free; its end is looked for."""
    queue, room = Queue(), Places(free=7)
    long, other = token(900.0, "a"), token(890.0, "b")
    assert long.listing is not None
    queue.listings.stands(long.listing, 900.0, 0.0)
    queue.listings.sends(long.listing, 0.0, 0.0)
    queue.listings.stands(long.listing, 900.0, 4.0, pages=7)
    queue.join(other)

    assert [False, False, True] == [queue.may_go(other, attrs.evolve(room, free=free), 4.5) for free in (1, 7, 8)]
    assert {(7, 4.0)} == set(room.asked)
    assert 5.0 == queue.next_look(room, 4.5)


def test_a_listing_that_sends_is_busy() -> None:
    """The call of a listing that goes out keeps its claim alive, counted from when its reader asked."""
    queue, room = Queue(), Places(free=10)
    page = token(900.0)
    page.asked = 0.5
    assert page.listing is not None
    queue.listings.stands(page.listing, 900.0, 0.0, pages=7)
    queue.served(page, room, 2.0, 0.5)
    assert (page.listing, 7, math.inf, 7.0) == queue.listings.claim(6.9)
    queue.listings.stands(page.listing, 900.0, 3.0, pages=6)
    assert (page.listing, 6, 1.5, 4.0) == queue.listings.claim(3.0)


def test_first_come_first_served_in_bulk() -> None:
    """A listing that has not begun and a bulk call without a token go as they came."""
    assert [0, 1] == order([bulk("a"), beginner("b")])
    assert [0, 1] == order([beginner("b"), bulk("a")])
    room = Places()
    order([beginner()], room=room)
    assert {(890.0,)} == set(room.asked)


def test_who_was_let_out_is_told() -> None:
    """The budget is told of each call that goes out, and whether it is a bulk one."""
    room = Places()
    order([interactive(), bulk(), token(900.0)], room=room)

    assert [False, True, True] == room.taken


def test_tokens_without_a_listing() -> None:
    """Page tokens of no listing are each a call of its own."""
    assert [1, 0] == order([Ticket(bulk=True, dies=900.0), Ticket(bulk=True, dies=800.0)])


class Hanging(Places):
    """A budget whose next place hangs on a call under way."""

    def wait(self, now: float, *, bulk: bool) -> float | None:
        """Nobody knows."""
        return None


def test_when_to_look_for_a_place() -> None:
    """Who waits looks when the next place comes; never, if that hangs on a call under way."""
    queue = Queue()
    queue.join(interactive())

    assert 10.0 == queue.next_look(Places(free=0, every=7.0), 3.0)
    assert math.inf == queue.next_look(Hanging(), 3.0)


def test_kept_back() -> None:
    """What the budget keeps back for single calls is given to them, not to bulk calls; when to look again is told."""
    room = Places(for_bulk=False)
    queue = Queue()
    queue.join(waiting := bulk())
    queue.serve(room, 0.0, 0.5)
    assert not waiting.granted
    assert 0.5 == queue.next_look(room, 0.0)
    assert [True, False] == [queue.may_go(ticket, room, 0.0) for ticket in (interactive(), bulk())]
    queue.join(single := interactive())
    queue.serve(room, 0.0, 0.5)
    assert single.granted


def test_a_crowd_is_spread() -> None:
    """After a pause, calls go out one after the other, with a little chance between them."""
    room, queue = Places(free=10, spread=1.0), Queue()
    tickets = [interactive() for _ in range(3)]
    for ticket in tickets:
        queue.join(ticket)
    queue.serve(room, 0.0, 0.25)
    assert 1.25 == queue.next_look(room, 0.0)
    assert 1.25 == queue.next_look(attrs.evolve(room, for_bulk=False), 0.0)
    queue.serve(room, 1.2, 0.25)
    assert [True, False, False] == [ticket.granted for ticket in tickets]
    assert [False, True] == [queue.may_go(interactive(), room, now) for now in (1.2, 1.25)]
    assert math.inf == queue.next_look(room, 1.25)
    queue.serve(room, 1.25, 0.25)
    assert [True, True, False] == [ticket.granted for ticket in tickets]


def test_who_leaves_keeps_the_turn_for_its_account() -> None:
    """Who goes home in the queue takes nothing from its account's other calls: the turn is theirs."""
    queue = Queue()
    first, second, other = interactive("a"), interactive("a"), interactive("b")
    for ticket in (first, second, other):
        queue.join(ticket)
    assert [0, 2, 1] == [queue.ahead(ticket) for ticket in (first, second, other)]
    queue.leave(first)

    assert [0, 1] == [queue.ahead(ticket) for ticket in (second, other)]
    assert [second, other] == [queue_next(queue), queue_next(queue)]


def test_impatient_calls_cost_their_account_nothing() -> None:
    """An account whose calls give up again and again, just before it is their turn, is served as often as others."""
    queue, room = Queue(), Places(free=0)
    for _ in range(20):
        queue.join(interactive("a"))
        queue.join(interactive("b"))
    served = []
    for _ in range(10):
        leaver = next(ticket for ticket in queue if ticket.account == "a")
        queue.leave(leaver)
        room.free = 1
        waiting = list(queue)
        queue.serve(room, 0.0, 0.5)
        served += [ticket.account for ticket in waiting if ticket.granted]

    assert ["a", "b"] * 5 == served


def test_abandoned_listings_end() -> None:
    """A listing of which it is noted that nobody holds it is counted no more, and who waits for that looks soon."""
    queue, room = Queue(), Places(free=10, capacity=1)
    one, other = beginner("a"), beginner("b")
    queue.served(one, room, 0.0, 0.5)
    queue.join(other)
    assert 11.0 == queue.next_look(room, 10.0)
    queue.listings.abandoned.append(one.listing)
    assert one.listing is not None
    queue.listings.abandoned.append(one.listing)
    queue.serve(room, 11.0, 0.5)

    assert other.granted
    assert other.listing in queue.listings
    assert one.listing not in queue.listings


def test_a_lane() -> None:
    """A lane counts those who wait in it; whoever is served hands the turn to the next account, who leaves does not."""
    lane = FairQueue()
    a, b, c = interactive("a"), interactive("a"), interactive("b")
    assert (0, None) == (len(lane), lane.head())
    for ticket in (a, b, c):
        lane.push(ticket)
    assert (3, a, [0, 2, 1]) == (len(lane), lane.head(), [lane.ahead(ticket) for ticket in (a, b, c)])
    a.granted = True
    lane.remove(a)
    assert (2, c, [1, 0]) == (len(lane), lane.head(), [lane.ahead(ticket) for ticket in (b, c)])
    lane.remove(c)
    assert (1, b) == (len(lane), lane.head())
    lane.remove(b)
    assert (0, None) == (len(lane), lane.head())


def queue_next(queue: Queue) -> Ticket | None:
    """Let out one."""
    room = Places()
    ticket = queue.next(room, 0.0)
    queue.serve(room, 0.0, 0.5)
    return ticket


accounts = st.sampled_from("abc")
tickets = st.one_of(
    st.builds(interactive, accounts),
    st.builds(bulk, accounts),
    st.builds(beginner, accounts),
    st.builds(token, st.floats(0, 2_000), accounts),
)


@brisk
@given(st.lists(tickets, max_size=40), st.data())
def test_everybody_goes_once(line: list[Ticket], data: st.DataObject) -> None:
    """Whoever comes and goes, each who stays is let out exactly once, and nothing is left of those who left."""
    queue, room = Queue(), Places()
    gone: list[Ticket] = []
    for ticket in line:
        queue.join(ticket)
        if data.draw(st.booleans()):
            gone.append(leaver := data.draw(st.sampled_from(list(queue))))
            queue.leave(leaver)
    assert len(line) - len(gone) == len(queue)
    for _ in range(len(queue)):
        room.free = 1
        queue.serve(room, 0.0, 0.5)

    assert 0 == len(queue)
    assert [ticket not in gone for ticket in line] == [ticket.granted for ticket in line]


@brisk
@given(st.lists(tickets, min_size=1, max_size=60), st.integers(1, 5))
def test_no_token_dies_that_could_live(line: list[Ticket], brings: int) -> None:
    """If the places suffice for all tokens, none dies in the queue, however many single calls wait before it."""
    room, queue, now = Places(free=0, every=50.0, brings=brings), Queue(), 0.0
    for ticket in line:
        queue.join(ticket)
    deaths = sorted(ticket.dies for ticket in line if ticket.dies < math.inf)
    possible = all(room.slots(0.0, dies) >= rank for rank, dies in enumerate(deaths, 1))
    died = []
    while len(queue):
        now += room.every
        died += [ticket for ticket in queue if ticket.dies < now]
        room.free = brings
        queue.serve(room, now, 0.5)

    assert not (possible and died)


@brisk
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.floats(0, 100), st.floats(0, 10)), max_size=200))
def test_listings_are_counted(history: list[tuple[str, float | None, float]]) -> None:
    """Those under way are the ones whose last token lives, whatever was said of them before."""
    listings, model, now = ActiveListings(), dict[str, float](), 0.0
    for name, life, passes in history:
        now += passes
        if life is None:
            listings.ended(name)
            model.pop(name, None)
        else:
            listings.stands(name, now + life, now)
            model[name] = now + life
        alive = [dies for dies in model.values() if dies > now]
        assert len(alive) == listings.count(now)
        assert inside.entries_by_expiry(listings) <= 2 * len(alive) + 65


def test_room_for_listings() -> None:
    """As many listings are under way as the budget gives calls in a token's life, for sure; at least one."""
    assert 200 == RateBudget.developer().listings(890.0)
    assert 10_000 == RateBudget.scale().listings(890.0)
    assert 100 == RateBudget.developer(share=0.5).listings(890.0)
    assert 1 == RateBudget(1).listings(10.0)
    assert math.inf == RateBudget().listings(890.0)
    told = RateBudget()
    told.learn({"x-ratelimit-remaining": "99"}, 0.0, NOON)
    assert 200 == told.listings(890.0)
