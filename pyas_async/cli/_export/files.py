"""The files of an export: the part that grows, the checkpoint that says what of it counts, and the file in the end."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

import attrs

from pyas_async.cli._export.job import Job
from pyas_async.cli._failing import CommandError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be replaced, either
    fcntl = None  # type: ignore[assignment]

_VERSION: Final = 1


@attrs.frozen(kw_only=True)
class Place:
    """How far an export has come.

    Attributes:
        job: What is exported.
        offset: Bytes of the part that count.
        rows: Rows in them.
        accounts_done: Accounts that are through.
        calls: Calls that were made.
        seconds: How long that took.
        whole: Whether nothing is missing: all that is left is to make the file.
        listings: Where the listings stand, a checkpoint's text; ``None`` before they begin.
    """

    job: Job
    offset: int = 0
    rows: int = 0
    accounts_done: int = 0
    calls: int = 0
    seconds: float = 0.0
    whole: bool = False
    listings: str | None = None


class Files:
    """The files of the export to one output."""

    def __init__(self, output: Path) -> None:
        """Name them; nothing is opened."""
        if output.is_symlink():
            output = output.resolve()  # what it leads to is replaced, not the link
        self.output = output
        self.part = output.with_name(output.name + ".part")
        self.checkpoint = output.with_name(output.name + ".checkpoint")
        self.folder = output.with_name(output.name + ".dlt")
        self._scratch = output.with_name(output.name + ".tmp")

    def check(self) -> None:
        """Make sure, before anything is sent, that a file can be what was asked for.

        Raises:
            CommandError: If it cannot.
        """
        if self.output.exists() and not self.output.is_file():
            # A device, too, would be replaced by a file.
            raise CommandError(f"--output: {self.output} is a folder, or a device, and no file")
        if not self.output.parent.is_dir():
            raise CommandError(f"--output: there is no folder {self.output.parent}")

    def place(self) -> Place | None:
        """Read how far an export has come; ``None`` if none was begun.

        Raises:
            CommandError: If the checkpoint is none that this version wrote.
        """
        try:
            head, _, listings = self.checkpoint.read_text("utf-8").partition("\n")
        except FileNotFoundError:
            return None
        try:
            fields: dict[str, Any] = json.loads(head)
            if fields.pop("pyas_export") == _VERSION:
                job = Job.of(fields.pop("job"))
                return Place(job=job, listings=listings.strip() or None, **fields)
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        raise CommandError(
            f"{self.checkpoint}: this is no checkpoint of an export that this version can go on with",
            hint="Begin anew with --force.",
        )

    def save(self, place: Place) -> None:
        """Write how far the export has come, in one step."""
        fields = attrs.asdict(place, filter=attrs.filters.exclude("job", "listings"))
        head = {"pyas_export": _VERSION, "job": place.job.document(), **fields}
        with self._new(self.checkpoint) as file:
            file.write(f"{json.dumps(head)}\n{place.listings or ''}\n".encode())

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Keep other processes from exporting to the same file, as long as the context lasts.

        Raises:
            CommandError: If one is.
        """
        if fcntl is None:
            yield
            return
        with self.part.open("ab") as part:
            try:
                fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever had it before may have made the output of it just now.
                mine = os.path.samestat(os.fstat(part.fileno()), self.part.stat())
            except (BlockingIOError, FileNotFoundError):
                mine = False
            if not mine:
                raise CommandError(f"{self.output}: another process is exporting to it")
            yield

    @contextmanager
    def open_part(self, place: Place) -> Iterator[IO[bytes]]:
        """Open the part to go on at a place; what follows it there is cut off.

        Raises:
            CommandError: If the part is shorter than that.
        """
        with self.part.open("ab") as file:
            if place.listings is None:
                # It begins anew. The checkpoint goes first: at no moment does it speak of rows that are not there.
                self.checkpoint.unlink(missing_ok=True)
                file.truncate(0)
            elif file.seek(0, os.SEEK_END) < place.offset:
                hint = "Begin anew with --force."
                raise CommandError(f"{self.part}: it is shorter than {self.checkpoint.name} says", hint=hint)
            else:
                file.truncate(place.offset)
            file.seek(0, os.SEEK_END)  # cutting leaves it where it stood
            yield file

    def forget(self) -> None:
        """Forget an export that was begun; a file that was made stays."""
        self.checkpoint.unlink(missing_ok=True)
        self.part.unlink(missing_ok=True)
        self._forget_beside()

    def restart(self, content: bytes) -> None:
        """Begin with this in the part, and nothing beside it. The file stays the same, since it is claimed."""
        self.checkpoint.unlink(missing_ok=True)
        self._forget_beside()
        self.part.write_bytes(content)

    def _forget_beside(self) -> None:
        # Of a database: what is not in its file yet, and dlt's working folder.
        self.part.with_name(self.part.name + ".wal").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def _new(self, target: Path) -> Iterator[IO[bytes]]:
        """Write a file that takes its place in one step, once it is whole and on the disk."""
        try:
            with naming(target), self._scratch.open("wb") as file:
                yield file
                see_off(file)
            self._scratch.replace(target)
        except BaseException:
            with suppress(OSError):
                self._scratch.unlink(missing_ok=True)
            raise

    @contextmanager
    def make(self) -> Iterator[IO[bytes]]:
        """Write the output from the part, which goes when the output is there."""
        with self._new(self.output) as file:
            yield file
        self.part.unlink(missing_ok=True)
        self.checkpoint.unlink(missing_ok=True)

    def promote(self) -> None:
        """Make the part the output, as it is."""
        self.part.replace(self.output)
        self.checkpoint.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have an error of writing tell where: one that has a file open already, as on a full disk, does not say it."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def see_off(file: IO[bytes]) -> None:
    """Wait until what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())
