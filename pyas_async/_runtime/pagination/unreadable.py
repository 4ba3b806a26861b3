"""What happens with rows that have no identity: their errors, or the event that they were skipped."""

from collections.abc import Sequence

from pyas_async._core import codec
from pyas_async._core.calls.messages import Call
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async.errors import DecodeError
from pyas_async.events import RowsSkipped
from pyas_async.models import Page
from pyas_async.models._source import UnreadableRow


def masked_row_error(
    session: Session, options: CallOptions, page: Page, row: UnreadableRow, secrets: tuple[str, ...]
) -> DecodeError:
    """Make the error of an unreadable row, without the secrets of the call that has brought its page."""
    secrets = (*secrets, *options.secrets)
    return codec.row_error(page, row).masked(session.resources.key.mask(secrets))


def emit_skipped(
    session: Session, account_id: str, page: Page, rows: Sequence[UnreadableRow], *, job: int | None
) -> None:
    """Report rows of a page that are left out."""
    path, reason = codec.row_path(page, rows[0]), rows[0].reason
    session.events.emit(RowsSkipped, job=job, account_id=account_id, rows=len(rows), path=path, reason=reason)


def checked_page(session: Session, options: CallOptions, call: Call[Page], page: Page, *, raises: bool) -> Page:
    """Return a single page that has unreadable rows, and report these.

    Raises:
        DecodeError: For the first of them, if `raises`.
    """
    unreadable = codec.unreadable_rows(page)
    if raises:
        raise masked_row_error(session, options, page, unreadable[0], call.secrets)
    emit_skipped(session, call.account, page, unreadable, job=None)
    return page
