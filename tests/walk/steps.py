"""How many steps the state machine makes."""

from __future__ import annotations

import os

CI = 20_000
STEPS = int(os.environ.get("PYAS_ASYNC_WALK_STEPS", CI))
"""Steps on all event loops together. Up to `CI` they are always the same; with more, they are drawn at random."""
