"""Sphinx's settings. The source folder is the whole repository, so that links between pages work as on a forge.

``docs/index.md`` is an ordinary page with lists of links; the navigation is generated from them. The reference is
generated from ``names.py`` and the docstrings. A page under docs/ that the index does not name is listed among the
how-tos.
"""

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from pygments.lexers.python import PythonLexer
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.highlighting import lexers

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

from names import MODULE_VALUES, MODULES, REFERENCE, VALUES  # noqa: E402

import pyas_async  # noqa: E402

lexers["ipython"] = PythonLexer()
"""Cells of a notebook, which need no `asyncio.run`."""

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
# Copy only the commands, without prompts and output.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# Docstrings put both parameters and public names in backticks; public names become links.
default_role = "py:obj"


class Mermaid(Directive):
    """A diagram: drawn in the browser if static/mermaid.min.js exists, and shown as readable text otherwise."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a ``<pre>`` with the diagram's source, which the browser's script draws."""
        text = nodes.Text("\n".join(self.content)).astext()
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        return [nodes.raw("", f'<pre class="mermaid">\n{escaped}\n</pre>', format="html")]


def slug(title: str) -> str:
    """Return the name of a title's page, without its suffix."""
    return "reference/" + title.lower().replace(" ", "-")


def entries(module: str, names: list[str], values: dict[str, str]) -> list[str]:
    """Write Sphinx directives for names of a module, in the given order; `values` describes constants and aliases."""
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
        # Half of its methods are defined in a private base class.
        parts += ["   :inherited-members:", ""] if name == "Meetings" else [""]
    return parts


def reference() -> dict[str, str]:
    """Return the text of each page of the reference, by the page's name."""
    pages = {}
    for title, names in REFERENCE.items():
        parts = [f"# {title}", "```{eval-rst}", ".. currentmodule:: pyas_async", ""]
        parts += entries("pyas_async", names, VALUES)
        pages[slug(title)] = "\n".join([*parts, "```", ""])
    for title, module in MODULES.items():
        if importlib.util.find_spec(module) is not None:
            # `:members:` would miss names that are imported lazily, and names that are neither classes nor functions.
            parts = [f"# {title}", "", "```{eval-rst}", f".. automodule:: {module}", ""]
            public = importlib.import_module(module).__all__
            parts += entries(module, public, MODULE_VALUES.get(module, {}))
            pages[slug(title)] = "\n".join([*parts, "```", ""])
    return pages


def write_reference(app: Sphinx) -> None:
    """Write the reference into docs/reference, which git ignores; files that have not changed keep their time."""
    folder = ROOT / "docs" / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in reference().items():
        file = ROOT / "docs" / f"{name}.md"
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")


def navigation(app: Sphinx, docname: str, source: list[str]) -> None:
    """Append the navigation to the index, generated from its lists of links."""
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
    """Register the directive and the handlers with Sphinx."""
    # Napoleon turns the "Attributes" sections of Google's style into variable fields.
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    app.add_directive("mermaid", Mermaid)
    app.connect("builder-inited", write_reference)
    app.connect("source-read", navigation)
    return {"parallel_read_safe": True}
