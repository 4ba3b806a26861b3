"""Text that may be shown: what the service or the network said, without the secrets in it."""

import re
from collections.abc import Iterable

from pyas_async.models._base import MASK, mask_url

_MASKED_FIELDS = (
    "start_url|password|h323_password|pstn_password|encrypted_password|passcode|next_page_token|nextPageToken"
    "|code|x-api-key|api_key|apiKey|access_token|refresh_token|token|zak|authorization"
)
# A text, or a bare number of a password; the number of an error's ``code`` is no secret.
_IN_JSON = re.compile(
    rf'("(?:{_MASKED_FIELDS})"\s*:\s*")(?:[^"\\]|\\.)*("?)|("\w*password"\s*:\s*)[^",}}\s]+', re.IGNORECASE
)


_ESCAPED_QUOTE = re.compile(r'\\+"')


def _hide(found: "re.Match[str]") -> str:
    return f'{found[3]}"{MASK}"' if found[3] else f"{found[1]}{MASK}{found[2]}"


def redact(text: str, secrets: Iterable[str] = (), limit: int = 500) -> str:
    """Mask passwords, links, tokens and the given secrets in a text, and shorten it."""
    # A secret that the cut would halve must be masked before the cut; far beyond it, nothing is shown anyway.
    text = text[: limit * 20].replace("\\u0026", "&").replace("\\/", "/")
    for value in secrets:
        if value:
            text = text.replace(value, MASK)
    text = _IN_JSON.sub(_hide, text)
    # JSON inside of JSON has its quotes escaped.
    text = _IN_JSON.sub(_hide, _ESCAPED_QUOTE.sub('"', text))
    return mask_url(text)[:limit]
