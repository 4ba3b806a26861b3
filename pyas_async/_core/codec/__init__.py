"""Bytes to models and back: the fast way, and the tolerant way for what the fast way refuses.

The tolerant way, and the way back, are cattrs', which is loaded when something needs it.
"""

from typing import TYPE_CHECKING, Any

from pyas_async._core.codec.pages import page_steps, read_page
from pyas_async._core.codec.responses import (
    Mistaken,
    Refused,
    read_account,
    read_detail,
    read_nothing,
    read_oauth_url,
    read_updated,
)

if TYPE_CHECKING:
    from pyas_async._core.codec.documents import from_dict, to_dict

__all__ = [
    "Mistaken",
    "Refused",
    "from_dict",
    "page_steps",
    "read_account",
    "read_detail",
    "read_nothing",
    "read_oauth_url",
    "read_page",
    "read_updated",
    "to_dict",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (whatever has that name)
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from pyas_async._core.codec import documents  # noqa: PLC0415 -- see above

    return getattr(documents, name)
