"""From the bytes of responses to models, and from models to the bytes of requests.

There is a fast path, by msgspec, and a tolerant one, by cattrs, for what the fast one refuses. cattrs also makes the
requests. It is loaded when it is first needed.
"""

from typing import TYPE_CHECKING

from pyas_async._core.codec.pages import page_steps, read_page
from pyas_async._core.codec.responses import (
    NotSuccessError,
    WrongMeetingError,
    read_account,
    read_detail,
    read_nothing,
    read_oauth_url,
    read_updated,
)
from pyas_async._core.codec.unreadable import (
    UnmaskedDecodeError,
    row_error,
    row_path,
    token_is_lost,
    unreadable_names,
    unreadable_rows,
)
from pyas_async._public import lazy_exports

if TYPE_CHECKING:
    from pyas_async._core.codec.documents import from_dict, to_dict
else:
    __getattr__, __dir__ = lazy_exports(__name__, {"documents": ["from_dict", "to_dict"]})

__all__ = [
    "NotSuccessError",
    "UnmaskedDecodeError",
    "WrongMeetingError",
    "from_dict",
    "page_steps",
    "read_account",
    "read_detail",
    "read_nothing",
    "read_oauth_url",
    "read_page",
    "read_updated",
    "row_error",
    "row_path",
    "to_dict",
    "token_is_lost",
    "unreadable_names",
    "unreadable_rows",
]
