"""The call log: what happened, who said what, how long each stage took.

A ``Story`` collects one call in memory; a ``Recorder`` writes stories to the ``CallLog`` behind the
calls' backs. A database that is slow, full, locked or gone never touches a call.
"""

from asterisk_agent.records.filters import CallFilter, CallRow, Page
from asterisk_agent.records.insights import Insights, Percentiles, Question, group_of
from asterisk_agent.records.log import CallLog
from asterisk_agent.records.story import Attempt, Delays, Event, Step, Story, TurnRecord
from asterisk_agent.records.usage import Usage

__all__ = [
    "Attempt",
    "CallFilter",
    "CallLog",
    "CallRow",
    "Delays",
    "Event",
    "Insights",
    "Page",
    "Percentiles",
    "Question",
    "Step",
    "Story",
    "TurnRecord",
    "Usage",
    "group_of",
]
