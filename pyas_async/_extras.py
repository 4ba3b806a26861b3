"""How to install an extra: the same package from where it came from, or what the extra consists of.

Its name alone would not do: an index may have no package of that name, or that of a stranger.
"""

import json
import re
import shlex
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

_NAME = "pyas_async"
_REQUIREMENT = re.compile(r"([^;]+);.*\bextra *== *['\"]([\w-]+)['\"]")


def how_to_install(extra: str) -> str:
    """Return the command that installs the packages of an extra."""
    try:
        installed = distribution(_NAME)
    except PackageNotFoundError:
        # It runs from a copy of the source.
        return shlex.join(["pip", "install", f"{Path(__file__).parents[1]}[{extra}]"])
    return shlex.join(_origin(installed, extra) or ["pip", "install", *_requirements(installed, extra)])


def _origin(installed: Distribution, extra: str) -> list[str] | None:
    """Return the command for the place that pip or uv noted when it installed the package (PEP 610), if it is there."""
    try:
        noted: dict[str, Any] = json.loads(installed.read_text("direct_url.json") or "{}")
        parts = urlsplit(noted["url"])
    except (ValueError, KeyError, TypeError):
        return None  # it came from an index, or from a folder of wheels
    if not isinstance(noted["url"], str) or not parts.scheme:
        return None
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        if not path.exists():
            return None
        editable = ["-e"] if noted.get("dir_info", {}).get("editable") else []
        return ["pip", "install", *editable, f"{path}[{extra}]"]
    # A password in the address is not repeated; pip asks for one, or finds it in its settings.
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], *parts[2:]))
    vcs = noted.get("vcs_info")
    address = f"{vcs['vcs']}+{bare}@{vcs['commit_id']}" if vcs else bare
    return ["pip", "install", f"{_NAME}[{extra}] @ {address}"]


def _requirements(installed: Distribution, extra: str) -> list[str]:
    """Return the requirements that the extra adds."""
    found = (_REQUIREMENT.match(requirement) for requirement in installed.requires or ())
    return [match[1].strip() for match in found if match is not None and match[2] == extra]
