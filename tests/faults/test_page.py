"""The page of faults shows the table."""

from __future__ import annotations

from faults.page import FILE, page
from faults.table import FAULTS


def test_page() -> None:
    """``docs/faults.md`` is what the table generates. To write it again: ``python3 noxfile.py -s pages``."""
    assert FILE.read_text("utf-8") == page()


def test_names() -> None:
    """Each fault has a unique name that fits into a cell."""
    names = [fault.name for fault in FAULTS]

    assert len(names) == len(set(names))
    assert not [name for name in names if "|" in name or "\n" in name]
