"""``override``: the night switch. Channels are open, closed or for people first by hand.

The feature codes of the dialplan write the same files, so both may be used side by side.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asterisk_agent.cli import moment
from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.errors import AgentError
from asterisk_agent.overrides import Override, OverrideState, current, reset, write

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Channel, Config
    from asterisk_agent.plan import Plan

commands = typer.Typer(
    help="Open or close channels by hand, or let people answer first; alone: what is in force.",
    invoke_without_command=True,
)
app.add_typer(commands, name="override")

Channels = Annotated[
    list[str] | None,
    typer.Option("--channel", metavar="ID", help="Only this channel; may be given again."),
]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="18:00, '2026-12-24 12:00', or with an offset. "
        "Without it: until each channel's next scheduled change.",
    ),
]
Permanent = Annotated[bool, typer.Option("--permanent", help="Until it is reset.")]


@commands.callback()
@reports_errors
def override(
    context: typer.Context,
    channel: Channels = None,
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Show what is in force."""
    if context.invoked_subcommand is None:
        settings = _load(config)
        _report(settings, _chosen(settings, channel), as_json)


def _switch(state: OverrideState, meaning: str) -> None:
    """Register the command that forces ``state``."""

    def switch(
        until: Until = None,
        permanent: Permanent = False,
        channel: Channels = None,
        config: ConfigDirectory = DEFAULT_CONFIG,
        as_json: Json = False,
    ) -> None:
        _force(state, (until, permanent), channel, config, as_json)

    commands.command(str(state), help=meaning)(reports_errors(switch))


_switch(OverrideState.OPEN, "Be open.")
_switch(OverrideState.CLOSED, "Be closed.")
_switch(OverrideState.PEOPLE, "Be open, and let people answer before the agent.")


@commands.command("reset")
@reports_errors
def reset_(
    channel: Channels = None,
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Go back to the hours."""
    settings = _load(config)
    chosen = _chosen(settings, channel)
    for one in chosen:
        try:
            reset(settings.overrides_directory, one.id)
        except OSError as error:
            raise _cannot_write(settings, error) from error
    _report(settings, chosen, as_json)


def _force(
    state: OverrideState,
    end: tuple[str | None, bool],
    ids: list[str] | None,
    config: Any,
    as_json: bool,
) -> None:
    settings, now = _load(config), moment.now()
    chosen = _chosen(settings, ids)
    plan = _plan(settings, now)
    ends = [_end(end, one, settings, plan, now) for one in chosen]  # all of them, or none
    for one, until in zip(chosen, ends, strict=True):
        try:
            write(settings.overrides_directory, one.id, Override(state, until))
        except OSError as error:
            raise _cannot_write(settings, error) from error
    _report(settings, chosen, as_json)


def _end(
    end: tuple[str | None, bool], channel: Channel, config: Config, plan: Plan, now: datetime
) -> datetime | None:
    """When an override of this channel ends; None: when it is reset."""
    from asterisk_agent import hours

    written, permanent = end
    if written is not None and permanent:
        raise AgentError("--until and --permanent exclude each other", hint="give one of them")
    if permanent:
        return None
    if written is None:
        return hours.at(plan.schedule_of(plan.channels[channel.id]), now).until
    until = moment.parse(written, now, moment.zone_of(config, channel))
    if until <= now:
        raise AgentError(f"{written!r} is past", hint="give a time to come")
    return until


def _load(config: Any) -> Config:
    from asterisk_agent.config.load import load

    return load(config)


def _plan(config: Config, now: datetime) -> Plan:
    from asterisk_agent.config.compiling import plan_for

    return plan_for(config, now)


def _chosen(config: Config, ids: list[str] | None) -> list[Channel]:
    """The channels of these ids, each once; without ids all."""
    unknown = next((id_ for id_ in ids or () if id_ not in config.channels), None)
    if unknown is not None:
        known = ", ".join(config.channels)
        raise AgentError(f"there is no channel {unknown[:40]!r}", hint=f"known: {known}")
    return [config.channels[id_] for id_ in dict.fromkeys(ids or config.channels)]


def _cannot_write(config: Config, error: OSError) -> AgentError:
    return AgentError(
        f"{config.overrides_directory} cannot be written: {error.strerror}",
        hint="run this as the user of the service, or as root",
    )


def _report(config: Config, channels: list[Channel], as_json: bool) -> None:
    """Each channel's override, and the state in which that leaves it."""
    from asterisk_agent.routing import state_at

    now = moment.now()
    plan = _plan(config, now)
    told = []
    for channel in channels:
        forced = current(config.overrides_directory, channel.id, now)
        standing = state_at(plan.channels[channel.id], plan, forced, now)
        told.append(
            {
                "channel": channel.id,
                "override": forced.state if forced is not None else None,
                "override_until": moment.iso(forced.until) if forced is not None else None,
                "state": standing.state,
                "because": standing.because,
                "until": moment.iso(standing.until),
            }
        )
        if not as_json:
            zone = moment.zone_of(config, channel)
            end = standing.until
            until = f" until {moment.shown(end, zone)}" if end is not None else ""
            out.print(f"{channel.id}: {standing.state}{until}: {standing.because}", markup=False)
    if as_json:
        print_json({"channels": told})
