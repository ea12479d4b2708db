"""What every page works with: the configuration as it stands, the call log, who is signed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse

from asterisk_agent.ceilings import is_spent
from asterisk_agent.config.load import Survey, survey
from asterisk_agent.config.schema import FILES, Channel, Config
from asterisk_agent.errors import AgentError, ConfigError
from asterisk_agent.outlook import Forecast
from asterisk_agent.records import CallLog
from asterisk_agent.routing import AgentHealth
from asterisk_agent.web import chores
from asterisk_agent.web.asked import Asked
from asterisk_agent.web.audit import Audit
from asterisk_agent.web.feed import Feed
from asterisk_agent.web.render import Renderer
from asterisk_agent.web.sessions import Sessions
from asterisk_agent.web.throttle import Throttle
from asterisk_agent.web.users import Users

STALE_S = 5.0
"""What the configuration says of other files is looked at again after this long."""
LOG_BUSY_S = 2.0
"""How long a page waits for a call log that is locked."""


class Desk:
    """``config`` is what the console began with: where things lie. ``survey`` is what holds now."""

    def __init__(
        self,
        config: Config,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        *,
        users: Users | None = None,
        reload: chores.Chore | None = None,
        check: chores.Chore | None = None,
    ) -> None:
        self.began_with = config
        self.directory = config.directory
        self.moment = now
        self.clock = clock
        self.users = users or Users(config.web_directory)
        self.sessions = Sessions(config.web_directory, self.users, now)
        self.audit = Audit(config.web_directory, now)
        self.throttle = Throttle()
        self.secure = config.web.may_be_reached
        self.renderer = Renderer(now)
        self.feed = Feed(config.control_socket, self.renderer.call)
        self.reload = reload or chores.reload(config.directory, now)
        self.check = check or chores.check(config.directory, now)
        self._surveyed: tuple[object, float, Survey] | None = None
        self._forecast: tuple[Config, Forecast] | None = None
        self.scraper: str | None = None
        """What Prometheus has shown, once it was found good; forgotten with the process."""
        self._log: CallLog | None = None
        self._opening = Lock()

    def survey(self) -> Survey:
        """The configuration as its files hold it, with every problem and oddity."""
        mark = _mark(self.directory)
        found = self._surveyed
        if found is None or found[0] != mark or self.clock() - found[1] > STALE_S:
            found = self._surveyed = mark, self.clock(), survey(self.directory)
        return found[2]

    @property
    def config(self) -> Config:
        """The configuration as its files hold it. Raises ConfigError where they have mistakes."""
        found = self.survey()
        if found.config is None:
            raise ConfigError([str(problem) for problem in found.problems])
        return found.config

    def forecast(self) -> Forecast:
        """What would become of calls. Raises ConfigError where the files have mistakes."""
        config = self.config
        if self._forecast is None or self._forecast[0] is not config:
            self._forecast = config, Forecast(config)
        return self._forecast[1]

    def agent_at(self, channel: Channel, then: datetime) -> AgentHealth:
        """How the agent will be for a channel: its minutes of this month may be used up."""
        month = f"{then.astimezone(self.zone):%Y-%m}"
        if channel.ceiling is None or month != f"{self.moment().astimezone(self.zone):%Y-%m}":
            return AgentHealth.UP
        try:
            spent = is_spent(channel, self.log().usages(month))
        except AgentError:
            return AgentHealth.UP
        return AgentHealth.SPENT if spent else AgentHealth.UP

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which pages show times."""
        config = self.survey().config or self.began_with
        return ZoneInfo(config.timezone)

    def labels(self) -> Mapping[str, str]:
        """What each channel is called."""
        config = self.survey().config or self.began_with
        return {channel.id: channel.label for channel in config.channels.values()}

    def log(self) -> CallLog:
        """The call log. Raises AgentError where it cannot be opened."""
        with self._opening:
            if self._log is None:
                self._log = CallLog(
                    self.began_with.records.database,
                    timezone=self.began_with.timezone,
                    busy_s=LOG_BUSY_S,
                    make=False,
                )
            return self._log

    def page(self, asked: Asked, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page for whoever asked."""
        values |= {"asked": asked, "desk": self, "zone": self.zone}
        return HTMLResponse(self.renderer.page(template, **values), status)


def _mark(directory: Path) -> object:
    """What tells one state of the configuration's files from another."""
    marks = []
    for name in FILES:
        try:
            status = (directory / name).stat()
            marks.append((name, status.st_mtime_ns, status.st_size, status.st_ino))
        except OSError:
            marks.append((name, 0, 0, 0))
    return tuple(marks)
