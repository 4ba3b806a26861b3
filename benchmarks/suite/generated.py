"""The peer that is not written but generated, from a document that says what the service's page says."""

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
    """Generate a client, and give the folder that it is in."""
    # It calls ruff by name, which is beside it.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    with tempfile.TemporaryDirectory(prefix="pyas_async-peer-") as folder:
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
        command += ["--path", str(DOCUMENT), "--output-path", str(Path(folder) / NAME)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PATH": path})
        yield folder
