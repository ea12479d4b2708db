"""How many conversations a machine carries at once, from what one of their turns costs it.

A caller who waits for the other callers' answers is worse off than one who is put through to a
person. So the machine is never filled up: several callers may finish in the same moment.
"""

from __future__ import annotations

TURN_EVERY_S = 12.0
"""How often a caller speaks: four seconds of question, six of answer, two of thinking."""
BUSY_AT_MOST = 0.6
"""Of all cores. With more, callers wait for each other when several finish at once."""
LINE_CPU_S = 0.02
"""CPU seconds for each second of a call in which nobody speaks: frames in, frames out, and the
voice detector. Measured on an AMD EPYC.
"""


def cpu_share(turn_cpu_s: float, line_cpu_s: float = LINE_CPU_S) -> float:
    """The share of one core that a call takes whose turns cost ``turn_cpu_s`` CPU seconds each."""
    return turn_cpu_s / TURN_EVERY_S + line_cpu_s


def calls_carried(turn_cpu_s: float, cores: int, line_cpu_s: float = LINE_CPU_S) -> int:
    """How many calls at once; one at least, for a slow answer is an answer, too."""
    return max(1, int(BUSY_AT_MOST * cores / cpu_share(turn_cpu_s, line_cpu_s)))
