"""An engine process without engines, for tests of the pipe: it does what the audio tells it.

Started with the descriptor and the parent's id, as the real one is. A first argument of its own
may spoil the start: ``broken`` (a model is missing), ``dies`` (the process ends), ``deaf`` (it
reads nothing, holds Python's lock, and does not even notice that its parent is gone).
"""

import ctypes
import logging
import os
import pickle
import signal
import socket
import sys
import time

from asterisk_agent.engines import messages
from asterisk_agent.engines.messages import Message
from asterisk_agent.engines.serving import LogToParent, Server, settle_in
from asterisk_agent.errors import ConfigError, EngineError

NO_MODEL = ("model whisper-base is missing in /models", "run: asterisk-agent models pull it")
log = logging.getLogger("fake")


class Desk:
    def __init__(self, spoiled):
        self.spoiled = spoiled
        self.loaded = None
        self.generations = {}
        self.illiterate = spoiled.removeprefix("unreadable ") or "Illiterate"

    def load(self, job):
        if self.spoiled == "broken":
            raise EngineError(NO_MODEL[0], hint=NO_MODEL[1])
        if self.spoiled == "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        self.loaded = pickle.loads(job.body)
        return {}

    def build(self, job):
        config = pickle.loads(job.body)
        if config.agent.name == self.illiterate:
            raise ConfigError(["knowledge/a.md: cannot be read", "knowledge/b.md: neither"])
        self.generations[job.fields["generation"]] = config.agent.name
        return {}

    def forget(self, job):
        del self.generations[job.fields["generation"]]
        return {}

    def likely(self, job):
        return {"sentences": ["It costs $1.", job.fields["channel"]]}

    def think(self, job):
        if job.fields["utterance"] == "which generations?":
            text = ",".join(map(str, sorted(self.generations)))
        else:
            text = f"{self.generations[job.fields['generation']]} {job.fields['utterance']}"
        count = len(messages.history_of(job.fields["history"]))
        return {
            "text": text,
            "action": "handoff",
            "team": "support" if job.fields["staffed"] else None,
            "source": {"file": "a.md", "heading": job.fields["channel"]},
            "confidence": float(count),
            "ms": {"retrieve": 1.0, "model": 2.0, "total": 3.0},
            "unanswered": True,
        }

    def recognise(self, job):
        order, _, rest = job.body.decode().partition(" ")
        match order:
            case "die":
                os._exit(3)
            case "hang":
                time.sleep(float(rest or 60))
            case "hold":
                ctypes.PyDLL(None).sleep(60)  # without letting go of Python's lock
            case "fail":
                raise EngineError("whisper failed", hint="no hint helps")
            case "fault":
                raise ZeroDivisionError("nobody expects this")
            case "garbage":
                job._send(Message(0, "log"))
            case "log":
                log.warning("a line", extra={"call": "x-1"})
            case "until-cancelled":
                while not job.given_up:
                    time.sleep(0.001)
                log.warning("given up")
        text = job.body.decode() if len(job.body) < 1000 else str(len(job.body))
        return {"text": text, "confidence": 1.0, "audio_s": 1.0, "compute_s": 0.5}

    def speak(self, job):
        if job.fields.get("slow"):
            job.piece(b"slow")
        count, _, _ = job.fields["text"].partition(" ")
        for number in range(int(count)):
            job.piece(b"%d" % number)
        if "break" in job.fields["text"]:
            raise EngineError("the voice broke")
        return {}


def main():
    *spoiled, descriptor, parent = sys.argv[1:]
    settle_in(int(parent))
    desk = Desk(spoiled[0] if spoiled else "")
    if desk.spoiled == "deaf":
        ctypes.PyDLL(None).sleep(60)
    kinds = ("load", "build", "forget", "likely", "think", "recognise", "speak")
    pipe = socket.socket(fileno=int(descriptor))
    server = Server(pipe, {kind: getattr(desk, kind) for kind in kinds})
    logging.basicConfig(level=logging.INFO, handlers=[LogToParent(server.send)])
    server.run()
    os._exit(0)


if __name__ == "__main__":
    main()
