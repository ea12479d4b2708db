"""When the documents have changed on disk, so that they are to be read again. Reads no clock."""

from __future__ import annotations

from asterisk_agent.brain.documents import fingerprint
from asterisk_agent.config.schema import Config

Fingerprint = tuple[tuple[str, int, int], ...]
"""Each document's name, size and time: another one means that something changed."""


def documents_of(config: Config) -> Fingerprint:
    """The fingerprint of all channels' documents. Blocking, and quick."""
    found = {
        document
        for channel in config.channels.values()
        for document in fingerprint(config.knowledge_directory, channel.knowledge)
    }
    return tuple(sorted(found))


class Changes:
    """Tells a change that is over from one under way. Ask it at regular intervals.

    An editor, or a copy of many files, takes a moment: what differs between two looks waits.
    """

    def __init__(self) -> None:
        self._before: Fingerprint | None = None
        self._refused: Fingerprint | None = None

    def due(self, indexed: Fingerprint, seen: Fingerprint) -> bool:
        """Whether what is ``seen`` now shall take the place of what was ``indexed``."""
        settled, self._before = seen == self._before, seen
        return settled and seen not in (indexed, self._refused)

    def refused(self, seen: Fingerprint) -> None:
        """These documents could not be read: try again when they are others."""
        self._refused = seen
