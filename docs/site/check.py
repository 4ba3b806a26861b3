"""Check the site that was built: every public name is described, no page loads from other hosts, no link is dead.

Run by ``nox -s docs``: ``python docs/site/check.py FOLDER``.
"""

import importlib
import importlib.util
import re
import sys
from pathlib import Path

from sphinx.util.inventory import InventoryFile

sys.path.insert(0, str(Path(__file__).parent))

from names import MODULES


def names_of(site: Path) -> set[str]:
    """List the names that the reference describes."""
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    return {name for names in inventory.data.values() for name in names}


def loaded_from_elsewhere(site: Path) -> list[str]:
    """List what the pages load from other hosts. Ordinary links are not loaded, so they do not count."""
    loads = re.compile(r'<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="((?:https?:)?//[^"]+)"')
    return [
        f"{page.relative_to(site)}: {address}"
        for page in sorted(site.rglob("*.html"))
        for address in loads.findall(page.read_text("utf-8"))
    ]


def anchors_missing(site: Path) -> list[str]:
    """List links within the site whose page or anchor does not exist."""
    pages = {page.resolve(): page.read_text("utf-8") for page in site.rglob("*.html")}
    ids = {page: set(re.findall(r'\bid="([^"]+)"', text)) for page, text in pages.items()}
    missing = []
    for page, text in pages.items():
        for target in re.findall(r'<a\b[^>]*?href="([^"]+)"', text):
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target) or not (path or anchor):
                continue
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and file in ids and anchor not in ids[file]):
                missing.append(f"{page.relative_to(site.resolve())}: {target}")
    return missing


def main() -> None:
    """Check the site, and exit with the list of faults, if there are any."""
    site = Path(sys.argv[1])
    names = names_of(site)
    modules = ["pyas_async", *(module for module in MODULES.values() if importlib.util.find_spec(module) is not None)]
    public = [f"{module}.{name}" for module in modules for name in importlib.import_module(module).__all__]
    wrong = [f"not in the reference: {name}" for name in public if name not in names]
    wrong += [f"from another host: {found}" for found in loaded_from_elsewhere(site)]
    wrong += [f"dead link: {found}" for found in anchors_missing(site)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(list(site.rglob('*.html')))} pages, {len(names)} names, no dead link")


if __name__ == "__main__":
    main()
