"""Check the client's requests against docs/openapi.yaml with Prism, a mock server that validates them.

npm install --no-save --prefix FOLDER @stoplight/prism-cli
python tests/openapi/with_prism.py FOLDER
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from openapi.calls import ACCOUNT, make_every_call
from pyas_async import PyasClient

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "openapi.yaml"
PATIENCE = 60.0
"""Seconds for Prism to start."""
KNOWN = 181328421905
"""The number of the meeting in its response to every get: the document's example."""
VIOLATIONS = "sl-violations"
"""The header with the faults of a request."""


def main(folder: str) -> int:
    """Start Prism, make every call, and report the result."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = Path(folder) / "node_modules" / ".bin" / "prism"
    command = [str(program), "mock", "--port", str(port), str(DOCUMENT)]
    # A session of its own, since npm's launchers do not pass signals on.
    prism = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, prism)
        return asyncio.run(_judge(url))
    finally:
        os.killpg(prism.pid, signal.SIGTERM)
        prism.wait(10)


def _wait(url: str, prism: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and prism.poll() is None:
        try:
            httpx.get(f"{url}/zoom/oauth", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    message = f"Prism did not listen on {url} within {PATIENCE:g} s; is Node.js there?"
    raise SystemExit(message)


async def _judge(url: str) -> int:
    wrong: list[str] = []
    count = 0

    async def look(response: httpx.Response) -> None:
        nonlocal count
        count += 1
        request = response.request
        violations = json.loads(response.headers.get(VIOLATIONS, "[]"))
        # Responses that Prism itself generates are not ours.
        of_request = (violation["message"] for violation in violations if violation["location"][0] == "request")
        wrong.extend(f"{request.method} {request.url}: {message}" for message in of_request)
        if response.status_code >= httpx.codes.BAD_REQUEST and not wrong:
            wrong.append(f"{request.method} {request.url}: {response.status_code}")

    async with httpx.AsyncClient(event_hooks={"response": [look]}, trust_env=False) as http:
        client = PyasClient("key", base_url=url, account_id=ACCOUNT, http_client=http, retry=None)
        await make_every_call(client, known=KNOWN)
    # A mock that accepts everything would prove nothing.
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        body = {"accountId": ACCOUNT, "meetingData": {"type": 2}}
        broken = await http.post("/zoom/meetings", json=body, headers={"x-api-key": "key"})
        without_key = await http.get("/zoom/meetings", params={"accountId": ACCOUNT})
    if VIOLATIONS not in broken.headers or broken.is_success:
        wrong.append("Prism accepted a meeting without a title")
    if without_key.status_code != httpx.codes.UNAUTHORIZED:
        wrong.append("Prism accepted a request without a key")
    print(*wrong, f"{count} requests of the client, {len(wrong)} of them wrong", sep="\n")
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
