"""The two calls for accounts: the OAuth address, and connecting with its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.tools import create

if TYPE_CHECKING:
    import httpx

    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


async def test_connect(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """A connected account exists from then on, without meetings."""
    answer = (await client.post("/zoom/connect", json={"code": "c", "name": "Zoë"})).json()
    account = answer["data"]["account"]
    assert answer["success"] is True
    assert sorted(account) == ["accountId", "email", "name", "provider", "scopes", "status"]
    assert (account["name"], account["provider"], account["status"]) == ("Zoë", "zoom", "active")
    assert sandbox.account_ids[2:] == [account["accountId"]]
    assert sandbox.rows(account["accountId"]) == []
    assert (await create(client, account["accountId"])).status_code == 200


@pytest.mark.parametrize(
    ("body", "faults"),
    [({}, ["code", "name"]), ({"code": "", "name": "a"}, ["code"]), ({"code": "a", "name": 1}, ["name"])],
)
async def test_connect_refuses(client: httpx.AsyncClient, body: dict[str, object], faults: list[str]) -> None:
    """Connecting needs a code and a name."""
    answer = await client.post("/zoom/connect", json=body)
    assert (answer.status_code, [entry["param"] for entry in answer.json()["errors"]]) == (400, faults)


async def test_oauth(client: httpx.AsyncClient) -> None:
    """The state is in the URL, encoded; without one, the URL has none."""
    answer = (await client.get("/zoom/oauth", params={"state": "a&b/ü"})).json()
    assert answer["success"] is True
    assert answer["url"].startswith("https://zoom.us/oauth/authorize?")
    assert answer["url"].endswith("&state=a%26b%2F%C3%BC")
    assert "state" not in (await client.get("/zoom/oauth")).json()["url"]
