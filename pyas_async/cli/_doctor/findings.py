"""What the doctor finds: for each assumption, whether it holds, what was seen, and what to change if it does not."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final, Literal
from urllib.parse import quote

import attrs

State = Literal["holds", "differs", "noted", "unclear"]
"""``noted``: the library assumes nothing here; ``unclear``: it could not be settled, and `seen` says why."""

MASK: Final = "***"
# What an error's text may say of others than those that were asked about: addresses, and the numbers of meetings.
_OF_OTHERS: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\d{9,}")


@attrs.frozen(kw_only=True)
class Finding:
    """What was found out about one question.

    Attributes:
        check: The question's name.
        state: Whether the assumption holds.
        assumed: What the library assumes; empty where it assumes nothing.
        seen: What the service did.
        change: What to set where the assumption does not hold; empty if there is nothing to set.
    """

    check: str
    state: State
    seen: str
    assumed: str = ""
    change: str = ""

    def document(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        return attrs.asdict(self)


class Masker:
    """Takes out of a text what identifies somebody or opens something: the report is made to be sent to others."""

    def __init__(self) -> None:
        """Know no secret."""
        self._secrets: set[str] = set()

    def learn(self, *secrets: object) -> None:
        """Take note of what must not be shown in any form. What is too short to be told from other text is none."""
        for text in map(str, secrets):
            once = quote(text, safe="")
            forms = (text, once, quote(once, safe=""), json.dumps(text)[1:-1])
            self._secrets.update(form for form in forms if len(form) > 3)

    def mask(self, text: str) -> str:
        """Take the secrets out; the longest first, since one may be a part of another."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return _OF_OTHERS.sub(MASK, text)

    def finding(self, finding: Finding) -> Finding:
        """Take the secrets out of a finding."""
        return attrs.evolve(finding, seen=self.mask(finding.seen), change=self.mask(finding.change))


def worst(findings: Iterable[Finding]) -> bool:
    """Whether an assumption does not hold."""
    return any(finding.state == "differs" for finding in findings)
