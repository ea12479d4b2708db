"""What a phone's process says and hears: clips to frames, frames to ``audio`` events.

PJSIP's clock thread asks for and delivers audio every 20 ms. It must never wait, so messages
leave through a thread of their own.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import Any, TextIO

import pjsua2 as pj

FRAME_S = 0.02
Message = dict[str, Any]


class Output:
    """Sends messages in order, without ever making the sender wait."""

    def __init__(self) -> None:
        self._stream = _take_standard_output()
        self._queue: SimpleQueue[Message | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    def event(self, name: str, /, **fields: Any) -> None:
        """Report something that happened now."""
        self.send({"event": name, "at": time.monotonic(), **fields})

    def send(self, message: Message) -> None:
        """Put one message in the queue."""
        self._queue.put(message)

    def close(self) -> None:
        """Send what is left."""
        self._queue.put(None)
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while (message := self._queue.get()) is not None:
            try:
                self._stream.write(json.dumps(message) + "\n")
                self._stream.flush()
            except BrokenPipeError:
                return


def _take_standard_output() -> TextIO:
    """Keep standard output for ourselves: PJSIP prints to it before its log can be set up."""
    ours = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return os.fdopen(ours, "w", encoding="utf-8")


class Mouth:
    """Clips waiting to be said, cut into frames on request."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._clips: deque[tuple[int, memoryview]] = deque()
        self._begun: int | None = None
        self._lock = threading.Lock()

    def add(self, clip: int, pcm: bytes) -> None:
        """Queue a clip behind the others."""
        with self._lock:
            self._clips.append((clip, memoryview(pcm)))

    def stop(self) -> None:
        """Forget what was not yet said."""
        with self._lock:
            cut = [clip for clip, _ in self._clips]
            self._clips.clear()
        for clip in cut:
            self._output.event("clip_ended", clip=clip, whole=False)

    def frame(self, size: int) -> bytes:
        """The next ``size`` bytes; empty where there is nothing to say."""
        with self._lock:
            said = b""
            while self._clips and len(said) < size:
                clip, rest = self._clips.popleft()
                if self._begun != clip:
                    self._begun = clip
                    self._output.event("clip_began", clip=clip)
                taken = size - len(said)
                said += bytes(rest[:taken])
                if len(rest) > taken:
                    self._clips.appendleft((clip, rest[taken:]))
                else:
                    self._output.event("clip_ended", clip=clip, whole=True)
        return said.ljust(size, b"\0") if said else b""


class Ear(pj.AudioMediaPort):  # type: ignore[misc]
    """The phone's microphone and earpiece: PJSIP's clock asks and delivers 20 ms at a time."""

    def __init__(self, rate_hz: int, mouth: Mouth, output: Output) -> None:
        super().__init__()
        self._size = int(rate_hz * FRAME_S) * 2
        self._silence = bytes(self._size)
        self._mouth = mouth
        self._output = output
        self._said = b""
        form = pj.MediaFormatAudio()
        form.type = pj.PJMEDIA_TYPE_AUDIO
        form.clockRate, form.channelCount, form.bitsPerSample = rate_hz, 1, 16
        form.frameTimeUsec = int(FRAME_S * 1_000_000)
        self.createPort("ear", form)

    def onFrameRequested(self, frame: Any) -> None:
        """PJSIP wants the next 20 ms for the far end."""
        self._said = self._mouth.frame(self._size)
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        frame.buf = pj.ByteVector(self._said or self._silence)
        frame.size = self._size

    def onFrameReceived(self, frame: Any) -> None:
        """PJSIP delivers the next 20 ms from the far end."""
        is_audio = frame.type == pj.PJMEDIA_FRAME_TYPE_AUDIO and frame.size == self._size
        heard = bytes(frame.buf) if is_audio else b""
        self._output.event(
            "audio",
            heard=base64.b64encode(heard).decode() if heard.strip(b"\0") else "",
            said=base64.b64encode(self._said).decode(),
        )
        self._said = b""
