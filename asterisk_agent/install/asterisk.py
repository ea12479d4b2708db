"""Asterisk at its console: let it read its files again, and see what it made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asterisk_agent.install.machine import Run

RELOADS = ("manager reload", "dialplan reload", "queue reload all", "voicemail reload")
ENTRY = "asterisk-agent"
OURS = ("agent-", "asterisk-agent")
"""How the names of our contexts begin."""
_CONTEXT_FIELD = 1
"""In a line of ``core show channels concise``, whose fields are parted by ``!``."""


@dataclass(frozen=True, slots=True)
class Console:
    """``asterisk -rx``. ``command`` is Asterisk's program."""

    command: Sequence[str]
    run: Run

    @property
    def answers(self) -> bool:
        """Whether an Asterisk runs that can be asked."""
        return (
            bool(self.command) and self.run((*self.command, "-rx", "core show uptime")).status == 0
        )

    def reload(self) -> None:
        """Manager, dialplan, queues and mailboxes; nothing else is disturbed."""
        for what in RELOADS:
            self.run((*self.command, "-rx", what))

    @property
    def has_our_dialplan(self) -> bool:
        """Whether our way in is loaded."""
        said = self.run((*self.command, "-rx", f"dialplan show {ENTRY}")).said
        return f"Context '{ENTRY}'" in said

    @property
    def calls(self) -> int:
        """How many calls are in our contexts now."""
        said = self.run((*self.command, "-rx", "core show channels concise")).said
        rows = (row.split("!") for row in said.splitlines())
        return sum(len(row) > 1 and row[_CONTEXT_FIELD].startswith(OURS) for row in rows)
