"""Sphinx's settings. The source folder is the whole repository: so its pages link to each other as they do on a forge.

``docs/index.md`` is an ordinary page with lists of links; the navigation is made of them. The reference is written from
``names.py`` and the docstrings. A page under docs/ that the index does not name is listed among the how-tos.
"""

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

from names import MODULE_VALUES, MODULES, REFERENCE, VALUES  # noqa: E402

import pyas_async  # noqa: E402

project = "pyas_async"
author = "the pyas_async authors"
release = version = pyas_async.__version__
html_title = f"pyas_async {release}"
html_theme = "furo"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
exclude_patterns = [".*", "docs/site", "**/node_modules"]
html_static_path = ["static"]
html_extra_path = ["extra"]
html_js_files = ["diagrams.js"]
html_show_sourcelink = False
pygments_style, pygments_dark_style = "tango", "monokai"

myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]
myst_fence_as_directive = ["mermaid"]
# Prompts and what is printed are no part of a command.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# Docstrings name parameters as well as things that have a place of their own: the latter become links.
default_role = "py:obj"


class Mermaid(Directive):
    """A diagram: drawn in the browser where static/mermaid.min.js was put, and text that can be read where not."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Give the diagram's text."""
        text = nodes.Text("\n".join(self.content)).astext()
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        return [nodes.raw("", f'<pre class="mermaid">\n{escaped}\n</pre>', format="html")]


def slug(title: str) -> str:
    """Name the page of a title."""
    return "reference/" + title.lower().replace(" ", "-")


def entries(module: str, names: list[str], values: dict[str, str]) -> list[str]:
    """Describe names of a module, in this order."""
    parts = []
    for name in names:
        if name in values:
            parts += [f".. py:data:: {name}", "", f"   {values[name]}", ""]
            continue
        thing = getattr(importlib.import_module(module), name)
        if not isinstance(thing, type):
            parts += [f".. autofunction:: {name}", ""]
            continue
        parts += [f".. autoclass:: {name}", "   :members:"]
        parts += [] if thing.__bases__ == (object,) else ["   :show-inheritance:"]
        # Half of its methods are in a base class that is nobody's business.
        parts += ["   :inherited-members:", ""] if name == "Meetings" else [""]
    return parts


def reference() -> dict[str, str]:
    """Write the pages of the reference."""
    pages = {}
    for title, names in REFERENCE.items():
        parts = [f"# {title}", "```{eval-rst}", ".. currentmodule:: pyas_async", ""]
        parts += entries("pyas_async", names, VALUES)
        pages[slug(title)] = "\n".join([*parts, "```", ""])
    for title, module in MODULES.items():
        if importlib.util.find_spec(module) is not None:
            # Not by `:members:`, which finds neither what is loaded later nor what is no class and no function.
            parts = [f"# {title}", "", "```{eval-rst}", f".. automodule:: {module}", ""]
            public = importlib.import_module(module).__all__
            parts += entries(module, public, MODULE_VALUES.get(module, {}))
            pages[slug(title)] = "\n".join([*parts, "```", ""])
    return pages


def write_reference(app: Sphinx) -> None:
    """Put the reference where Sphinx looks for pages; git ignores it."""
    folder = ROOT / "docs" / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in reference().items():
        file = ROOT / "docs" / f"{name}.md"
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")


def navigation(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make the navigation out of the lists of the index."""
    if docname != root_doc:
        return
    parts, named = {}, {"index"}
    for title, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", source[0], re.DOTALL | re.MULTILINE):
        parts[title] = [link.removesuffix(".md") for link in re.findall(r"\]\(([^)#]+\.md)\)", body)]
        named.update(parts[title])
    others = sorted(file.stem for file in (ROOT / "docs").glob("*.md") if file.stem not in named)
    parts["How to"] += others
    parts["Reference"] = [*reference(), *parts["Reference"]]
    for title, pages in parts.items():
        lines = ["```{toctree}", ":hidden:", f":caption: {title}", "", *(f"/docs/{page}" for page in pages), "```"]
        source[0] += "\n" + "\n".join(lines).replace("/docs/../", "/") + "\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Hook in."""
    # What Google's style calls attributes, napoleon hands on as variables.
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    app.add_directive("mermaid", Mermaid)
    app.connect("builder-inited", write_reference)
    app.connect("source-read", navigation)
    return {"parallel_read_safe": True}
