"""The call log: what happened, who said what, how long each stage took.

A ``Story`` collects one call in memory; a ``Recorder`` writes stories to the ``CallLog`` behind the
calls' backs. A database that is slow, full, locked or gone never touches a call.
"""

from asterisk_agent.records.filters import CallFilter, CallRow, Page
from asterisk_agent.records.insights import Insights, Percentiles, Question, group_of
from asterisk_agent.records.journal import Journal, Left
from asterisk_agent.records.log import CallLog, LogState, NoLog
from asterisk_agent.records.recorder import WAITING_ROOM, Recorder, RecorderHealth
from asterisk_agent.records.retention import Forgotten, Kept
from asterisk_agent.records.story import Attempt, Callback, Delays, Event, Step, Story, TurnRecord
from asterisk_agent.records.usage import Usage
from asterisk_agent.records.waiting import keep_only

__all__ = [
    "WAITING_ROOM",
    "Attempt",
    "CallFilter",
    "CallLog",
    "CallRow",
    "Callback",
    "Delays",
    "Event",
    "Forgotten",
    "Insights",
    "Journal",
    "Kept",
    "Left",
    "LogState",
    "NoLog",
    "Page",
    "Percentiles",
    "Question",
    "Recorder",
    "RecorderHealth",
    "Step",
    "Story",
    "TurnRecord",
    "Usage",
    "group_of",
    "keep_only",
]
