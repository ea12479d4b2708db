"""A service without calls, for tests of the supervisor: it does what the file ``mode`` says.

``fake_service.py DIRECTORY --lifeline FD``. Modes: ``good``, ``refuses`` (a wrong configuration),
``crashes`` (a moment after it took calls), ``starts slowly``, ``does not stop``. What happens to it
is written to ``told``.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from asterisk_agent.watched import Supervised
from asterisk_agent.wire.lifeline import Beat

directory, descriptor = Path(sys.argv[1]), int(sys.argv[3])
mode = (directory / "mode").read_text()
stopping = []


def tell(*words):
    with (directory / "told").open("a") as file:
        print(*words, file=file)


def hang_up(*_):
    tell("hup")
    watcher.reloaded()


watcher = Supervised(descriptor)
child = subprocess.Popen(["sleep", "60"])
tell("start", os.getpid(), os.getpgrp(), child.pid, watcher.losses.count, watcher.losses.why)
if mode == "refuses":
    sys.exit(1)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stopping.append(True))
signal.signal(signal.SIGHUP, hang_up)
if mode == "starts slowly":
    time.sleep(0.7)
watcher.ready()
tell("ready", os.getpid())
began = time.monotonic()
while watcher.beat(Beat()) and (not stopping or mode == "does not stop"):
    time.sleep(0.05)
    if mode == "crashes" and time.monotonic() - began > 0.1:
        os.kill(os.getpid(), signal.SIGSEGV)
tell("ends")
watcher.quiet()
child.terminate()
