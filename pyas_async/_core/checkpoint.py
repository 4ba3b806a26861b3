"""A place in a listing that outlives the process.

It holds what a later iteration needs to go on without a row lost or repeated: whose listing, its filters, the token of
the *current* page with its birth on the wall clock, how far in the page the reader was, and the rows yielded so far.

As text it is JSON of one line::

    {"version": 1, "account": …, "filters": {…}, "page_size": 300, "token": …, "born": …, "index": 12, "walked": 300,
     "total": 5000, "changed": false, "done": false, "probe": …, "rows": "<base64>", "check": "<crc32>"}

``rows`` holds 8 bytes a row, little endian, which makes 10.7 characters.
"""

import base64
import binascii
import json
import sys
import zlib
from array import array
from typing import Any, NoReturn

import attrs

from pyas_async._core.rows import PROBE
from pyas_async.errors import CheckpointError

VERSION = 1
_FIELDS: dict[str, Any] = {
    "account": str,
    "filters": dict,
    "page_size": (int, type(None)),
    "token": (str, type(None)),
    "born": (int, float),
    "index": int,
    "walked": (int, type(None)),
    "total": (int, type(None)),
    "changed": bool,
    "done": bool,
    "probe": int,
    "rows": str,
}


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Checkpoint:
    """A place in a listing, for ``iter_all(resume=…)``; ``str(checkpoint)`` is its text, `parse` the way back.

    It is cheap to take after every row; only its text costs. Resuming takes one call while the page token lives, 15
    minutes, and a fresh walk that skips what was yielded after that. What was done with the rows is exactly once only
    if it is stored together with the checkpoint.

    Attributes:
        account_id: Whose listing it is.
        items: Rows yielded so far.
        done: Whether the listing was at its end.
        filters: The listing's filters, as the service is asked.
        page_size: The page size that is asked for.
        token: The token of the current page; ``None`` for the first.
        born: When the token arrived, in seconds of the wall clock.
        index: Rows of the current page that were yielded.
        walked: Rows of the current walk before the current page, repeated ones included; ``None`` if that is not known.
        total: The total that the service reported first in the current walk.
        changed: Whether it has reported another one since.
    """

    account_id: str
    items: int
    done: bool
    filters: tuple[tuple[str, str], ...]
    page_size: int | None
    token: str | None
    born: float
    index: int
    walked: int | None
    total: int | None
    changed: bool
    # Shared with the iteration, and longer than `items` as soon as that goes on.
    _rows: "array[int]" = attrs.field(alias="rows")

    def log(self) -> "array[int]":
        """Give the digests of the rows yielded so far, as a copy."""
        return self._rows[: self.items]

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a checkpoint from its text.

        Raises:
            CheckpointError: If the text is damaged, or written by another version.
        """
        if not isinstance(text, str):
            raise CheckpointError("checkpoint", "the text of a checkpoint", f"<{type(text).__name__}>")
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            _damaged("it is not a JSON object")
        if document.get("version") != VERSION:
            got = f"<version {str(document.get('version'))[:20]}>"
            raise CheckpointError("checkpoint", f"version {VERSION}, which this release writes", got)
        check = document.pop("check", None)
        if check != _check(document):
            _damaged("its check sum does not fit")
        for name, kind in _FIELDS.items():
            if not isinstance(document.get(name), kind):
                _damaged(f"{name!r} is missing or of another kind")
        if document["probe"] != PROBE:
            got = "<one written by a Python that hashes otherwise>"
            raise CheckpointError("checkpoint", "one of this kind of Python (CPython of 64 bits)", got)
        log = _unpack(document["rows"])
        return cls(
            account_id=document["account"],
            items=len(log),
            done=document["done"],
            filters=tuple((str(name), str(value)) for name, value in document["filters"].items()),
            page_size=document["page_size"],
            token=document["token"],
            born=float(document["born"]),
            index=document["index"],
            walked=document["walked"],
            total=document["total"],
            changed=document["changed"],
            rows=log,
        )

    def check_account(self, given: str | None) -> str:
        """Give the account to go on with: this one, and no other."""
        if given is not None and given != self.account_id:
            raise CheckpointError("resume", f"a checkpoint of the account {given!r}", f"<one of {self.account_id!r}>")
        return self.account_id

    def check_filters(self, given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Give the filters to go on with: these, and no others."""
        own = dict(self.filters)
        for name, value in given:
            if own.get(name) != value:
                got = f"<one with {name}={own[name]!r}>" if name in own else f"<one without {name}>"
                raise CheckpointError("resume", f"a checkpoint of a listing with {name}={value!r}", got)
        return self.filters

    def check_page_size(self, given: int, *, left_out: int) -> None:
        """Refuse another page size: a page token wants the one that it was made with."""
        if given not in (left_out, self.page_size):
            raise CheckpointError("resume", f"a checkpoint with page_size={given}", f"<one with {self.page_size}>")

    def __str__(self) -> str:
        """Write the checkpoint as JSON. It holds a page token: treat it like the data it leads to."""
        document: dict[str, Any] = {
            "version": VERSION,
            "account": self.account_id,
            "filters": dict(self.filters),
            "page_size": self.page_size,
            "token": self.token,
            "born": round(self.born, 3),
            "index": self.index,
            "walked": self.walked,
            "total": self.total,
            "changed": self.changed,
            "done": self.done,
            "probe": PROBE,
            "rows": _pack(self.log()),
        }
        document["check"] = _check(document)
        return json.dumps(document)

    def __repr__(self) -> str:
        """Show where it stands; the page token is left out."""
        return f"Checkpoint(account_id={self.account_id!r}, items={self.items}, done={self.done})"

    def __eq__(self, other: object) -> bool:
        """Compare by what is written."""
        return isinstance(other, Checkpoint) and str(self) == str(other)

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash((self.account_id, self.items, self.done))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as text."""
        return Checkpoint.parse, (str(self),)


def _damaged(reason: str) -> NoReturn:
    raise CheckpointError(
        "checkpoint", "the whole text of a checkpoint, as str(checkpoint) gave it", f"<damage: {reason}>"
    )


def _check(document: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(document, sort_keys=True).encode()):08x}"


def _pack(log: "array[int]") -> str:
    if sys.byteorder == "big":
        log.byteswap()
    return base64.b64encode(log.tobytes()).decode()


def _unpack(text: str) -> "array[int]":
    log = array("q")
    try:
        log.frombytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        _damaged("its rows cannot be read")
    if sys.byteorder == "big":
        log.byteswap()
    return log
