"""``client.accounts``: how a Zoom user's account is connected, and its id learned."""

from typing import TYPE_CHECKING

from pyas_async._core.calls import endpoints
from pyas_async._public import public
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pyas_async.models import ConnectedAccount


@public
class Accounts:
    """The accounts that are connected to the API key's app."""

    def __init__(self, session: Session, options: CallOptions) -> None:
        """Made by the client: ``client.accounts``."""
        self._session = session
        self._options = options

    async def oauth_url(self, *, state: str | None = None) -> str:
        """Get the address where a Zoom user allows the app to reach their meetings.

        Args:
            state: Comes back with the user, so that the answer can be told from a forged one. Make it random.

        Raises:
            APIStatusError: If the service answers with an error.
            TransportError: If no whole answer arrives.
            DecodeError: If the answer cannot be read.
        """
        try:
            call = endpoints.oauth_url(state)
        except InvalidArgumentError as error:
            raise error.with_traceback(None) from None
        finally:
            del state  # tracebacks show variables: that of the caller is theirs, this one and those below are ours
        return await self._session.run(call, self._options)

    async def connect(self, *, code: str, name: str) -> "ConnectedAccount":
        """Connect the account of a user who has come back from Zoom.

        Args:
            code: The code that Zoom sent the user back with. It works once, so this is not repeated if its answer is
                lost.
            name: What to call the account.

        Returns:
            The account; its `account_id` is what every call about its meetings asks for.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as above.
            OutcomeUnknownError: If the answer was lost: the account may be connected.
            APIStatusError: If the service answers with an error.
            TransportError: If the request could not be sent.
            DecodeError: If the answer cannot be read; the account is connected.
        """
        try:
            call = endpoints.connect(code, name)
        except InvalidArgumentError as error:
            raise error.with_traceback(None) from None
        finally:
            del code  # as in `oauth_url`
        return await self._session.run(call, self._options)
