"""Where the line goes that includes a file of ours.

In Asterisk's own file, or where FreePBX keeps what is the operator's: in ``extensions_custom.conf``
instead of ``extensions.conf``, which it writes anew.
"""

from __future__ import annotations

from pathlib import Path

from asterisk_agent.errors import InstallError
from asterisk_agent.install import files, lines
from asterisk_agent.install.machine import Machine
from asterisk_agent.install.places import Owner, Places
from asterisk_agent.install.steps import Line

MOST_FILES = 300
"""So many are looked through for a line that is there already; FreePBX has about sixty."""


def line(places: Places, machine: Machine, name: str, target: Path | None = None) -> Line:
    """The step that includes ``target`` (of the dialplan's folder) in ``NAME.conf``.

    Raises InstallError where the file cannot have a line at its end.
    """
    etc = places.asterisk_etc
    target = target or places.dialplan / f"{name}.conf"
    main = etc / f"{name}.conf"
    custom = etc / f"{name}_custom.conf"
    seen = files.look(main)
    if seen is not None and lines.includes(seen.content, custom, etc):
        main, seen = custom, files.look(custom)
    text = b"" if seen is None else seen.content
    owner = None if machine.asterisk is None else Owner("root", machine.asterisk.group)
    if _reaches(etc / f"{name}.conf", target, etc):
        return Line(main, target, text, seen, owner, needed=False)
    try:
        content = lines.added(text, target)
    except InstallError as error:
        raise InstallError(f"{main}: {error}", hint=error.hint) from None
    return Line(main, target, content, seen, owner, needed=True)


def _reaches(start: Path, target: Path, etc: Path) -> bool:
    """Whether ``start`` includes ``target``, by itself or through files that it includes."""
    waiting, known = [start], {start}
    while waiting and len(known) < MOST_FILES:
        seen = files.look(waiting.pop())
        if seen is None:
            continue
        for name in lines.included(seen.content):
            for path in _matching(etc, name):
                if path == target:
                    return True
                if path not in known and path.parent.is_relative_to(etc):
                    known.add(path)
                    waiting.append(path)
        if lines.includes(seen.content, target, etc):
            return True
    return False


def _matching(etc: Path, name: str) -> list[Path]:
    """The files that an include means; a pattern may mean several."""
    path = etc / name
    if not any(sign in name for sign in "*?["):
        return [path]
    return sorted(each for each in path.parent.glob(path.name) if each.is_file())
