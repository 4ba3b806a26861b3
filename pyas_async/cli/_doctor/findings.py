"""The doctor's findings: for each assumption, whether it holds, what was seen, and what to change if it does not."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final, Literal
from urllib.parse import quote

import attrs

from pyas_async.cli._doctor.calls import CallResult

State = Literal["holds", "differs", "noted", "unclear"]
"""``noted``: the library assumes nothing here; ``unclear``: it could not be decided, and `seen` says why."""

MASK: Final = "***"
# An error message may contain e-mail addresses and meeting numbers of others than the meetings that were requested.
_OF_OTHERS: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\d{9,}")


@attrs.frozen(kw_only=True)
class Finding:
    """The result of one check.

    Attributes:
        check: The check's name.
        state: Whether the assumption holds.
        assumed: What the library assumes; empty if it assumes nothing.
        seen: What the service did.
        change: What to change if the assumption does not hold; empty if there is nothing to change.
    """

    check: str
    state: State
    seen: str
    assumed: str = ""
    change: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return attrs.asdict(self)


def undecided(check: str, result: CallResult[Any], *, assumed: str = "", before: str = "") -> Finding:
    """Return the finding of a check whose request brought nothing to decide it by: most likely it was not answered.

    Args:
        check: The check's name.
        result: What happened to the request.
        assumed: What the library assumes.
        before: What was seen before that.
    """
    seen = result.failure
    if result.error is not None:
        seen = f"refused: {seen}" if result.refused else f"not answered: {seen}"
    return Finding(check=check, state="unclear", assumed=assumed, seen=f"{before}; {seen}" if before else seen)


class Masker:
    """Masks personal data and secrets in a text, since the report is made to be sent to others."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def learn(self, *secrets: object) -> None:
        """Add texts that must not appear in any encoding. Very short ones are ignored: they occur in other text."""
        for text in map(str, secrets):
            once = quote(text, safe="")
            forms = (text, once, quote(once, safe=""), json.dumps(text)[1:-1])
            self._secrets.update(form for form in forms if len(form) > 3)

    def mask(self, text: str) -> str:
        """Mask the secrets in a text; the longest first, since one may be a part of another."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return _OF_OTHERS.sub(MASK, text)

    def finding(self, finding: Finding) -> Finding:
        """Mask the secrets in a finding."""
        return attrs.evolve(finding, seen=self.mask(finding.seen), change=self.mask(finding.change))


def any_differs(findings: Iterable[Finding]) -> bool:
    """Whether any assumption does not hold."""
    return any(finding.state == "differs" for finding in findings)
