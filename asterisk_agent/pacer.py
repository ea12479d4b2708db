"""The playout clock: 20 ms frames, on time, and an exact account of what was really heard.

Asterisk keeps no jitter buffer for AudioSocket: audio sent early is simply played on, audio
sent late is a gap. So at every moment at most ``LEAD_S`` of audio is on its way, and stopping
to send is all that a barge-in needs. Time is an argument: nothing here reads a clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

FRAME_S = 0.020
LEAD_S = 0.040
"""How far ahead of real time we send: two frames absorb the loop's jitter, and are the most
that a caller hears after a barge-in."""

_ROUNDING_S = 1e-6
"""Without it ``frames(next_due())`` may be a float's last bit too early, and give nothing."""


@dataclass(slots=True)
class _Clip:
    key: object
    pcm: bytearray
    position: int = 0
    played_bytes: int = 0
    """The furthest position so far: what is played again after a hold counts once."""
    complete: bool = False

    @property
    def left(self) -> int:
        return len(self.pcm) - self.position


@dataclass(frozen=True, slots=True)
class Started:
    """A clip's first frame was just handed out."""

    key: object


@dataclass(frozen=True, slots=True)
class Finished:
    """A clip was played to its end, or dropped by ``stop``. ``heard_s`` is what went out."""

    key: object
    heard_s: float
    complete: bool


class Pacer:
    """Turns queued clips into frames on a fixed beat.

    The owner asks ``frames(now)`` whenever ``next_due(now)`` has passed, sends what it gets, and
    reads ``events()``. When nothing is queued, the frames are silence.
    """

    def __init__(self, rate_hz: int, now: float) -> None:
        self._rate_hz = rate_hz
        self._frame_bytes = round(rate_hz * FRAME_S) * 2
        self._silence = bytes(self._frame_bytes)
        self._clips: deque[_Clip] = deque()
        self._due = now
        self._events: list[Started | Finished] = []
        self._held = False
        self.longest_gap_s = 0.0
        """The longest that a frame was sent after the caller's line ran dry."""

    @property
    def speaking(self) -> bool:
        """Whether any queued audio is still to be sent, or a clip still to be completed."""
        return bool(self._clips)

    @property
    def held(self) -> bool:
        """Whether the voice waits in mid-sentence."""
        return self._held

    @property
    def left_s(self) -> float:
        """Seconds of audio still to be sent, as far as it was made."""
        return sum(clip.left for clip in self._clips) / 2 / self._rate_hz

    def played(self, seconds: float) -> bytes:
        """The last ``seconds`` that were sent of the clip being played; less at its beginning."""
        if not self._clips:
            return b""
        clip = self._clips[0]
        start = clip.position - round(seconds * self._rate_hz) * 2
        return bytes(clip.pcm[max(0, start) : clip.position])

    def hold(self) -> None:
        """Fall silent at once, and keep what is left to say: the caller may only have coughed."""
        self._held = True

    def go_on(self, back_s: float = 0.0) -> None:
        """End a hold; say the last ``back_s`` again, so that no half word is lost."""
        self._held = False
        if self._clips:
            clip = self._clips[0]
            clip.position = max(0, clip.position - round(back_s * self._rate_hz) * 2)

    def add(self, key: object, pcm: bytes, *, complete: bool = False) -> None:
        """Queue audio. Consecutive pieces with one key are one clip, ended by ``complete``."""
        if not self._clips or self._clips[-1].key != key or self._clips[-1].complete:
            self._clips.append(_Clip(key, bytearray()))
        self._clips[-1].pcm += pcm
        self._clips[-1].complete = complete

    def stop(self) -> None:
        """Drop everything queued: the caller speaks. What was cut is in ``events``."""
        self._held = False
        while self._clips:
            clip = self._clips.popleft()
            self._events.append(self._account(clip))

    def next_due(self) -> float:
        """When ``frames`` next has something to give."""
        return self._due - LEAD_S

    def frames(self, now: float) -> list[bytes]:
        """The frames to send now: usually one; after a stall, enough to restore the lead."""
        frames = []
        if now > self._due:
            # The line ran dry. What was missed is not made up, or the delay would stay for ever.
            self.longest_gap_s = max(self.longest_gap_s, now - self._due)
            self._due = now
        while self._due - now <= LEAD_S + _ROUNDING_S:
            frames.append(self._frame())
            self._due += FRAME_S
        return frames

    def events(self) -> list[Started | Finished]:
        """What clips began and ended since the last time this was asked."""
        events, self._events = self._events, []
        return events

    def _frame(self) -> bytes:
        frame = bytearray()
        while self._clips and not self._held and len(frame) < self._frame_bytes:
            clip = self._clips[0]
            piece = clip.pcm[clip.position : clip.position + self._frame_bytes - len(frame)]
            if not piece and not clip.complete:
                break  # the voice is still being made: silence until it comes
            if piece and not clip.played_bytes:
                self._events.append(Started(clip.key))
            clip.position += len(piece)
            clip.played_bytes = max(clip.played_bytes, clip.position)
            frame += piece
            if clip.complete and not clip.left:
                self._events.append(self._account(self._clips.popleft()))
        return bytes(frame).ljust(self._frame_bytes, b"\0") if frame else self._silence

    def _account(self, clip: _Clip) -> Finished:
        done = clip.complete and not clip.left
        return Finished(clip.key, clip.played_bytes / 2 / self._rate_hz, done)
