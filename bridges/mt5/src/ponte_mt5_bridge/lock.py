"""One bridge for one journal: a lock that the system takes away with the process, however it ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    """Another process holds the lock."""


class Lock:
    """Held from `take` until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def take(self) -> None:
        """Raises `AlreadyRunning` if another process has it."""
        file = open(self._path, "a+b")  # noqa: SIM115 - it stays open as long as the lock is held
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise AlreadyRunning(str(self._path)) from error
        self._file = file

    def release(self) -> None:
        """Gives it back. The file stays: deleting it would let two processes hold two files of one name."""
        if self._file is not None:
            self._file.close()
            self._file = None
