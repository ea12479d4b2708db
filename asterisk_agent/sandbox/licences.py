"""The licence of every locked package, as SPDX names it, and whether the GPL may stand beside it.

A package says its licence in one of three ways, or in none that can be relied on: for those it
is stated here, after reading what they ship.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

from license_expression import ExpressionError, get_spdx_licensing

COMPATIBLE = frozenset(
    (
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "HPND",
        "ISC",
        "LGPL-2.0-or-later",
        "LGPL-2.1-only",
        "LGPL-2.1-or-later",
        "LGPL-3.0-only",
        "LGPL-3.0-or-later",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "Python-2.0",
        "Unlicense",
        "Zlib",
    )
)
"""What may be combined into a work under GPL-3.0-or-later, by the FSF's list of licences."""
CLASSIFIERS: Mapping[str, str] = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""Those that mean one licence. ``BSD License`` does not."""
STATED: Mapping[str, str] = {
    "jinja2": "BSD-3-Clause",
    "protobuf": "BSD-3-Clause",
    "python-dateutil": "BSD-3-Clause",  # newer parts also under Apache-2.0
    "pyst2": "PSF-2.0 OR LGPL-2.0-or-later OR Unlicense",
    "pjsua2-python": "GPL-2.0-or-later",  # says nothing; it is PJSIP, which says this
}


def licence_of(name: str) -> str | None:
    """The SPDX expression of an installed package's licence; None where nobody knows."""
    if name in STATED:
        return STATED[name]
    try:
        said: Any = metadata(name)
    except PackageNotFoundError:
        return None
    for text in (said.get("License-Expression"), said.get("License")):
        if text and len(text) < 200 and (found := _parsed(text)) is not None:
            return str(found)
    found = {
        CLASSIFIERS.get(re.sub(r".* :: ", "", line), "")
        for line in said.get_all("Classifier") or []
        if line.startswith("License ::") and line != "License :: OSI Approved"
    }
    return found.pop() if len(found) == 1 and "" not in found else None


def is_compatible(expression: str) -> bool:
    """Whether every part that is required may be combined with GPL-3.0-or-later."""
    parsed = _parsed(expression)
    return parsed is not None and _holds(parsed)


def problems(names: Iterable[str]) -> list[str]:
    """One line for each package whose licence is unknown, or does not go with ours."""
    found = []
    for name in names:
        licence = licence_of(name)
        if licence is None:
            found.append(
                f"{name}: no licence that could be read. "
                "Hint: read what it ships, and state it in licences.py"
            )
        elif not is_compatible(licence):
            found.append(f"{name}: {licence} does not go with GPL-3.0-or-later")
    return found


@cache
def _spdx() -> Any:
    return get_spdx_licensing()  # reads a list of 2,000 licences


def _parsed(text: str) -> Any | None:
    try:
        return _spdx().parse(text, validate=True, strict=True)
    except ExpressionError:
        return None


def _holds(parsed: Any) -> bool:
    if not getattr(parsed, "args", ()):
        return str(parsed) in COMPATIBLE
    holds = [_holds(part) for part in parsed.args]
    return any(holds) if parsed.operator.strip() == "OR" else all(holds)
