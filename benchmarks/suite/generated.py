"""The generated peer, from an OpenAPI document that follows the service's page."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT: Final = Path(__file__).parent / "peers" / "openapi.json"
NAME: Final = "generated_client"


@contextmanager
def client() -> Iterator[str]:
    """Generate a client, and yield its folder."""
    # The generator calls ruff, which is installed beside it, by name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    with tempfile.TemporaryDirectory(prefix="pyas_async-peer-") as folder:
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
        command += ["--path", str(DOCUMENT), "--output-path", str(Path(folder) / NAME)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PATH": path})
        yield folder
