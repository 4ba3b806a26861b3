"""Accounts: Zoom users who are connected to a Pyas app."""

import attrs

from pyas_async._public import public
from pyas_async.models._base import Model


@public
@attrs.frozen(kw_only=True, repr=False)
class ConnectedAccount(Model):
    """A Zoom user's account that is connected to a Pyas app.

    Attributes:
        account_id: The id that every call about the user's meetings needs.
        email: The user's e-mail address.
        name: The name under which it was connected.
        provider: ``"zoom"``.
        status: Whether the connection works, in the service's words.
        scopes: The permissions that the user has granted.
    """

    account_id: str = attrs.field(metadata={"wire": "accountId"})
    email: str | None = None
    name: str | None = None
    provider: str | None = None
    status: str | None = None
    scopes: tuple[str, ...] = ()
