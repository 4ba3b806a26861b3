"""The picture of the performance page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

OURS: Final = "#1b7837"
THEIRS: Final = "#7570b3"
FLOOR: Final = "#999999"
PANELS: Final = (
    (
        "A listing: CPU per meeting,\nover the loop by hand (httpx + msgspec Structs)",
        "paging",
        (
            ("asyncio streams (floor)", "paging.others.streams", FLOOR),
            ("httpx transport (floor)", "paging.others.transport", FLOOR),
            ("aiohttp by hand", "paging.others.aiohttp", THEIRS),
            ("ours over httpx-aiohttp", "paging.ours.aiohttp_transport", OURS),
            ("ours, pages()", "paging.ours.pages", OURS),
            ("ours, iter_all", "paging.ours.rows", OURS),
            ("httpx + pydantic", "paging.others.pydantic.base", THEIRS),
            ("openapi-python-client", "paging.others.openapi.base", THEIRS),
            ("httpx + openai's models", "paging.others.openai.base", THEIRS),
        ),
    ),
    (
        "50 gets at once, 20 ms each:\ntime over the 20 ms that they take at best",
        "burst",
        (
            ("ours over httpx-aiohttp", "burst.ours.gets_aiohttp_transport", OURS),
            ("ours", "burst.ours.gets", OURS),
            ("aiohttp by hand", "burst.others.aiohttp_gets", THEIRS),
            ("httpx over httpx-aiohttp", "burst.byhand.gets_aiohttp_transport", THEIRS),
            ("httpx by hand", "burst.byhand.gets", THEIRS),
        ),
    ),
)


def draw(report: dict[str, Any], file: Path) -> None:
    """Draw bars for the ratios of two sections, with their spread."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(10, 4.2), layout="constrained")
    axes = drawing.subplots(1, len(PANELS), squeeze=False)[0]
    for ax, (title, section, bars) in zip(axes, PANELS, strict=True):
        figures = {figure["name"]: figure for figure in report["sections"][section]["figures"]}
        for place, (_, name, colour) in enumerate(bars):
            figure = figures[name]
            median = figure["median"]
            spread = [[median - figure["least"]], [figure["most"] - median]]
            ax.barh(place, median, xerr=spread, color=colour, height=0.7, error_kw={"linewidth": 0.8})
            ax.text(figure["most"], place, f" {median:.2f}", va="center", fontsize=8)
        ax.set_xscale("log")
        ax.margins(x=0.12)
        ax.axvline(1.0, color="black", linewidth=0.8, linestyle=":")
        ax.set_yticks(range(len(bars)), [label for label, *_ in bars], fontsize=8)
        ax.tick_params(axis="y", length=0)
        ax.invert_yaxis()
        ax.set_title(title, fontsize=10)
    machine = report["machine"]
    drawing.suptitle(f"{machine['date']}, {machine['python']}, {machine['cores']} cores; less is better", fontsize=8)
    drawing.savefig(file, dpi=110)
