"""Bytes to models and back: the fast way, and the tolerant way for what the fast way refuses.

The tolerant way, and the way back, are cattrs', which is loaded when something needs it.
"""

from typing import TYPE_CHECKING

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
from pyas_async._public import lazy_exports

if TYPE_CHECKING:
    from pyas_async._core.codec.documents import from_dict, to_dict
else:
    __getattr__, __dir__ = lazy_exports(__name__, {"documents": ["from_dict", "to_dict"]})

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
