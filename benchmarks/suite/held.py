"""The memory of a kept meeting: reads pages, keeps their rows, and measures the allocations.

python held.py KIND URL
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES: Final = 20


def reader(kind: str) -> Callable[[bytes], Any]:
    """Return the function that makes rows of a page."""
    if kind == "ours":
        from pyas_async._core.codec import read_page

        return lambda body: read_page(body).meetings
    if kind == "native":
        from pyas_async._core.codec import pages

        return lambda body: pages._decoder.decode(body).data.meetings
    if kind == "dicts":
        import orjson

        return lambda body: orjson.loads(body)["data"]["meetings"]
    if kind == "pydantic":
        from suite.peers.classes import PydanticAnswer

        return lambda body: PydanticAnswer.model_validate_json(body).data.meetings
    from suite.peers.structs import DECODER

    return lambda body: DECODER.decode(body).data.meetings


def weigh(kind: str, url: str) -> float:
    """Return the bytes of a row, including all objects that it refers to."""
    read = reader(kind)

    def page(number: int) -> Any:  # noqa: ANN401  (rows of some kind)
        token = f"&nextPageToken={number:040x}" if number else ""
        with urllib.request.urlopen(f"{url}/zoom/meetings?accountId=rows-{PAGES}{token}", timeout=30) as answer:
            return read(answer.read())

    page(0)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    held = [page(number) for number in range(PAGES)]
    gc.collect()
    return (tracemalloc.get_traced_memory()[0] - before) / sum(map(len, held))


if __name__ == "__main__":
    print(weigh(*sys.argv[1:]))
