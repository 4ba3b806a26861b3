"""How far the proof walks."""

from __future__ import annotations

import os

CI = 20_000
STEPS = int(os.environ.get("PYAS_ASYNC_WALK_STEPS", CI))
"""Steps on all event loops together. In CI they are always the same; more than that, on demand, are other ones."""
