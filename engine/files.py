"""Files that are there whole or not at all, and reads that nothing can hold up.

A replacement is written beside its target, made durable, then renamed over it; a move is one
``renameat2`` that refuses to overwrite a namesake. A temporary file is named
``.NAME.PID.HEX.tmp``, so that one left by a killed process can be told from a user's own file.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import WorkspaceError

if TYPE_CHECKING:
    import ctypes

TEMPORARY = re.compile(r"\..{1,128}\.(?P<pid>[0-9]{1,10})\.[0-9a-f]{16}\.tmp\Z", re.DOTALL)

_RENAME_NOREPLACE = 1
_AT_FDCWD = -100
_NO_RENAMEAT2 = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})
_MENDS = {
    errno.ENOSPC: "free some disk space and try again; nothing was changed",
    errno.EDQUOT: "free some disk space and try again; nothing was changed",
    errno.EROFS: "the folder is read-only; use --workspace to name one that can be written",
    errno.EACCES: "check the permissions, or use --workspace to name another folder",
    errno.EPERM: "check the permissions, or use --workspace to name another folder",
    errno.ELOOP: "symbolic links are not followed; put the file itself there",
    errno.EEXIST: "nothing is overwritten; choose another name",
    errno.EMFILE: "close other programs, or raise the limit of open files",
}


def os_failure(action: str, path: Path, error: OSError) -> WorkspaceError:
    """Return the error to raise when the system refuses ``action`` on ``path``.

    >>> str(os_failure("write", Path("a.json"), OSError(errno.EIO, "Input/output error")))
    "cannot write 'a.json': Input/output error"
    """
    reason = os.strerror(error.errno) if error.errno else str(error)
    return WorkspaceError(f"cannot {action} '{path}': {reason}", _MENDS.get(error.errno or 0, ""))


def read_bounded(path: Path, limit: int) -> bytes:
    """Return the bytes of the regular file ``path``, at most ``limit`` of them.

    Never blocks and never follows a symbolic link: a pipe, a device or a link planted in place of a
    file is refused. Raises WorkspaceError; its ``__cause__`` is the OSError, if there was one.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise os_failure("read", path, error) from error
    except ValueError as error:
        raise WorkspaceError(f"cannot read '{path}': {error}") from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise WorkspaceError(f"cannot read '{path}': it is not a regular file")
        chunks: list[bytes] = []
        wanted = limit + 1
        while wanted and (chunk := os.read(handle, min(wanted, status.st_size + 1, 1 << 20))):
            chunks.append(chunk)
            wanted -= len(chunk)
    except OSError as error:
        raise os_failure("read", path, error) from error
    finally:
        os.close(handle)
    if not wanted:
        raise WorkspaceError(f"'{path}' is larger than {limit} bytes, the most allowed for such a file")
    return b"".join(chunks)


def is_missing(error: WorkspaceError) -> bool:
    """Return whether ``error`` says that the file is not there."""
    return isinstance(error.__cause__, FileNotFoundError | NotADirectoryError)


def write_atomic(path: Path, data: bytes, *, mode: int = 0o600, replace: bool = True) -> None:
    """Make ``path`` hold ``data``, durably: after a crash it holds the old bytes or the new, whole.

    With ``replace=False`` an existing ``path`` is left alone and WorkspaceError is raised. Raises
    WorkspaceError naming the file and the system's reason; the temporary file is then removed.
    """
    temporary = path.with_name(f".{path.name[:128]}.{os.getpid()}.{os.urandom(8).hex()}.tmp")
    with reported("write", path):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(temporary, flags, mode)
    try:
        with reported("write", path):
            try:
                os.fchmod(handle, mode)
                write_all(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
            if replace:
                os.rename(temporary, path)
            else:
                _rename_noreplace(temporary, path)
    except BaseException:
        # The failure being reported is the one that matters; recovery sweeps what stays behind.
        with suppress(OSError):
            os.unlink(temporary)
        raise
    fsync_folder(path.parent)


def write_all(handle: int, data: bytes) -> None:
    """Write ``data`` to the descriptor, all of it, however short the single writes are."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def move_noreplace(source: Path, target: Path) -> None:
    """Move ``source`` to ``target`` in one step that never overwrites; durable on return.

    Where the system has no ``renameat2`` the file is linked, then unlinked: for that instant both
    names lead to the one file. Raises WorkspaceError; nothing has moved then, unless the message
    says that only durability is in doubt.
    """
    with reported("move", source):
        _rename_noreplace(source, target)
    fsync_folder(target.parent)
    if source.parent != target.parent:
        fsync_folder(source.parent)


def fsync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable. Raises WorkspaceError if the disk refuses."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno == errno.EINVAL:  # some network file systems cannot sync a folder
            return
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise WorkspaceError(
            f"the change in '{folder}' was made but may not survive a power cut: {reason}",
            "check the disk",
        ) from error


def make_folder(folder: Path) -> None:
    """Make ``folder`` and its parents, private to the user (0700); one that is there is left as it is."""
    with reported("make the folder", folder):
        if folder.is_dir():
            return
        missing = [folder]
        while not missing[-1].parent.exists():
            missing.append(missing[-1].parent)
        for each in reversed(missing):
            with suppress(FileExistsError):
                os.mkdir(each, 0o700)
                fsync_folder(each.parent)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def remove_file(path: Path) -> None:
    """Remove ``path``; that it is gone already is no error. Raises WorkspaceError."""
    with reported("remove", path), suppress(FileNotFoundError):
        os.unlink(path)


def sweep_temporaries(folder: Path) -> list[str]:
    """Remove temporary files that processes now dead left in ``folder``; return their names, sorted.

    Only names of our own pattern whose process is gone; call it with the workspace locked.
    """
    try:
        names = sorted(name for name in os.listdir(folder) if TEMPORARY.match(name))
    except OSError as error:
        raise os_failure("list", folder, error) from error
    removed = []
    for name in names:
        match = TEMPORARY.match(name)
        if match is None or _is_alive(int(match["pid"])):
            continue
        with reported("remove", folder / name), suppress(FileNotFoundError):
            os.unlink(folder / name)
            removed.append(name)
    return removed


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


@contextmanager
def reported(action: str, path: Path) -> Iterator[None]:
    """Return a context in which the system's refusal of ``action`` on ``path`` becomes a WorkspaceError."""
    try:
        yield
    except OSError as error:
        raise os_failure(action, path, error) from error
    except ValueError as error:  # a NUL in the name
        raise WorkspaceError(f"cannot {action} '{path}': {error}") from error


@cache
def _libc_renameat2() -> "ctypes._NamedFuncPointer | None":
    import ctypes

    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    function.restype = ctypes.c_int
    return function


def _rename_noreplace(source: Path, target: Path) -> None:
    function = _libc_renameat2()
    if function is not None:
        import ctypes

        status = function(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE)
        if status == 0:
            return
        number = ctypes.get_errno()
        if number not in _NO_RENAMEAT2:
            raise OSError(number, os.strerror(number), str(source), None, str(target))
    os.link(source, target, follow_symlinks=False)
    os.unlink(source)
