"""A document without its secrets: what ``to_dict(…, secrets=False)`` and ``to_row`` leave out.

The service adds fields without notice, so a secret is recognised by the name of its field, wherever the field is.
Hosts paste invitations into topics and agendas, so text is searched as well.
"""

import re
from typing import Any

from pyas_async import _masking
from pyas_async._masking import MASK, mask_secrets

# A page token opens nothing without the API key, and a page in a browser needs it for the next one.
_PAGE_TOKENS = ("next_page_token", "nextPageToken")
# What is left of the masked parameters of a link; of several in a row, the first sign and the last one matter.
_MASKED_PARAMETERS = re.compile(rf"([?&;#])(?:[\w-]+={re.escape(MASK)}&)*[\w-]+={re.escape(MASK)}(&?)")


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret that is left out."""
    return name not in _PAGE_TOKENS and _masking.is_secret_name(name)


def without_secrets(value: Any) -> Any:  # noqa: ANN401  (a JSON value can be anything)
    """Return a JSON value without its secret fields, and with the secrets in its text cut off or masked.

    A flag is no secret, whatever its name.
    """
    if isinstance(value, dict):
        return {
            key: without_secrets(item)
            for key, item in value.items()
            if isinstance(item, bool) or not is_secret_name(key)
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return text_without_secrets(value) if isinstance(value, str) else value


def text_without_secrets(text: str) -> str:
    """Return text without passcodes: cut out of the queries of links, and masked elsewhere."""
    masked = mask_secrets(text)
    return text if masked == text else _MASKED_PARAMETERS.sub(_cut, masked)


def _cut(found: "re.Match[str]") -> str:
    # The first parameter leaves its question mark to the next one.
    return found[1] if found[2] else ""
