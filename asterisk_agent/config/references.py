"""Names that one place of the configuration takes from another: looked up, all of them.

Works on what is written, not on what was typed: a mistake in a team must not make every channel
that names it look wrong as well. A file that could not be read is not searched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic_core import PydanticCustomError

from asterisk_agent.config import secrets
from asterisk_agent.config.dates import check_dates
from asterisk_agent.config.machine import Ami, Listen
from asterisk_agent.config.names import endpoint
from asterisk_agent.config.problems import File, KeyPath
from asterisk_agent.config.scalars import got, nearest


def check_names(directory: Path, files: Mapping[str, File]) -> None:
    """Look up every name, and report those that lead nowhere or are taken."""
    channels, teams, hours = (files[f"{name}.yaml"] for name in ("channels", "teams", "hours"))
    for name in channels.mapping("channels"):
        at = ("channels", name)
        _check_known(channels, (*at, "hours"), hours, "hours")
        _check_known(channels, (*at, "in_hours", "handoff"), teams, "teams")
        _check_handoff(channels, at, teams)
        _check_topics(channels, (*at, "knowledge"), directory / "knowledge")
        for state in ("in_hours", "after_hours"):
            unanswered = (*at, state, "unanswered")
            _check_known(channels, (*unanswered, "message"), teams, "messages")
            _check_known(channels, (*unanswered, "voicemail"), teams, "teams")
            _check_voicemail(channels, (*unanswered, "voicemail"), teams)
    for name in hours.mapping("hours"):
        _check_known(hours, ("hours", name, "holidays"), hours, "holidays")
    check_dates(hours)
    _check_unique(channels, "channels", ("number",), lambda number: number.removeprefix("+"))
    _check_unique(teams, "teams", ("extension",))
    _check_unique(teams, "teams", ("voicemail", "mailbox"))
    _check_alike(teams, "teams")
    _check_alike(files["agent.yaml"], "web", "phones")
    _check_secret(directory, files["agent.yaml"])
    _check_web(directory, files["agent.yaml"])


def _check_known(file: File, path: KeyPath, where: File, what: str) -> None:
    if where.tree is None:
        return
    known = list(where.mapping(what))
    for name in file.words(*path):
        if name and name not in known:
            listed = f"{Path(where.name).name} has {', '.join(known) or 'none'}"
            hint = nearest(name, known) or listed
            file.report(path, f"{got(name)} is not one of the {what}", hint)


def _check_handoff(channels: File, at: KeyPath, teams: File) -> None:
    """A channel that may send callers to people needs people to send them to."""
    path = (*at, "in_hours", "handoff")
    handoff = channels.words(*path)
    for name in handoff:
        team = teams.mapping("teams").get(name)
        if isinstance(team, dict) and not {"members", "extension", "existing"} & team.keys():
            hint = f"give {name} members or existing in teams.yaml"
            channels.report(path, f"nobody can be reached in the team {got(name)}", hint)
    agent_off = [word.lower() for word in channels.words(*at, "agent")] in _OFF
    answers = channels.words(*at, "in_hours", "answer") + channels.words(
        *at, "after_hours", "answer"
    )
    if handoff or not channels.mapping(*at, "in_hours") or (agent_off and "team" not in answers):
        return
    channels.report(
        path, "expected at least one team, got none", "name who helps when the agent can't"
    )


_OFF = (["off"], ["no"], ["false"])


def _check_voicemail(file: File, path: KeyPath, teams: File) -> None:
    for name in file.words(*path):
        team = teams.mapping("teams").get(name)
        if isinstance(team, dict) and "voicemail" not in team:
            hint = f"give {name} a voicemail: in teams.yaml"
            file.report(path, f"the team {got(name)} has no voicemail", hint)


def _check_topics(file: File, path: KeyPath, knowledge: Path) -> None:
    for topic in file.words(*path):
        if topic and ".." not in topic and not os.path.exists(knowledge / topic):
            known = sorted(each.name for each in knowledge.iterdir()) if knowledge.is_dir() else []
            hint = nearest(topic, known) or f"put the documents into {knowledge / topic}"
            file.report(path, f"{got(topic)} is not a folder or file of {knowledge}", hint)


def _check_unique(
    file: File, kind: str, key: KeyPath, same: Callable[[str], str] = lambda text: text
) -> None:
    """No two channels, or teams, may hold the same ``key``."""
    owners: dict[str, str] = {}
    hint = f"give each of the {kind} its own"
    for name in file.mapping(kind):
        for value in file.words(kind, name, *key):
            owner = owners.setdefault(same(value), name)
            if owner != name:
                file.report((kind, name, *key), f"{got(value)} belongs to {owner} already", hint)


def _check_alike(file: File, *kind: str) -> None:
    """Ids become extensions, in which Asterisk does not see hyphens."""
    owners: dict[str, str] = {}
    for name in file.mapping(*kind):
        owner = owners.setdefault(name.replace("-", ""), name)
        if owner != name:
            what = f"differs from {owner} by hyphens alone, which Asterisk does not see"
            file.report((*kind, name), what, "choose another id")


def _check_secret(directory: Path, agent: File) -> None:
    path = ("asterisk", "ami", "secret_file")
    name = (agent.words(*path) or [Ami().secret_file])[0]
    problem = secrets.too_open(directory / name) if "\0" not in name else None
    if problem and agent.tree is not None:
        agent.report(path, *problem)


def _check_web(directory: Path, agent: File) -> None:
    """Passwords and callers' words travel to the browser: on this machine, or enciphered."""
    for key in ("certificate", "key"):
        for name in agent.words("web", key):
            if name and "\0" not in name and not os.path.isfile(directory / name):
                hint = "give the path of a PEM file"
                agent.report(("web", key), f"{directory / name} is not a file", hint)
    key_file = (agent.words("web", "key") or [""])[0]
    problem = secrets.too_open(directory / key_file) if key_file and "\0" not in key_file else None
    if problem:
        agent.report(("web", "key"), *problem)
    address = (agent.words("listen", "web") or [str(Listen().web)])[0]
    try:
        listens = endpoint(address)
    except PydanticCustomError:
        return  # reported already
    covered = agent.words("web", "certificate") or agent.words("web", "behind_proxy")
    if not listens.is_loopback and [word.lower() for word in covered] in ([], *_OFF):
        what = f"{address} can be reached from other machines, and passwords would travel in clear"
        hint = "give web: a certificate and a key, or write behind_proxy: on where a proxy has them"
        agent.report(("listen", "web"), what, hint)
