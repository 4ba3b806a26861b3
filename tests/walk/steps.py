"""How many steps the state machine makes."""

from __future__ import annotations

import os

SHORT = 2_000
CI = 20_000
GIVEN = os.environ.get("PYAS_ASYNC_WALK_STEPS")
STEPS = int(GIVEN or CI)
"""Steps on all event loops together. Up to `CI` they are always the same; with more, they are drawn at random."""
