"""The Redis blocks of the page on several machines run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.servers import RedisServer
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs" / "when-one-machine-is-not-enough.md"


def test_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each block of the page runs as it is."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    blocks = [block for block in blocks if "redis" in block]  # tests/warehouse/test_page.py runs the one with dlt
    assert 1 == len(blocks)
    redis = RedisServer(tmp_path)
    redis.start()
    try:
        for block in blocks:
            with Sandbox(accounts=1, meetings=400) as sandbox, sandbox.serve() as url:
                monkeypatch.setenv("REDIS_URL", redis.url)
                monkeypatch.setenv("PYAS_API_KEY", sandbox.api_key)
                monkeypatch.setenv("PYAS_BASE_URL", url)
                program = block.replace('"acc"', repr(sandbox.account_ids[0]))
                exec(compile(program, "<documentation>", "exec"), {"__name__": "__main__"})  # noqa: S102
                assert "400 meetings\n" == capsys.readouterr().out
    finally:
        redis.stop()
