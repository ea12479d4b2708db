"""Files as an installation treats them: looked at, replaced in one step, put back as they were."""

from __future__ import annotations

import errno
import grp
import hashlib
import os
import pwd
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from asterisk_agent.errors import InstallError
from asterisk_agent.install.places import Owner

LARGEST = 16 << 20
"""Bytes; no configuration file of Asterisk's comes near."""
_NOT_BY_RENAMING = (errno.EBUSY, errno.EXDEV)
"""A file that is mounted by itself, as in containers, cannot be replaced, but written in place."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file as it was found. ``path`` is where links led."""

    path: Path
    content: bytes
    mode: int
    uid: int
    gid: int
    mtime_ns: int

    @property
    def sha256(self) -> str:
        """Of its content."""
        return digest(self.content)


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def look(path: Path) -> Seen | None:
    """The file behind ``path``, or None where there is none. Raises InstallError for odd ones."""
    with _telling(path, "read"):
        try:
            real = path.resolve(strict=True)
        except FileNotFoundError:
            if path.is_symlink():
                problem = f"{path} is a link to {os.readlink(path)}, which does not exist"
                raise InstallError(problem, hint="mend or remove the link") from None
            return None
        if not real.is_file():  # to open a pipe would wait for ever
            raise InstallError(f"{path} is no regular file", hint="move it out of the way")
        with real.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InstallError(
            f"{path} is larger than {LARGEST >> 20} MiB", hint="is it the right one?"
        )
    mode = stat.S_IMODE(status.st_mode)
    return Seen(real, content, mode, status.st_uid, status.st_gid, status.st_mtime_ns)


def write(path: Path, content: bytes, owner: Owner | None, mode: int) -> None:
    """Make or replace a file in one step. Raises InstallError."""
    ids = ids_of(owner) if owner is not None else None
    _put(path, content, mode, ids, like=None)


def edit(seen: Seen, content: bytes) -> None:
    """Give a file another content; owner, mode and further attributes stay. Raises InstallError."""
    _put(seen.path, content, seen.mode, (seen.uid, seen.gid), like=seen.path)


def restore(seen: Seen) -> None:
    """Put a file back as it was, with its times. Raises InstallError."""
    like = seen.path if seen.path.exists() else None
    _put(seen.path, seen.content, seen.mode, (seen.uid, seen.gid), like=like)
    with _telling(seen.path, "restored"):
        os.utime(seen.path, ns=(seen.mtime_ns, seen.mtime_ns))


def remove(path: Path) -> None:
    """Delete a file, if it is there. Raises InstallError."""
    with _telling(path, "deleted"), suppress(FileNotFoundError):
        path.unlink()


def make_folder(path: Path, owner: Owner | None, mode: int) -> None:
    """Make a folder, or give the one that is there this owner and mode. Raises InstallError."""
    with _telling(path, "made"):
        path.mkdir(parents=True, exist_ok=True)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if owner is not None:
                os.fchown(folder, *ids_of(owner))
            os.fchmod(folder, mode)
        finally:
            os.close(folder)


def has(path: Path, owner: Owner | None, mode: int) -> bool:
    """Whether something is there with this owner and mode."""
    try:
        status = path.stat()
    except OSError:
        return False
    found = owned_by(status.st_uid, status.st_gid)
    return stat.S_IMODE(status.st_mode) == mode and (owner is None or found == owner)


def owned_by(uid: int, gid: int) -> Owner:
    """The accounts by name, or by number where they have none."""
    user = group = ""
    with suppress(KeyError):
        user = pwd.getpwuid(uid).pw_name
    with suppress(KeyError):
        group = grp.getgrgid(gid).gr_name
    return Owner(user or str(uid), group or str(gid))


def ids_of(owner: Owner) -> tuple[int, int]:
    """Their numbers. Raises InstallError for accounts that do not exist."""
    try:
        return pwd.getpwnam(owner.user).pw_uid, grp.getgrnam(owner.group).gr_gid
    except KeyError as error:
        raise InstallError(
            f"no such account: {error}", hint="name it with --asterisk-user"
        ) from None


def _put(
    path: Path, content: bytes, mode: int, ids: tuple[int, int] | None, *, like: Path | None
) -> None:
    with _telling(path, "written"):
        linked = like is not None and like.stat().st_nlink > 1
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            _fill(temporary, content, mode, ids, like)
            if linked:  # another name of the same file shall stay one
                raise OSError(errno.EXDEV, "has several names")
            os.replace(temporary, path)
        except OSError as error:
            if error.errno not in _NOT_BY_RENAMING:
                raise
            with path.open("r+b") as file:
                file.write(content)
                file.truncate()
                os.fsync(file.fileno())
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
        _settle(path.parent)


def _fill(
    path: Path, content: bytes, mode: int, ids: tuple[int, int] | None, like: Path | None
) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        if like is not None:
            shutil.copystat(like, path)  # attributes and lists of rights, where it has some
            os.utime(path)
        if ids is not None:
            _give(file.fileno(), ids)
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def _give(file: int, ids: tuple[int, int]) -> None:
    status = os.fstat(file)
    if (status.st_uid, status.st_gid) != ids:
        os.fchown(file, *ids)


def _settle(folder: Path) -> None:
    """What was renamed is there after a power cut, too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _telling(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InstallError(
            f"{path} cannot be {what}: {reason}", hint=_remedy(path, error)
        ) from None


def _remedy(path: Path, error: OSError) -> str:
    if error.errno == errno.EROFS:
        return "the file system is read-only: mount it writable"
    if error.errno == errno.EPERM and os.geteuid() == 0:
        return f"it may be protected: lsattr {path}, and chattr -i {path}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "run it as root: sudo asterisk-agent install"
    return "mend that, and run it again: what was done already is known"
