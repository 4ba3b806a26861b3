"""httpx logs the address of every request; of ours, it shows page tokens and account ids. Not any more."""

import logging
from urllib.parse import urlsplit

_origins: set[str] = set()


class _WithoutQueries(logging.Filter):
    """Cuts the query off the addresses of our own origins; other people's lines stay as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's arguments; let it pass in any case."""
        if isinstance(record.args, tuple):
            record.args = tuple(_without_query(argument) for argument in record.args)
        return True


def _without_query(argument: object) -> object:
    # httpx passes its URL as an object; by name, since httpx2 has one of its own.
    if type(argument).__name__ != "URL":
        return argument
    text = str(argument)
    parts = urlsplit(text)
    if f"{parts.scheme}://{parts.netloc}" not in _origins or not parts.query:
        return argument
    return f"{text.partition('?')[0]}?***"


_FILTER = _WithoutQueries()


def quiet_httpx(base_url: str) -> None:
    """Cut queries off what httpx logs about requests to this address, from now on and for the whole process."""
    parts = urlsplit(base_url)
    _origins.add(f"{parts.scheme}://{parts.netloc}")
    for name in ("httpx", "httpx2"):
        logging.getLogger(name).addFilter(_FILTER)  # the same filter is added only once
