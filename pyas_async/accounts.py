"""``client.accounts``: connect a Zoom user's account and learn its id."""

from typing import TYPE_CHECKING

from pyas_async._core.calls import endpoints
from pyas_async._public import explains, public
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pyas_async.models import ConnectedAccount


_NO_LIST = "the service does not list accounts: keep the account_id of each `await client.accounts.connect(…)`"


@public
@explains(loop=_NO_LIST, async_loop=_NO_LIST, wait=_NO_LIST, count=_NO_LIST)
class Accounts:
    """The accounts that are connected to the API key's app."""

    def __init__(self, session: Session, options: CallOptions) -> None:
        self._session = session
        self._options = options

    async def oauth_url(self, *, state: str | None = None) -> str:
        """Get the URL where a Zoom user authorizes the app to reach their meetings.

        Args:
            state: An opaque value that Zoom passes back with the user. Compare it to detect a forged redirect. Make it
                random.

        Raises:
            APIStatusError: If the service responds with an error.
            TransportError: If no complete response arrives.
            DecodeError: If the response cannot be read.
        """
        try:
            call = endpoints.oauth_url(state)
        except InvalidArgumentError as error:
            raise error.with_traceback(None) from None
        finally:
            del state  # tracebacks show local variables, so ours must hold no secret
        return await self._session.run(call, self._options)

    async def connect(self, *, code: str, name: str) -> "ConnectedAccount":
        """Connect the account of a user who has come back from Zoom.

        Args:
            code: The code that Zoom sent the user back with. It works once, so the request is not repeated if its
                response is lost.
            name: The name for the account.

        Returns:
            The account. Every call about its meetings needs its `account_id`.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            OutcomeUnknownError: If the response was lost: the account may be connected.
            APIStatusError: If the service responds with an error.
            TransportError: If the request could not be sent.
            DecodeError: If the response cannot be read; the account is connected.
        """
        try:
            call = endpoints.connect(code, name)
        except InvalidArgumentError as error:
            raise error.with_traceback(None) from None
        finally:
            del code  # as in `oauth_url`
        return await self._session.run(call, self._options)
