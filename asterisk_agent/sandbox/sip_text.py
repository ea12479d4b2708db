"""The little of SIP's text that a test wants to look at: headers, and who is calling."""

from __future__ import annotations

import re


def headers_of(message: str) -> dict[str, str]:
    """The headers of a SIP message by name; the first one where a name comes twice."""
    head = re.split(r"\r?\n\r?\n", message, maxsplit=1)[0]
    unfolded = re.sub(r"\r?\n[ \t]+", " ", head)
    headers: dict[str, str] = {}
    for line in unfolded.splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip(), value.strip())
    return headers


def party(value: str) -> tuple[str, str]:
    """Display name and URI of a From or To header: ``"Ann" <sip:1@h>;tag=x`` → (Ann, sip:1@h)."""
    match = re.match(r'\s*(?:"((?:\\.|[^"\\])*)"|([^<"]*?))\s*<([^>]*)>', value)
    if match is None:
        return "", value.split(";", maxsplit=1)[0].strip()
    quoted, plain, uri = match.groups()
    name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain.strip()
    return name, uri
