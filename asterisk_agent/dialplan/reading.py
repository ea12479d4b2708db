"""Our own files read back, line by line, to hold them against what Asterisk has loaded.

Only the forms that we write are known: ``exten =>``, ``same =>``, ``include =>``, and globals.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Lines: TypeAlias = dict[tuple[str, str, str], str]
"""``(context, extension, priority)`` → ``label:Application(arguments)``; a hint's priority is
``hint``, and an included context stands as ``(context, "include", its name)``."""

_FIRST = re.compile(r"exten => ([^,]+),(1|hint),(.+)")
_NEXT = re.compile(r"same => n(?:\(([\w-]+)\))?,(.+)")


def read(text: str) -> tuple[Lines, dict[str, str]]:
    """The lines and the globals of a dialplan that we wrote."""
    lines: Lines = {}
    variables: dict[str, str] = {}
    context = extension = ""
    priority = 0
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith((";", "#")) or not line:
            continue
        if line.startswith("["):
            context = line.removesuffix("(+)").strip("[]")
        elif context == "globals":
            name, _, value = line.partition("=")
            variables[name] = value
        elif line.startswith("include => "):
            lines[context, "include", line.removeprefix("include => ")] = "include"
        elif found := _FIRST.fullmatch(line):
            extension = found[1]
            if found[2] == "hint":
                lines[context, extension, "hint"] = found[3]
            else:
                priority = 1
                lines[context, extension, "1"] = f":{found[3]}"
        elif found := _NEXT.fullmatch(line):
            priority += 1
            lines[context, extension, str(priority)] = f"{found[1] or ''}:{found[2]}"
    return lines, variables
