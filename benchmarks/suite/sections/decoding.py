"""A page from bytes to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.contest import contest, ratios
from suite.figures import RATIO, Figure

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "Decoding a page of 300 rows"
BASE: Final = "decoding.structs"
OURS: Final = "decoding.ours"
WHO: Final = {
    "decoding.native": ("ours, without what finds unknown fields", ("<=", 1.5)),
    OURS: ("ours: attrs classes, unknown fields kept", ("<=", 2.1)),
    "decoding.dicts": ("orjson into dicts, nothing typed", None),
    "decoding.stock_cattrs": ("cattrs' converter for orjson, detailed_validation=False", None),
    "decoding.default_cattrs": ("json and a plain cattrs converter", None),
    "decoding.pydantic": ("pydantic, model_validate_json", None),
    "decoding.openapi": ("json and the models of openapi-python-client", None),
    "decoding.openai": ("json and the models of openai, construct_type", None),
}


def run(plan: Plan) -> list[Figure]:
    """Compare the decoders."""
    turns = contest([BASE, *WHO], plan.where, warm=1, size=5 if plan.quick else 10, rounds=plan.close())
    each = {name: [turn.each for turn in found] for name, found in turns.items()}
    found = [Figure(BASE, "msgspec into Structs, a row", "ns", each[BASE])]
    found += [
        Figure(name, f"{what} ÷ Structs", RATIO, ratios(each[name], each[BASE]), goal)
        for name, (what, goal) in WHO.items()
    ]
    stock = ratios(each["decoding.stock_cattrs"], each[OURS])
    return [*found, Figure("decoding.gain", "cattrs' converter for orjson ÷ ours", RATIO, stock, (">=", 2.0))]
