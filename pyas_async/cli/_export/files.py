"""The files of an export: the growing part, the checkpoint with its valid length, and the output."""

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, Self

import attrs

from pyas_async.cli._errors import CommandError
from pyas_async.cli._export.job import Job

try:
    import fcntl
except ImportError:  # Windows, which does not allow to replace an open file, either
    fcntl = None  # type: ignore[assignment]

_VERSION: Final = 1
_PART: Final = ".part"


@attrs.frozen(kw_only=True)
class ExportState:
    """The progress of an export.

    Attributes:
        job: The export's settings.
        offset: The number of valid bytes in the part.
        rows: The number of rows in them.
        accounts_done: The number of accounts that are done.
        calls: The number of calls that were made.
        seconds: The time that they took.
        whole: Whether the part is complete, so that only the output has to be made.
        listings: The checkpoint of the listings, as text; ``None`` before they begin.
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
        # Only names: nothing is opened.
        output = _target(output)
        self.output = output
        self.part = output.with_name(output.name + _PART)
        self.checkpoint = output.with_name(output.name + ".checkpoint")
        self.folder = output.with_name(output.name + ".dlt")
        self._scratch = output.with_name(output.name + ".tmp")

    @classmethod
    def of_part(cls, part: Path) -> Self:
        """Return the files of the export to which a part belongs.

        Raises:
            CommandError: If no part has such a name.
        """
        if part.suffix != _PART:
            raise CommandError(f"--from-part: expected the FILE.part of an export, got {part}")
        return cls(part.with_suffix(""))

    @property
    def resume_command(self) -> str:
        """The command that continues the export."""
        return shlex.join(["pyas", "meetings", "export", "--output", str(self.output), "--resume"])

    @property
    def _own(self) -> tuple[Path, ...]:
        """The files next to the output, which belong to the command."""
        wal = self.part.with_name(self.part.name + ".wal")  # of a database
        return self.part, self.checkpoint, self._scratch, wal

    @property
    def from_part_command(self) -> str:
        """The command that makes a file in another format from the part."""
        other = self.output.with_suffix(".csv" if self.output.suffix != ".csv" else ".jsonl")
        return shlex.join(["pyas", "meetings", "export", "--output", str(other), "--from-part", str(self.part)])

    def check(self, *, force: bool = False) -> None:
        """Check, before anything is sent, that the output can be made.

        Args:
            force: Whether links in the place of the command's own files are allowed, since `remove_links` follows.

        Raises:
            CommandError: If it cannot.
        """
        if self.output.exists() and not self.output.is_file():
            # A device would be replaced by a file, too.
            raise CommandError(f"--output: {self.output} is a folder or a device, not a file")
        if not self.output.parent.is_dir():
            raise CommandError(f"--output: there is no folder {self.output.parent}")
        for path in (*self._own, self.folder):
            # Writing to a link would overwrite its target, which the user has not named.
            if path.is_symlink() and not force:
                hint = "Delete the link, give --force to have it deleted, or choose another --output."
                raise CommandError(f"{path}: it is a symbolic link, and an export writes this file", hint=hint)
            if path.exists() and not path.is_symlink() and path.is_dir() != (path == self.folder):
                raise CommandError(f"{path}: it is in the way of a file that an export writes", hint="Rename it.")

    def remove_links(self) -> None:
        """Delete links in the place of the command's own files; their targets stay."""
        for path in (*self._own, self.folder):
            if path.is_symlink():
                path.unlink()

    def load(self) -> ExportState | None:
        """Read the progress of an export; ``None`` if there is none.

        Raises:
            CommandError: If the checkpoint was not written by this version.
        """
        try:
            head, _, listings = self.checkpoint.read_text("utf-8-sig").partition("\n")
        except FileNotFoundError:
            return None
        try:
            fields: dict[str, Any] = json.loads(head)
            if fields.pop("pyas_export") == _VERSION:
                job = Job.of(fields.pop("job"))
                return ExportState(job=job, listings=listings.strip() or None, **fields)
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        raise CommandError(
            f"{self.checkpoint}: this is not a checkpoint of an export that this version can continue",
            hint="Start over with --force.",
        )

    def save(self, state: ExportState) -> None:
        """Write the progress of the export atomically."""
        fields = attrs.asdict(state, filter=attrs.filters.exclude("job", "listings"))
        head = {"pyas_export": _VERSION, "job": state.job.document(), **fields}
        with self._replacing(self.checkpoint) as file:
            file.write(f"{json.dumps(head)}\n{state.listings or ''}\n".encode())

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the output against exports of other processes, as long as the context lasts.

        Raises:
            CommandError: If another process has the lock.
        """
        if fcntl is None:
            yield
            return
        with opened(self.part, "ab") as part:
            try:
                fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The process that held the lock before may just have renamed this file to the output.
                mine = os.path.samestat(os.fstat(part.fileno()), self.part.stat())
            except (BlockingIOError, FileNotFoundError):
                mine = False
            if not mine:
                raise CommandError(f"{self.output}: another process is exporting to it")
            yield

    @contextmanager
    def open_part(self, state: ExportState) -> Iterator[IO[bytes]]:
        """Open the part at a saved position; anything after it is cut off.

        Raises:
            CommandError: If the part is shorter.
        """
        with opened(self.part, "ab") as file:
            if state.listings is None:
                # A new start. The checkpoint is deleted first, so that it never counts rows that are not there.
                self.checkpoint.unlink(missing_ok=True)
                file.truncate(0)
            else:
                self._check_length(file, state)
                file.truncate(state.offset)
            file.seek(0, os.SEEK_END)  # truncating does not move the position
            yield file

    def discard(self) -> None:
        """Delete the files of an unfinished export; the output stays."""
        self.checkpoint.unlink(missing_ok=True)
        self.part.unlink(missing_ok=True)
        self._discard_beside()

    def restart(self, content: bytes) -> None:
        """Start over with this content in the part. The file itself stays, since it carries the lock."""
        self.checkpoint.unlink(missing_ok=True)
        self._discard_beside()
        with opened(self.part, "wb") as file:
            file.write(content)

    def _discard_beside(self) -> None:
        # For a database: its write-ahead log, and dlt's working folder.
        self.part.with_name(self.part.name + ".wal").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def _replacing(self, target: Path) -> Iterator[IO[bytes]]:
        """Write a file that replaces the target atomically, after it is complete and synced to disk."""
        try:
            self._scratch.unlink(missing_ok=True)
            with with_path(target), opened(self._scratch, "wb") as file:
                yield file
                sync_to_disk(file)
            self._scratch.replace(target)
        except BaseException:
            with suppress(OSError):
                self._scratch.unlink(missing_ok=True)
            raise

    @contextmanager
    def make(self) -> Iterator[IO[bytes]]:
        """Write the output, which appears when it is complete."""
        with self._replacing(self.output) as file:
            yield file

    def lines(self, state: ExportState) -> Iterator[bytes]:
        """Yield the lines of the part that the progress counts.

        Raises:
            CommandError: If the part is shorter.
        """
        with self.part.open("rb") as file:
            self._check_length(file, state)
            file.seek(0)
            while file.tell() < state.offset:
                yield file.readline()

    def _check_length(self, file: IO[bytes], state: ExportState) -> None:
        if file.seek(0, os.SEEK_END) < state.offset:
            hint = "Start over with --force."
            raise CommandError(f"{self.part}: it is shorter than {self.checkpoint.name} says", hint=hint)

    def remove_part(self) -> None:
        """Delete the part and then the checkpoint, after the output was made from them."""
        self.part.unlink(missing_ok=True)
        self.checkpoint.unlink(missing_ok=True)

    def promote(self) -> None:
        """Rename the part to the output."""
        self.part.replace(self.output)
        self.checkpoint.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def with_path(path: Path) -> Iterator[None]:
    """Add the path to an OSError that has none, such as that of a write to a full disk."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def _target(output: Path) -> Path:
    """Follow a link: its target is replaced, not the link.

    Raises:
        CommandError: If it leads back to itself.
    """
    if not output.is_symlink():
        return output
    try:
        target = output.resolve()
    except (OSError, RuntimeError):  # which of them depends on the version of Python
        target = output
    if target.is_symlink():
        raise CommandError(f"--output: {output} is a loop of symbolic links")
    return target


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


@contextmanager
def opened(path: Path, mode: str) -> Iterator[IO[bytes]]:
    """Open a file. If its last bytes cannot be written, the error names it, and does not replace another error."""
    file: IO[bytes] = open(path, mode, opener=_no_link)  # noqa: SIM115  (pathlib takes no opener)
    try:
        yield file
    except BaseException:
        with suppress(OSError):
            file.close()
        raise
    with with_path(path):
        file.close()


def sync_to_disk(file: IO[bytes]) -> None:
    """Flush a file, and sync it to disk."""
    file.flush()
    os.fsync(file.fileno())
