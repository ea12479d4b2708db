"""The configuration that is measured: the operator's own, but always open.

Whether an office is open decides who speaks; a benchmark wants the agent at any hour.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml


def open_always(original: Path, target: Path, *, worded: bool, calls: int | None) -> Path:
    """Copy a configuration to ``target`` without its hours.

    ``worded``: the language model words the answers. ``calls``: ``limits.calls``, or None to
    leave that as it is.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(original, target)
    channels = _read(target / "channels.yaml")
    for channel in channels["channels"].values():
        channel.pop("hours", None)
    _write(target / "channels.yaml", channels)
    agent = _read(target / "agent.yaml")
    if worded:
        engines = agent.setdefault("engines", {})
        engines["llm"] = {**(engines.get("llm") or {}), "answers": "generative"}
    if calls is not None:
        agent["limits"] = {**(agent.get("limits") or {}), "calls": str(calls)}
    _write(target / "agent.yaml", agent)
    return target


def _read(path: Path) -> dict[str, Any]:
    # Scalars stay text, as the configuration's own reader takes them.
    tree: dict[str, Any] = yaml.load(path.read_text("utf-8-sig"), Loader=yaml.BaseLoader)  # noqa: S506
    return tree


def _write(path: Path, tree: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), encoding="utf-8")
