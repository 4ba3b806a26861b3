"""Finds the place in a response that a path names, and the text around it. Loaded by the first error."""

import re

import msgspec

_BEFORE, _AFTER = 1_000, 2_000
"""Bytes before and after the place that are kept, and masked later: more than the error shows."""
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_MEMBER = re.compile(rb'[\s,{]*+("(?:[^"\\]|\\.)*+")\s*+:\s*+', re.DOTALL)
_ITEM = re.compile(rb"[\s,\[]*+")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])


def text_around(body: bytes, path: str) -> tuple[str, str]:
    """Return the text before the place that a path names, and the text from there on.

    Each begins and ends where a value does, unless it was cut at its end.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        begin, place = _locate(body, path)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        begin = place = 0
    return _text(body[begin:place]), _text(body[place : place + _AFTER])


def _text(piece: bytes) -> str:
    return piece.decode(errors="replace")


def _locate(body: bytes, path: str) -> tuple[int, int]:
    """Return where the excerpt of a place begins, and where the place itself does.

    If the last step of the path leads to something that is missing, the place is the object that should have it.

    Raises:
        ValueError: If the body is not written as expected, for example with a key twice.
        msgspec.MsgspecError: If it is not JSON.
    """
    place, value_at, value = 0, 0, body
    begins = [0]
    for name, index in _STEP.findall(path):
        pattern = _MEMBER if name else _ITEM
        inside = list(_members.decode(value).items()) if name else list(enumerate(_items.decode(value)))
        wanted = name or int(index)
        at = value_at
        for key, raw in inside:
            found, written = pattern.match(body, at), bytes(raw)
            if found is None or not body.startswith(written, found.end()):
                raise ValueError(path)
            begins.append(found.start(1) if name else found.end())
            if key == wanted:
                place, value_at, value = begins[-1], found.end(), written
                break
            at = found.end() + len(written)
        else:
            place = value_at
            break
    return min((begin for begin in begins if begin >= place - _BEFORE), default=place), place
