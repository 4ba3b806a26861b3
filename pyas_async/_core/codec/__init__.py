"""Bytes to models and back: the fast way, and the tolerant way for what the fast way refuses."""

from pyas_async._core.codec.answers import (
    Mistaken,
    Refused,
    read_account,
    read_detail,
    read_nothing,
    read_oauth_url,
    read_updated,
)
from pyas_async._core.codec.documents import from_dict, to_dict
from pyas_async._core.codec.pages import read_page

__all__ = [
    "Mistaken",
    "Refused",
    "from_dict",
    "read_account",
    "read_detail",
    "read_nothing",
    "read_oauth_url",
    "read_page",
    "read_updated",
    "to_dict",
]
