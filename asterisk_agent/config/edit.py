"""Changes that commands and pages make to the operator's files.

Nothing is written unless the whole configuration is valid with it. A file is replaced in one
step; its last version stays beside it as ``NAME.bak``.
"""

from __future__ import annotations

import codecs
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from asterisk_agent.config import round_trip
from asterisk_agent.config.load import Survey, survey
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.config.yaml_text import read
from asterisk_agent.errors import AgentError, ConfigError

Change = Callable[[CommentedMap], None]
"""Gets a file's tree, in which every value is text, and alters it."""
_NAMES_OTHERS = "channels.yaml"


@dataclass(frozen=True, slots=True)
class Assignment:
    """The ids of the channels that were changed, and of those that were so already."""

    changed: tuple[str, ...]
    already: tuple[str, ...]


def edit(directory: Path, name: str, change: Change) -> bool:
    """Change a file of a configuration directory. Returns whether anything was written.

    Comments, order and quotes stay. Raises ConfigError, and writes nothing, where the configuration
    would not be valid with it; AgentError where the file cannot be written, or changed meanwhile.
    """
    with _alone(directory / name):
        return _edit(directory, name, change)


def assign(directory: Path, wanted: Sequence[str], *, agent: bool) -> Assignment:
    """Let the agent answer these channels (numbers or ids), or not, in channels.yaml.

    Raises AgentError for an unknown one, and what ``edit`` raises. Then nothing is changed.
    """
    with _alone(directory / "channels.yaml"):
        channels = dict.fromkeys(channels_named(_valid(directory), wanted))
        others = [channel.id for channel in channels if channel.agent != agent]

        def change(tree: CommentedMap) -> None:
            for channel_id in others:
                _switch(tree["channels"][channel_id], agent)

        _edit(directory, "channels.yaml", change)
        config = _valid(directory)
    for channel_id in others:
        assert config.channels[channel_id].agent is agent, "the file does not say what was written"
    return Assignment(tuple(others), tuple(c.id for c in channels if c.id not in others))


def channels_named(config: Config, wanted: Sequence[str]) -> list[Channel]:
    """The channels with these numbers or ids. Raises AgentError naming those that are none."""
    found = [(word, config.channel_by_number(word) or config.channels.get(word)) for word in wanted]
    unknown = [word for word, channel in found if channel is None]
    if unknown:
        known = [f"{', '.join(c.number)} ({c.id})" for c in config.channels.values()]
        raise AgentError(
            f"no channel has the number {' or '.join(unknown)}", hint=f"known: {'; '.join(known)}"
        )
    return [channel for _, channel in found if channel is not None]


def _switch(channel: CommentedMap, agent: bool) -> None:
    """Set ``agent:`` of a channel. What differs there in a mapping is kept."""
    written = channel.get("agent")
    if isinstance(written, CommentedMap):
        written["assigned"] = "on" if agent else "off"
    elif "agent" in channel:
        channel["agent"] = "on" if agent else "off"
    else:
        # Behind the number, which comes first: a comment belongs to the key above it.
        place = list(channel).index("number") + 1 if "number" in channel else 0
        channel.insert(place, "agent", "on" if agent else "off")


def _edit(directory: Path, name: str, change: Change) -> bool:
    drafted = draft(directory, {name: change})
    if not drafted.new:
        return False
    if drafted.survey.problems:
        raise ConfigError([str(problem) for problem in drafted.survey.problems])
    _put(directory, drafted)
    return True


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes that are not written: ``new`` is what files would hold, those alone that differ.

    ``survey`` is the whole configuration as it would be.
    """

    old: Mapping[str, bytes]
    new: Mapping[str, bytes]
    survey: Survey


class Stale(AgentError):
    """A file is not any more as it was when whoever changes it looked at it."""


def draft(directory: Path, changes: Mapping[str, Change]) -> Draft:
    """What would come of changes to files, by their names. Writes nothing.

    Raises ConfigError for a file that is no YAML, AgentError for one that cannot be edited.
    """
    old = {name: _content(directory, name) for name in changes}
    new: dict[str, bytes] = {}
    for name, change in changes.items():
        mark = codecs.BOM_UTF8 if old[name].startswith(codecs.BOM_UTF8) else b""
        try:
            text = old[name].removeprefix(mark).decode("utf-8")
            content = mark + round_trip.changed(text, change).encode()
        except ValueError as error:
            path = (directory / name).resolve()
            raise AgentError(f"{path} cannot be edited: {error}", hint="edit it by hand") from None
        if content != old[name]:
            new[name] = content
    return Draft(old, new, survey(directory, new))


def fingerprints(directory: Path, names: Sequence[str]) -> dict[str, str]:
    """What tells one content of each file from another; "" for one that cannot be read."""
    found = {}
    for name in names:
        try:
            found[name] = _fingerprint((directory / name).read_bytes())
        except OSError:
            found[name] = ""
    return found


def save(directory: Path, changes: Mapping[str, Change], seen: Mapping[str, str]) -> list[str]:
    """Write changes to several files, all or, where the configuration would not be valid, none.

    ``seen`` are the fingerprints of the files when whoever changes them looked at them. Raises
    Stale where one of them differs now, and what ``edit`` raises. Returns the names of what was
    written.
    """
    with ExitStack() as stack:
        places = {(directory / name).resolve().parent: directory / name for name in changes}
        for place in sorted(places):
            stack.enter_context(_alone(places[place]))
        drafted = draft(directory, changes)
        others = [name for name, old in drafted.old.items() if _fingerprint(old) != seen.get(name)]
        if others:
            raise Stale(f"{' and '.join(others)} changed meanwhile", hint="nothing was written")
        if drafted.survey.problems:
            raise ConfigError([str(problem) for problem in drafted.survey.problems])
        _put(directory, drafted)
        return list(drafted.new)


def _fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _content(directory: Path, name: str) -> bytes:
    """A file's bytes, where they are YAML."""
    file = read(directory, name)
    if file.tree is None:
        raise ConfigError([str(problem) for problem in file.problems])
    path = (directory / name).resolve()
    try:
        return path.read_bytes()
    except OSError as error:
        raise AgentError(f"{path} cannot be edited: {error}", hint="edit it by hand") from None


def _put(directory: Path, drafted: Draft) -> None:
    """The channels last: they name hours and teams, and somebody may read in between."""
    for name, new in sorted(drafted.new.items(), key=lambda item: item[0] == _NAMES_OTHERS):
        path = (directory / name).resolve()  # a link stays a link
        try:
            replace_file(path, drafted.old[name], new)
        except OSError as error:
            raise AgentError(
                f"{path} cannot be written: {error.strerror}",
                hint="run this as a user who may write the configuration",
            ) from error


def _valid(directory: Path) -> Config:
    found = survey(directory)
    if found.config is None:
        raise ConfigError([str(problem) for problem in found.problems])
    return found.config


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for other editors of ours in the directory where a file really lies.

    The lock is the directory's own, so nothing is left behind, and it goes with the process.
    """
    directory = path.resolve().parent
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise AgentError(f"{directory} cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace_file(path: Path, old: bytes, new: bytes) -> None:
    """Put ``new`` in the place of a file, in one step, with its mode and owner.

    Whoever reads meanwhile gets the one or the other, whole; so does a machine that loses power.
    Raises AgentError where it does not hold ``old`` any more, and OSError.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(new)
            stream.flush()
            _take_after(stream.fileno(), path.stat())
            os.fsync(stream.fileno())
        if path.read_bytes() != old:
            raise AgentError(f"{path} was changed meanwhile", hint="nothing was written; try again")
        _back_up(path)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _take_after(handle: int, status: os.stat_result) -> None:
    """Give a new file the owner, the group and the mode of the one that it replaces."""
    mine = os.fstat(handle)
    if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(handle, status.st_uid, status.st_gid)
    os.fchmod(handle, status.st_mode & 0o7777)


def _back_up(path: Path) -> None:
    """Keep the version that stands as ``NAME.bak``, in one step."""
    temporary = path.with_name(f".{path.name}.bak.{os.getpid()}")
    try:
        shutil.copy2(path, temporary)
        os.replace(temporary, path.with_name(f"{path.name}.bak"))
    finally:
        temporary.unlink(missing_ok=True)
