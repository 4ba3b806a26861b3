"""Check the sandbox against docs/openapi.yaml: schemathesis makes requests over a socket, and checks the responses.

python tests/openapi/with_schemathesis.py [arguments of `schemathesis run`]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pyas_async.sandbox import Sandbox

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs" / "openapi.yaml"
ACCOUNT = "123654-46204525-b574-9ad72ae18c9e"
"""The account of the document's examples."""


def main() -> int:
    """Serve a sandbox, run schemathesis on it, and return its exit code."""
    # The requests create, connect and delete only in this sandbox, so no other data are needed.
    with Sandbox(accounts=0, daily_writes=None, keep_requests=0) as sandbox, sandbox.serve() as url:
        sandbox.add_account(ACCOUNT, meetings=100)
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "run", str(DOCUMENT)),
            *("--url", url, "--header", f"x-api-key: {sandbox.api_key}", "--checks", "all", *sys.argv[1:]),
        ]
        hooks = {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")}
        return subprocess.run(command, env={**os.environ, **hooks}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
