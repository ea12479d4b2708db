"""Who had a call, by Asterisk's list of channels, and the table of it."""

import pytest

from asterisk_agent.errors import AsteriskError, SandboxError
from asterisk_agent.sandbox.load import table
from asterisk_agent.sandbox.load_call import Places


class Manager:
    def __init__(self, *channels):
        self.channels = channels

    async def action(self, name):
        assert name == "CoreShowChannels"
        if not self.channels:
            raise AsteriskError("gone")
        return [{"event": "CoreShowChannelsComplete"}, *self.channels]


def channel(application, bridge="", number="+1555", name="PJSIP/anonymous-1"):
    return {
        "calleridnum": number,
        "channel": name,
        "application": application,
        "bridgeid": bridge,
    }


@pytest.mark.parametrize(
    ("application", "bridge", "place"),
    [
        ("AudioSocket", "", "agent"),
        ("Queue", "", ""),
        ("Queue", "b1", "person"),
        ("Dial", "b1", "person"),
        ("VoiceMail", "", "voicemail"),
        ("Wait", "", ""),
    ],
)
async def test_where_a_call_is(application, bridge, place):
    asking = channel("AGI", name="Local/s1@agent-asking-0;2")
    places = Places(
        Manager(asking, channel("AudioSocket", number="+2"), channel(application, bridge))
    )
    assert await places.of("+1555") == place
    assert await places.of("+3") == ""


async def test_an_asterisk_that_is_gone_is_named():
    with pytest.raises(SandboxError, match="asking for the channels: gone"):
        await Places(Manager()).of("+1555")


def test_the_table_has_a_column_for_each_level():
    delays = {"p50": 0.5, "p95": 1.0, "max": 2.0}
    level = {
        "times": 5.0,
        "callers": 10,
        "placed": 20,
        "agent": 4,
        "person": 6,
        "voicemail": 10,
        "lost": 0,
        "missed_ends": 0,
        "longest_arrival_gap_ms": 40.0,
        "waited_s": delays,
        "reply_delay_s": delays,
    }
    text = table({"capacity": 2, "members": 1, "levels": [{**level, "times": 1.0}, level]})
    assert "| times the capacity | 1 | 5 |" in text
    assert "| lost | 0 | 0 |" in text
    assert "| any reply of the agent, s: p95 | 1.0 | 1.0 |" in text
