"""A real PostgreSQL, run from a folder as nobody in particular."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asterisk_agent.sandbox.processes import free_port
from asterisk_agent.sandbox.system import postgres_programs


@contextmanager
def running() -> Iterator[str]:
    """The URL of an empty database in a server that lives as long as the block."""
    programs = postgres_programs()
    assert programs is not None, "no PostgreSQL on this machine; scripts/setup installs it"
    folder = Path(tempfile.mkdtemp(prefix="calls-"))
    who = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, **who)
    data, port, password = folder / "data", free_port(), secrets.token_hex(8)
    (folder / "password").write_text(password)

    def run(*words: object) -> None:
        done = subprocess.run(
            words, capture_output=True, text=True, cwd=folder, timeout=60, check=False, **who
        )
        assert done.returncode == 0, done.stderr

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    try:
        (folder / "password").chmod(0o644)
        run(
            *(programs / "initdb", "-D", data, "-U", "calls", "-E", "UTF8", "--locale=C"),
            *("-A", "scram-sha-256", "--pwfile", folder / "password"),
        )
        control = (programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w")
        run(*control, "-o", options, "start")
        try:
            yield f"postgresql://calls:{password}@127.0.0.1:{port}/postgres"
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
