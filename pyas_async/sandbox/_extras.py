"""Imports of the optional packages: they run when a sandbox is made, so that `pyas_async.sandbox` imports without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyas_async._extras import how_to_install

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from starlette.applications import Starlette

    from pyas_async.sandbox._app import Api


class MissingExtraError(ImportError):
    """The sandbox needs a package that is not installed; the message names it, and the extra to install."""


def make_app(
    api: Api, clock: Callable[[], float], expire: Callable[[], int], stats: Callable[[], dict[str, int]]
) -> Starlette:
    """Build the application; see :func:`pyas_async.sandbox._app.build_app`."""
    try:
        from pyas_async.sandbox._app import build_app  # noqa: PLC0415 - it imports an extra
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return build_app(api, clock, expire, stats)


def make_server(app: Starlette, host: str, port: int) -> AbstractContextManager[str]:
    """Serve the application; see :func:`pyas_async.sandbox._server.serve`."""
    try:
        from pyas_async.sandbox._server import serve  # noqa: PLC0415 - it imports an extra
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return serve(app, host, port)


def _missing(error: ModuleNotFoundError) -> MissingExtraError:
    message = f"the sandbox needs {error.name}, which is not installed: {how_to_install('sandbox')}"
    return MissingExtraError(message, name=error.name)
