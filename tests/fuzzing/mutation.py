"""Inputs near a known one: a few bytes changed, doubled, left out, or replaced by hostile words."""

from __future__ import annotations

from random import Random

WORDS = (
    b"${SHELL(id)}", b'"', b"\\", b"\r\n\r\n", b"\0", b"\n", b"\xff", b"\xed\xa0\x80", b"[" * 40,
    b"9" * 60, b"-1", b"1e999", b"../../etc", b"<script>", b"\xe2\x80\xae", b"&a *a", b"{<<: *a}",
    b"NaN", b": ", b"%s%n", b"'; --", b"\xc5\xbf", b"=",
)  # fmt: skip


def mutated(data: bytes, chance: Random, longest: int) -> bytes:
    """One neighbour of ``data``."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(found))
        until = min(len(found), at + chance.choice((1, 1, 2, 8, 40)))
        match chance.randint(0, 4):
            case 0:
                found[at:at] = chance.choice(WORDS)
            case 1:
                del found[at:until]
            case 2:
                found[at:at] = found[at:until] * chance.randint(1, 5)
            case 3:
                found[at:until] = chance.choice(WORDS)
            case 4:
                found[at:until] = chance.randbytes(until - at)
    return bytes(found[:longest])
