"""The night switch as feature codes, and what the phones of the house may call and watch."""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_agent.config.schema import Config

CODE = "*28"
SWITCHES = {"0": "schedule", "1": "open", "2": "closed", "3": "people"}
LAMP = "Custom:agent-night"
"""Set in ``agent-parts.conf``."""


def extensions(config: Config) -> Iterator[str]:
    """``[agent-features]``, and ``[agent-night]``, which writes every channel's override file."""
    yield from (
        "",
        "; --- For the phones of the house ----------------------------------------------------",
        "; Include this context where their calls arrive, and never where a trunk's do.",
        "[agent-features]",
        f"; The night switch. {CODE} closes, or goes back to the hours where it was closed so; its",
        "; lamp is on while closed. 0: by the hours, 1: open, 2: closed, 3: people answer first.",
        f"exten => {CODE},hint,{LAMP}",
        f"exten => {CODE},1,Goto(agent-night,toggle,1)",
    )
    for digit, switch in SWITCHES.items():
        yield f"exten => {CODE}{digit},1,Set(AGENT_SWITCH={switch})"
        yield " same => n,Goto(agent-night,set,1)"
    for team in config.teams.values():
        if team.extension is not None:
            yield f"; {team.label}: the lamp is on while callers wait."
            yield f"exten => {team.extension},hint,Queue:agent-{team.id}"
            yield f"exten => {team.extension},1,Goto(agent-team-{team.id},{team.extension},1)"
    yield from _night(list(config.channels))


def _night(channels: list[str]) -> Iterator[str]:
    yield from (
        "",
        "; Each channel has a file in AGENT_OVERRIDES: a state, and until when (0: for good).",
        "; An empty one is none.",
        "[agent-night]",
        "exten => toggle,1,Set(AGENT_SWITCH=closed)",
    )
    for channel in channels:
        yield f" same => n,Set(AGENT_CHANNEL={channel})"
        yield " same => n,Gosub(agent-override,s,1)"
        yield ' same => n,GotoIf($["${AGENT_OVERRIDDEN}" != "closed"]?set,1)'
    yield from (
        " same => n,Set(AGENT_SWITCH=schedule)",
        " same => n,Goto(set,1)",
        "exten => set,1,Answer()",
        ' same => n,Set(AGENT_WRITTEN=${IF($["${AGENT_SWITCH}" = "schedule"]?:${AGENT_SWITCH} 0)})',
    )
    for channel in channels:
        yield f" same => n,Set(FILE(${{AGENT_OVERRIDES}}/{channel})=${{AGENT_WRITTEN}})"
    for channel in channels:
        read = f"${{FILTER(a-z0-9\\x20,${{FILE(${{AGENT_OVERRIDES}}/{channel},0,64)}})}}"
        yield f' same => n,GotoIf($["{read}" != "${{AGENT_WRITTEN}}"]?agent-switched,failed,1)'
    yield " same => n,Goto(agent-switched,s,1)"
