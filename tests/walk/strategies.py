"""What the machine draws: disturbances between two steps, options of iterators, and conditions of an example."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs
from hypothesis import strategies as st

from pyas_async._core.calls.endpoints import MAX_PAGE_SIZE
from walk.listing import ATTEMPT, EPOCH, EXPIRED, FAULTS, Plan, Row, ShortRepr
from walk.options import IteratorOptions

if TYPE_CHECKING:
    from pyas_async._core.pagination.listing_state import OnExpired, VerifyTotal
    from walk.service import Service

_STARTS: Final = (None, EPOCH, EPOCH + timedelta(hours=1))
POOL: Final = tuple(
    Row(id=number, uuid=uuid, start=start, kind=kind)
    for kind in ("scheduled", "upcoming")
    for start in _STARTS
    for uuid in ("", "a/b==")
    for number in (1, 2, 3)
)
"""Rows that share ids, uuids and start times in every combination."""


@attrs.frozen(kw_only=True, repr=False)
class Disturbance(ShortRepr):
    """Something that happens to the service or the listing, not by the consumer."""

    kind: str
    here: int = 0
    there: int = 0
    row: Row = POOL[0]
    seconds: float = 0.0
    plan: Plan = attrs.field(factory=Plan)
    times: int = 1

    def __call__(self, service: Service) -> None:
        """Apply it."""
        match self.kind:
            case "wait":
                service.time += self.seconds
            case "kill":
                service.kill()
            case "expired_tokens":
                service.expired_tokens = self.times
            case "plan":
                service.plans.extend([self.plan] * self.times)
            case "shape":
                service.shape = self.times % len(EXPIRED)
            case "wire":
                service.slow = not service.slow
            case "insert" | "remove" | "move":
                service.change(self._edit)

    def _edit(self, rows: list[Row]) -> None:
        if self.kind == "insert":
            rows.insert(self.here % (len(rows) + 1), self.row)
        elif rows:
            taken = rows.pop(self.here % len(rows))
            if self.kind == "move":
                rows.insert(self.there % (len(rows) + 1), taken)


_CHANGES: Final = tuple(
    Disturbance(kind=kind, here=here, there=there, row=POOL[(7 * here + 5 * there) % len(POOL)])
    for kind in ("insert", "remove", "move")
    for here in (0, 1, 3, 6, 10, 17)
    for there in ((9, 0, 2, 17) if kind == "move" else (here, here + 1))
)
_WAITS: Final = tuple(
    Disturbance(kind="wait", seconds=seconds)
    for seconds in (1000.0, 12.0, 18.5, 40.0, 400.0, 889.0, 893.0, 950.0, 200_000.0)
)
_EXPIRIES: Final = (
    Disturbance(kind="kill"),
    *(Disturbance(kind="expired_tokens", times=times) for times in (8, 1, 3, 5)),
    *(Disturbance(kind="shape", times=times) for times in range(len(EXPIRED))),
    *(
        Disturbance(kind="plan", plan=Plan(kill=kill, before=before))
        for kill in ("before", "after")
        for before in (0.0, 12.0)
    ),
    Disturbance(kind="plan", plan=Plan(kill="after"), times=5),
)
_PAGES: Final = (
    *(
        Disturbance(kind="plan", plan=Plan(what=what), times=times)
        for what in ("short", "empty", "loop")
        for times in (1, 2, 4)
    ),
    *(
        Disturbance(kind="plan", plan=Plan(drift=drift), times=times)
        for drift in ("insert", "remove", "sink", "rise")
        for times in (1, 3, 12)
    ),
    Disturbance(kind="wire"),
)
_TROUBLES: Final = (
    *(
        Disturbance(kind="plan", plan=Plan(what=what), times=times)
        for what in ("unclear", "key", "garbage", *sorted(FAULTS))
        for times in (1, 2, 4, 5)
    ),
    *(
        Disturbance(kind="plan", plan=Plan(what=what, retry_after=seconds), times=times)
        for what in ("server", "limit")
        for seconds in (0, 7, 40, 120)
        for times in (1, 4)
    ),
    *(
        Disturbance(kind="plan", plan=Plan(before=before, after=after))
        for before in (0.0, 25.0, ATTEMPT + 1)
        for after in (4.0, 15.0)
    ),
)
NOTHING: Final = Disturbance(kind="nothing")
DISTURBANCES: Final = st.one_of(
    st.just(NOTHING),
    st.just(NOTHING),
    st.just(NOTHING),
    st.sampled_from(_WAITS),
    st.sampled_from(_CHANGES),
    st.sampled_from(_PAGES),
    st.sampled_from(_EXPIRIES),
    st.sampled_from(_TROUBLES),
)
"""The disturbance before a step."""

_ON_EXPIRED: Final[tuple[OnExpired, ...]] = ("restart", "restart", "restart", "restart", "raise")
_VERIFIES: Final[tuple[VerifyTotal, ...]] = ("off", "warn", "raise", "repair", "repair")
OPTIONS: Final = st.sampled_from(
    [
        IteratorOptions(max_items=most, prefetch=prefetch, on_expired=on_expired, verify_total=verify)
        for most in (None, None, None, None, 1, 4)
        for prefetch in (True, None, True, False, True)
        for on_expired in _ON_EXPIRED
        for verify in _VERIFIES
    ]
)
"""The options of an iterator."""
PLAIN: Final = IteratorOptions()


@attrs.frozen(kw_only=True, repr=False)
class World(ShortRepr):
    """The conditions that do not change during an example.

    Attributes:
        length: How many of the drawn rows the listing has at first.
        cap: The most rows that the service puts on a page.
        page_size: Rows that the client asks for.
        refuses: Whether the service refuses Zoom's maximum, the only size that clients replace, instead of reducing it.
        lifetime: Seconds for which a token is valid.
        ttl: The same, as the client is configured.
        totals: Which total the pages report.
        shape: The response to an expired token, an index into `EXPIRED`.
        slow: Whether responses to prefetch requests come only once the consumer waits for them.
        filtered: Whether a filter asks for some of the rows.
        same_options: Whether every iterator has the same options.
    """

    length: int = 18
    cap: int = 4
    page_size: int = 4
    refuses: bool = False
    lifetime: float = 900.0
    ttl: float = 900.0
    totals: str = "true"
    shape: int = 0
    slow: bool = False
    filtered: bool = False
    same_options: bool = False

    @property
    def strict(self) -> bool:
        """Whether the page size is refused."""
        return self.refuses and self.page_size == MAX_PAGE_SIZE


ROWS: Final = st.lists(st.sampled_from(POOL), min_size=9, max_size=18)
SELDOM: Final = st.sampled_from((False, False, False, True))
WORLDS: Final = st.builds(
    World,
    length=st.sampled_from((18, 18, 18, 18, 18, 8, 4, 1, 0)),
    cap=st.sampled_from((4, 3, 5, 2, 1)),
    page_size=st.sampled_from((4, 3, MAX_PAGE_SIZE, 5, 2, 1)),
    refuses=SELDOM,
    lifetime=st.sampled_from((900.0, 900.0, 20.0)),
    ttl=st.sampled_from((900.0, 900.0, 20.0)),
    totals=st.sampled_from(("true", "true", "true", "late", "none")),
    shape=st.integers(0, len(EXPIRED) - 1),
    slow=SELDOM,
    filtered=SELDOM,
    same_options=st.booleans(),
)
SKEWS: Final = st.sampled_from((0.0, 0.0, 0.0, -7200.0, 880.0, 300_000.0))
"""Seconds by which a wall clock is wrong."""
KEEP: Final = st.sampled_from(("no", "text", "object"))
"""Whether a checkpoint is taken, and in which form it is kept."""
MANY: Final = 1000
COUNTS: Final = st.sampled_from((1, 2, 5, 4, 7, MANY))
"""Rows, or pages, of one step."""
