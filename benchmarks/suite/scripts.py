"""The benchmarks that are separate scripts."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from suite.contest import HERE


def run_script(name: str, *arguments: str) -> dict[str, Any]:
    """Run a script beside this package, and return its JSON; its output goes to the terminal."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, str(HERE.parent / f"{name}.py"), *arguments, "--json", str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found
