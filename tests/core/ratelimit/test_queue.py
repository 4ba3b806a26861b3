"""The order in which waiting calls get slots, and the rules that let listings end: on a clock that the test moves."""

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
from pyas_async._core.ratelimit.listings import ActiveListings
from pyas_async._core.ratelimit.queue import Queue
from pyas_async._core.ratelimit.tickets import FairQueue, Ticket

if TYPE_CHECKING:
    from collections.abc import Sequence


@attrs.define
class FakeBudget:
    """A budget that says what a test wants: slots that are free now, and more every few seconds."""

    free: int = 1
    every: float = 1.0
    brings: int = 1
    capacity: float = math.inf
    for_bulk: bool = True
    spread: float = 0.0
    acquired: list[bool] = attrs.field(factory=list)
    asked: list[tuple[float, ...]] = attrs.field(factory=list)

    def slots_until(self, now: float, until: float) -> float:
        """Count the slots until a moment."""
        return self.free + max(0.0, until - now) // self.every * self.brings

    def max_listings(self, token_life: float) -> float:
        """Return how many listings may be active."""
        self.asked.append((token_life,))
        return self.capacity

    def wait_time(self, now: float, *, bulk: bool) -> float | None:
        """Return the seconds until a slot is free."""
        assert now < math.inf
        if self.free < 1:
            return self.every
        return 0.0 if self.for_bulk or not bulk else 0.5

    def bulk_slots(self, now: float) -> float:
        """Count the slots for bulk calls."""
        assert now < math.inf
        return self.free if self.for_bulk else 0

    def listing_reserve(self, pages: int, page_seconds: float) -> int:
        """Return what is reserved for a listing."""
        self.asked.append((pages, page_seconds))
        return pages

    def acquire(self, now: float, *, bulk: bool) -> None:
        """Take a slot."""
        assert now < math.inf
        self.acquired.append(bulk)
        self.free -= 1

    def spacing(self, now: float) -> float:
        """Return the seconds between two calls."""
        assert now < math.inf
        return self.spread


def interactive(account: str = "a") -> Ticket:
    """Make the ticket of an interactive call."""
    return Ticket(account=account)


def bulk(account: str = "a") -> Ticket:
    """Make the ticket of a call of a bulk run."""
    return Ticket(bulk=True, account=account)


def token(expires_at: float, account: str = "a") -> Ticket:
    """Make the ticket of an active listing, which carries a page token."""
    return Ticket(bulk=True, account=account, expires_at=expires_at, listing=object(), token_life=890.0)


def new_listing(account: str = "a") -> Ticket:
    """Make the ticket of the first call of a listing."""
    return Ticket(bulk=True, account=account, listing=object(), token_life=890.0)


def order(tickets: Sequence[Ticket], *, budget: FakeBudget | None = None, now: float = 0.0) -> list[int]:
    """Queue all tickets, then grant one after the other; return their numbers in that order."""
    queue, budget = Queue(), budget or FakeBudget()
    for ticket in tickets:
        queue.add(ticket)
    granted: list[int] = []
    while len(granted) < len(tickets):
        budget.free = 1
        queue.grant_waiting(budget, now, 0.5)
        done = [number for number, ticket in enumerate(tickets) if ticket.granted and number not in granted]
        if not done:
            break
        granted += done
    return granted


def test_interactive_before_bulk() -> None:
    """Interactive calls go before those of iterations and bulk runs."""
    assert [1, 3, 0, 2] == order([bulk(), interactive(), bulk(), interactive()])


def test_first_to_expire_goes_first() -> None:
    """Among bulk calls, the one whose page token expires first goes first; those without a token go last."""
    assert [2, 1, 0, 3] == order([bulk(), token(1_000.0), token(900.0), bulk()])


@pytest.mark.parametrize("make", [interactive, bulk, new_listing])
def test_fair_between_accounts(make: object) -> None:
    """An account with many calls does not keep others waiting: accounts take turns, in order of arrival."""
    assert callable(make)
    assert [0, 3, 1, 4, 2] == order([make("a"), make("a"), make("a"), make("b"), make("b")])


def test_one_of_ten_is_bulk() -> None:
    """However many interactive calls wait, every tenth call that goes out is a bulk one while bulk calls wait."""
    granted = order([*(interactive(str(number)) for number in range(30)), bulk(), bulk(), bulk()])

    assert [30, 31, 32] == [granted[9], granted[19], granted[29]]


def test_token_at_risk() -> None:
    """A token that would expire before the next slot goes before interactive calls; a younger one waits."""
    budget = FakeBudget(every=100.0)

    assert [1, 0] == order([interactive(), token(expires_at=99.0)], budget=budget)
    assert [0, 1] == order([interactive(), token(expires_at=100.0)], budget=budget)


def test_many_tokens_at_risk() -> None:
    """Tokens of which each could wait, but not all, are counted together: as many go first as the rest needs."""
    budget = FakeBudget(every=100.0)
    tokens = [token(expires_at=350.0), token(expires_at=351.0), token(expires_at=352.0), token(expires_at=353.0)]

    assert [1, 0, 2, 3, 4] == order([interactive(), *tokens], budget=budget)


def test_admission() -> None:
    """A new listing waits until it may begin; meanwhile a bulk call behind it and active listings go on."""
    queue, budget = Queue(), FakeBudget(free=10, capacity=1)
    one, other, call = new_listing("a"), new_listing("b"), bulk()
    for ticket in (one, other, call):
        queue.add(ticket)
    queue.grant_waiting(budget, 0.0, 0.5)
    assert [True, False, True] == [one.granted, other.granted, call.granted]

    assert one.listing is not None
    queue.listings.update(one.listing, 900.0, 0.0)
    queue.grant_waiting(budget, 899.0, 0.5)
    assert not other.granted
    assert 900.0 == queue.recheck_at(budget, 899.0)
    queue.grant_waiting(budget, 900.0, 0.5)
    assert other.granted


def test_a_listing_that_begins_again_counts_once() -> None:
    """A retry of a listing's first call is not held up by the listing itself."""
    queue, budget = Queue(), FakeBudget(free=10, capacity=1)
    first = new_listing()
    queue.grant(first, budget, 0.0, 0.5)

    assert queue.can_grant(msgspec.structs.replace(first, granted=False), budget, 1.0)
    assert not queue.can_grant(new_listing(), budget, 1.0)


def test_slots_are_kept_for_the_longest_listing() -> None:
    """If slots are short, bulk calls leave some to the longest listing, as long as it is busy."""
    queue, budget = Queue(), FakeBudget(free=5)
    long, other = token(900.0, "a"), token(890.0, "b")
    assert long.listing is not None
    queue.listings.update(long.listing, 900.0, 0.0, pages=7)
    for ticket in (long, other):
        queue.add(ticket)
    queue.remove(long)
    queue.grant_waiting(budget, 0.0, 0.5)
    assert not other.granted
    assert 1.0 == queue.recheck_at(budget, 0.0)
    assert queue.can_grant(interactive(), budget, 0.0)
    assert queue.can_grant(long, budget, 0.0)
    budget.free = 8
    queue.grant_waiting(budget, 0.0, 0.5)
    assert other.granted
    budget.free = 5
    queue.add(late := token(890.0, "b"))
    queue.grant_waiting(budget, 0.9, 0.5)
    assert not late.granted
    queue.grant_waiting(budget, 1.0, 0.5)
    assert late.granted


def test_the_longest_listing_goes_before_tokens_that_expire_earlier() -> None:
    """While others are held back, the longest listing goes, until a token has a tenth of its life left."""
    queue, budget = Queue(), FakeBudget(free=5)
    long, other = token(1_700.0, "a"), token(890.0, "b")
    queue.add(long)
    queue.add(other)
    assert other is queue.next_ticket(budget, 800.5)
    assert long.listing is not None
    queue.listings.update(long.listing, 1_700.0, 800.5, pages=7)

    assert long is queue.next_ticket(budget, 800.9)
    assert 801.0 == queue.recheck_at(budget, 800.9)
    assert other is queue.next_ticket(budget, 801.0)
    budget.for_bulk = False
    assert None is queue.next_ticket(budget, 800.9)
    budget.for_bulk = True
    queue.remove(long)
    assert None is queue.next_ticket(budget, 800.9)


def test_slots_beyond_the_reserve() -> None:
    """Other calls get exactly the slots beyond the reserve, however few; the next look is when the reserve ends."""
    queue, budget = Queue(), FakeBudget(free=7)
    long, other = token(900.0, "a"), token(890.0, "b")
    assert long.listing is not None
    queue.listings.update(long.listing, 900.0, 0.0)
    queue.listings.call_sent(long.listing, 0.0, 0.0)
    queue.listings.update(long.listing, 900.0, 4.0, pages=7)
    queue.add(other)

    assert [False, False, True] == [queue.can_grant(other, attrs.evolve(budget, free=free), 4.5) for free in (1, 7, 8)]
    assert {(7, 4.0)} == set(budget.asked)
    assert 5.0 == queue.recheck_at(budget, 4.5)


def test_a_listing_that_sends_is_busy() -> None:
    """A listing whose call goes out stays busy; its seconds for a page count from when its consumer asked."""
    queue, budget = Queue(), FakeBudget(free=10)
    page = token(900.0)
    page.requested_at = 0.5
    assert page.listing is not None
    queue.listings.update(page.listing, 900.0, 0.0, pages=7)
    queue.grant(page, budget, 2.0, 0.5)
    assert (page.listing, 7, math.inf, 7.0) == queue.listings.longest(6.9)
    queue.listings.update(page.listing, 900.0, 3.0, pages=6)
    assert (page.listing, 6, 1.5, 4.0) == queue.listings.longest(3.0)


def test_first_come_first_served_in_bulk() -> None:
    """A new listing and a bulk call without a token go in order of arrival."""
    assert [0, 1] == order([bulk("a"), new_listing("b")])
    assert [0, 1] == order([new_listing("b"), bulk("a")])
    budget = FakeBudget()
    order([new_listing()], budget=budget)
    assert {(890.0,)} == set(budget.asked)


def test_slots_are_acquired() -> None:
    """Each call that goes out acquires a slot of the budget, as a bulk call or an interactive one."""
    budget = FakeBudget()
    order([interactive(), bulk(), token(900.0)], budget=budget)

    assert [False, True, True] == budget.acquired


def test_tokens_without_a_listing() -> None:
    """Page tokens that belong to no listing are told apart."""
    assert [1, 0] == order([Ticket(bulk=True, expires_at=900.0), Ticket(bulk=True, expires_at=800.0)])


class WaitsForCallInFlight(FakeBudget):
    """A budget whose next slot depends on a call in flight."""

    def wait_time(self, now: float, *, bulk: bool) -> float | None:
        """Return that it is unknown."""
        return None


def test_when_to_look_for_a_slot() -> None:
    """The next check is when the next slot becomes free; never, if that depends on a call in flight."""
    queue = Queue()
    queue.add(interactive())

    assert 10.0 == queue.recheck_at(FakeBudget(free=0, every=7.0), 3.0)
    assert math.inf == queue.recheck_at(WaitsForCallInFlight(), 3.0)


def test_slots_reserved_for_interactive_calls() -> None:
    """Reserved slots go to interactive calls, not to bulk calls; the next check is when fewer are reserved."""
    budget = FakeBudget(for_bulk=False)
    queue = Queue()
    queue.add(waiting := bulk())
    queue.grant_waiting(budget, 0.0, 0.5)
    assert not waiting.granted
    assert 0.5 == queue.recheck_at(budget, 0.0)
    assert [True, False] == [queue.can_grant(ticket, budget, 0.0) for ticket in (interactive(), bulk())]
    queue.add(single := interactive())
    queue.grant_waiting(budget, 0.0, 0.5)
    assert single.granted


def test_calls_are_spread_after_a_pause() -> None:
    """After a pause, calls go out one after the other, with some jitter between them."""
    budget, queue = FakeBudget(free=10, spread=1.0), Queue()
    tickets = [interactive() for _ in range(3)]
    for ticket in tickets:
        queue.add(ticket)
    queue.grant_waiting(budget, 0.0, 0.25)
    assert 1.25 == queue.recheck_at(budget, 0.0)
    assert 1.25 == queue.recheck_at(attrs.evolve(budget, for_bulk=False), 0.0)
    queue.grant_waiting(budget, 1.2, 0.25)
    assert [True, False, False] == [ticket.granted for ticket in tickets]
    assert [False, True] == [queue.can_grant(interactive(), budget, now) for now in (1.2, 1.25)]
    assert math.inf == queue.recheck_at(budget, 1.25)
    queue.grant_waiting(budget, 1.25, 0.25)
    assert [True, True, False] == [ticket.granted for ticket in tickets]


def test_a_removed_call_leaves_the_turn_to_its_account() -> None:
    """A call that leaves the queue takes nothing from its account's other calls: the turn is theirs."""
    queue = Queue()
    first, second, other = interactive("a"), interactive("a"), interactive("b")
    for ticket in (first, second, other):
        queue.add(ticket)
    assert [0, 2, 1] == [queue.count_before(ticket) for ticket in (first, second, other)]
    queue.remove(first)

    assert [0, 1] == [queue.count_before(ticket) for ticket in (second, other)]
    assert [second, other] == [queue_next(queue), queue_next(queue)]


def test_impatient_calls_cost_their_account_nothing() -> None:
    """An account whose calls give up again and again, just before their turn, gets as many slots as others."""
    queue, budget = Queue(), FakeBudget(free=0)
    for _ in range(20):
        queue.add(interactive("a"))
        queue.add(interactive("b"))
    accounts = []
    for _ in range(10):
        removed = next(ticket for ticket in queue if ticket.account == "a")
        queue.remove(removed)
        budget.free = 1
        waiting = list(queue)
        queue.grant_waiting(budget, 0.0, 0.5)
        accounts += [ticket.account for ticket in waiting if ticket.granted]

    assert ["a", "b"] * 5 == accounts


def test_abandoned_listings_end() -> None:
    """An abandoned listing does not count any more, and waiting calls look for that soon."""
    queue, budget = Queue(), FakeBudget(free=10, capacity=1)
    one, other = new_listing("a"), new_listing("b")
    queue.grant(one, budget, 0.0, 0.5)
    queue.add(other)
    assert 11.0 == queue.recheck_at(budget, 10.0)
    queue.listings.abandoned.append(one.listing)
    assert one.listing is not None
    queue.listings.abandoned.append(one.listing)
    queue.grant_waiting(budget, 11.0, 0.5)

    assert other.granted
    assert other.listing in queue.listings
    assert one.listing not in queue.listings


def test_fair_queue() -> None:
    """A call that is granted passes the turn to the next account; one that gives up leaves it to its own."""
    queue = FairQueue()
    a, b, c = interactive("a"), interactive("a"), interactive("b")
    assert (0, None) == (len(queue), queue.first())
    for ticket in (a, b, c):
        queue.append(ticket)
    assert (3, a, [0, 2, 1]) == (len(queue), queue.first(), [queue.count_before(ticket) for ticket in (a, b, c)])
    a.granted = True
    queue.remove(a)
    assert (2, c, [1, 0]) == (len(queue), queue.first(), [queue.count_before(ticket) for ticket in (b, c)])
    queue.remove(c)
    assert (1, b) == (len(queue), queue.first())
    queue.remove(b)
    assert (0, None) == (len(queue), queue.first())


def queue_next(queue: Queue) -> Ticket | None:
    """Grant one, and return it."""
    budget = FakeBudget()
    ticket = queue.next_ticket(budget, 0.0)
    queue.grant_waiting(budget, 0.0, 0.5)
    return ticket


accounts = st.sampled_from("abc")
tickets = st.one_of(
    st.builds(interactive, accounts),
    st.builds(bulk, accounts),
    st.builds(new_listing, accounts),
    st.builds(token, st.floats(0, 2_000), accounts),
)


@brisk
@given(st.lists(tickets, max_size=40), st.data())
def test_each_call_goes_out_once(arriving: list[Ticket], data: st.DataObject) -> None:
    """Whichever calls come and give up, each that stays goes out exactly once, and nothing is left of the others."""
    queue, budget = Queue(), FakeBudget()
    gone: list[Ticket] = []
    for ticket in arriving:
        queue.add(ticket)
        if data.draw(st.booleans()):
            gone.append(removed := data.draw(st.sampled_from(list(queue))))
            queue.remove(removed)
    assert len(arriving) - len(gone) == len(queue)
    for _ in range(len(queue)):
        budget.free = 1
        queue.grant_waiting(budget, 0.0, 0.5)

    assert 0 == len(queue)
    assert [ticket not in gone for ticket in arriving] == [ticket.granted for ticket in arriving]


@brisk
@given(st.lists(tickets, min_size=1, max_size=60), st.integers(1, 5))
def test_no_token_expires_without_need(arriving: list[Ticket], brings: int) -> None:
    """If the slots suffice for all tokens, none expires in the queue, however many interactive calls wait before it."""
    budget, queue, now = FakeBudget(free=0, every=50.0, brings=brings), Queue(), 0.0
    for ticket in arriving:
        queue.add(ticket)
    expiries = sorted(ticket.expires_at for ticket in arriving if ticket.expires_at < math.inf)
    possible = all(budget.slots_until(0.0, expires_at) >= rank for rank, expires_at in enumerate(expiries, 1))
    expired = []
    while len(queue):
        now += budget.every
        expired += [ticket for ticket in queue if ticket.expires_at < now]
        budget.free = brings
        queue.grant_waiting(budget, now, 0.5)

    assert not (possible and expired)


@brisk
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.floats(0, 100), st.floats(0, 10)), max_size=200))
def test_listings_are_counted(history: list[tuple[str, float | None, float]]) -> None:
    """A listing is active if its last token has not expired, whatever came before."""
    listings, model, now = ActiveListings(), dict[str, float](), 0.0
    for name, life, passes in history:
        now += passes
        if life is None:
            listings.end(name)
            model.pop(name, None)
        else:
            listings.update(name, now + life, now)
            model[name] = now + life
        alive = [expires_at for expires_at in model.values() if expires_at > now]
        assert len(alive) == listings.count(now)
        assert inside.entries_by_expiry(listings) <= 2 * len(alive) + 65


def test_max_listings() -> None:
    """As many listings may be active as are certain to get a call in a token's life; at least one."""
    assert 200 == RateBudget.developer().max_listings(890.0)
    assert 10_000 == RateBudget.scale().max_listings(890.0)
    assert 100 == RateBudget.developer(share=0.5).max_listings(890.0)
    assert 1 == RateBudget(1).max_listings(10.0)
    assert math.inf == RateBudget().max_listings(890.0)
    reporting = RateBudget()
    reporting.learn({"x-ratelimit-remaining": "99"}, 0.0, NOON)
    assert 200 == reporting.max_listings(890.0)
