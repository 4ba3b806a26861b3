"""The recipes of docs/web-service.md for FastAPI, with what goes wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs" / "web-service.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Serve a sandbox, and set the environment for it."""
    with Sandbox(accounts=1, meetings=100) as sandbox, sandbox.serve() as url:
        monkeypatch.setenv("PYAS_API_KEY", sandbox.api_key)
        monkeypatch.setenv("PYAS_BASE_URL", url)
        yield sandbox


def application(part: str, sandbox: Sandbox) -> TestClient:
    """Make the application of the recipe that has a part in it."""
    (block,) = (block for block in BLOCKS if part in block)
    names: dict[str, object] = {"__name__": "recipe"}
    exec(compile(block.replace('"acc"', repr(sandbox.account_ids[0])), "<recipe>", "exec"), names)  # noqa: S102  (running it is the test)
    return TestClient(names["app"])  # type: ignore[arg-type]


def test_pages(sandbox: Sandbox) -> None:
    """A listing is shown page by page; a dead or forged token is 410, and one that cannot be a token is 422."""
    seen: list[int] = []
    with application("PageTokenExpiredError()", sandbox) as browser:
        token, last = "", ""
        while True:
            page = browser.get("/meetings", params={"token": token}).json()
            seen += [row["id"] for row in page["meetings"]]
            if not (token := page.get("next_page_token")):
                break
            last = token
        statuses = [browser.get("/meetings", params={"token": "forged"}).status_code]
        sandbox.expire_tokens()
        statuses.append(browser.get("/meetings", params={"token": last}).status_code)
        statuses.append(browser.get("/meetings", params={"token": "x" * 30_000}).status_code)

    assert 100 == len(seen)
    assert [410, 410, 422] == statuses


def test_creating(sandbox: Sandbox) -> None:
    """A body that is refused costs no call, and the response to a create has no host's link."""
    start = {"type": 2, "title": "Review", "description": "", "startDate": "2031-06-03T09:00:00Z"}
    with application("Annotated[MeetingCreate, Body()]", sandbox) as browser:
        refused = browser.post("/meetings", json=start | {"startDate": "2031-06-03T09:00:00", "title": ""})
        assert [] == list(sandbox.requests)
        created = browser.post("/meetings", json=start)

    assert [["body", "startDate"], ["body", "title"]] == sorted(error["loc"] for error in refused.json()["detail"])
    assert 201 == created.status_code
    document = sandbox.document(sandbox.account_ids[0], created.json()["id"])
    assert document["start_url"] not in created.text
    assert document["password"] not in created.text.replace(document["uuid"], "")
