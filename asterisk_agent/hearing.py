"""The audio of a caller's turn, the words of its beginning once they are settled, and whether
to listen to them once more.
"""

from __future__ import annotations

from asterisk_agent.events import Action, Reply

PREROLL_S = 0.40
"""Audio kept from before speech was noticed, so that no first syllable is lost."""
PIECE_S = 4.0
"""Speech this long, followed by a pause, is recognised for good: at the end of a long question
only its last part is still to be heard."""


class TurnAudio:
    """One call's ear trumpet: ``pcm`` is what is still to be recognised, ``text`` what was.

    ``turn`` counts the turns, so that what was found out about one is not taken for another.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._pcm = bytearray()
        self._speaking = False
        self.text = ""
        self.turn = 0

    @property
    def pcm(self) -> bytes:
        """The audio of the turn without what is settled, and a little from before it."""
        return bytes(self._pcm)

    def keep(self, piece: bytes, *, speaking: bool) -> None:
        """Take a piece; ``speaking``: a turn is under way."""
        if self._speaking and not speaking:
            self.text = ""
            self.turn += 1
        self._speaking = speaking
        self._pcm += piece
        if not speaking:
            del self._pcm[: max(0, len(self._pcm) - self._bytes(PREROLL_S))]

    def is_piece(self, size: int) -> bool:
        """Whether ``size`` bytes are long enough to be settled at a pause."""
        return size >= self._bytes(PIECE_S)

    def settle(self, turn: int, size: int, text: str) -> None:
        """The first ``size`` bytes of ``pcm`` say ``text``, whatever follows them."""
        if turn == self.turn and self._speaking:
            self.text = f"{self.text} {text}".strip()
            del self._pcm[:size]

    def _bytes(self, seconds: float) -> int:
        return int(seconds * self._rate_hz) * 2


def is_doubtful(reply: Reply) -> bool:
    """Whether what a caller said has no answer as it was understood: it may be misheard."""
    return reply.unanswered or reply.action is Action.CLARIFY


def is_better(second: Reply, first: Reply) -> bool:
    """Whether the reply to a second hearing shall be given instead of the ``is_doubtful`` first."""
    if not is_doubtful(second):
        return True
    if second.unanswered is first.unanswered:
        return second.confidence > first.confidence and not second.unanswered
    return first.unanswered
