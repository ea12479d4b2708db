"""Calls that outlive a service: what is kept of them, and how their story goes on."""

import json
from datetime import timedelta

import pytest
from test_records import BEGAN, full_story, story

from asterisk_agent.records import Journal, Left, TurnRecord
from asterisk_agent.records.restoring import story_of
from asterisk_agent.recovery import (
    catch_up,
    interrupted,
    outcome_of_gone,
    person_with,
    place_before,
    place_of,
)
from asterisk_agent.routing import Stage

AT = BEGAN + timedelta(minutes=1, seconds=30)
LATER = AT + timedelta(seconds=4)


def talking(number=1):
    """A call that has talked with the agent for half a minute when the service is lost."""
    told = story(number)
    told.went("agent", "open", BEGAN + timedelta(minutes=1))
    told.turns.append(TurnRecord("agent", "Hello.", 1.0, 1.5))
    return told


def row(unique_id="1.1", context="agent-team-support", exten="600", bridge="", channel="PJSIP/t-1"):
    return {
        "uniqueid": unique_id,
        "context": context,
        "exten": exten,
        "bridgeid": bridge,
        "channel": channel,
    }


# --- A story and its JSON form -------------------------------------------------------------------


def test_a_story_comes_back_from_its_json_form():
    told = full_story()
    assert story_of(json.loads(json.dumps(told.as_json())), "1.1") == told


@pytest.mark.parametrize(
    "change",
    [
        {"id": "none"},
        {"started": None},
        {"started": "2026-03-02T14:00:00"},
        {"turns": [{"text": "who?"}]},
        {"path": 7},
        {"callback": []},
    ],
)
def test_what_is_no_story_is_refused(change):
    with pytest.raises(ValueError, match=r".+"):
        story_of(full_story().as_json() | change, "1.1")


# --- The journal ---------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "state/calls-now")


def test_what_is_kept_is_found_by_the_next(journal, tmp_path):
    told = talking()
    journal.write(told.id, Left(told, BEGAN, talking=True, saying=True).as_json())
    (left,) = journal.read()
    assert (left.story, left.talking, left.saying) == (told, True, True)
    assert left.seen > BEGAN
    (file,) = (tmp_path / "state/calls-now").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o077 == 0
    journal.remove(told.id)
    journal.remove(told.id)
    assert journal.read() == []


def test_a_later_form_replaces_an_earlier_one(journal):
    told = talking()
    journal.write(told.id, Left(told, BEGAN, talking=True).as_json())
    told.went("team:support", "a person", AT)
    journal.write(told.id, Left(told, BEGAN).as_json())
    (left,) = journal.read()
    assert (len(left.story.path), left.talking) == (2, False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"story": {}}', '{"story": 1}', "null"])
def test_a_damaged_file_disturbs_nobody_and_is_removed(journal, tmp_path, text, caplog):
    told = talking()
    journal.write(told.id, Left(told, BEGAN).as_json())
    (tmp_path / "state/calls-now/x.json").write_text(text)
    (tmp_path / "state/calls-now/half.new").write_text(text)
    assert [left.story.id for left in journal.read()] == [told.id]
    assert [file.name for file in (tmp_path / "state/calls-now").iterdir()] == [f"{told.id}.json"]
    assert "1 lost" not in caplog.text
    assert caplog.text.count("a call under way is lost") == 1


def test_a_place_that_cannot_be_written_is_told_once(tmp_path, caplog):
    (tmp_path / "in the way").write_text("")
    journal = Journal(tmp_path / "in the way")
    told = talking()
    for _ in range(3):
        journal.write(told.id, Left(told, BEGAN).as_json())
    journal.touch(told.id)
    journal.remove(told.id)
    assert journal.read() == []
    assert len(caplog.records) == 1


# --- What became of it ---------------------------------------------------------------------------


def test_a_conversation_ends_when_its_service_was_lost():
    told = talking()
    interrupted(told, AT, "the service was lost", talking=True, saying=True)
    assert told.events[-1].detail == "the service was lost while the agent spoke"
    assert (told.events[-1].kind, told.events[-1].at_s) == ("error", 30.0)
    assert (told.reason, told.path[-1].result, told.agent_s) == ("lost", "lost", 30.0)
    assert told.ended is told.outcome is None
    assert told.turns[0].text == "Hello."


def test_a_call_that_was_with_people_is_not_lost():
    told = talking()
    told.went("team:support", "a person", AT)
    interrupted(told, LATER, "the service was lost", talking=False, saying=False)
    assert (told.reason, told.path[-1].result, told.agent_s) == (None, "", 0.0)
    assert told.events[-1].detail == "the service was lost"


@pytest.mark.parametrize(
    ("context", "exten", "place"),
    [
        ("agent-team-support", "600", "team:support"),
        ("agent-team-support", "s", "team:support"),
        ("agent-queue", "team-support", "team:support"),
        ("agent-queue", "other-back-office", "team:back-office"),
        ("agent-queue", "back", ""),
        ("agent-voicemail", "support", "voicemail:support"),
        ("agent-voicemail", "h", ""),
        ("agent-on-call", "support", "on-call:support"),
        ("agent-phone", "anna", "phone:anna"),
        ("agent-ask", "ask", ""),
        ("agent-static-support", "agent", ""),
        ("from-trunk", "1", ""),
        ("", "", ""),
    ],
)
def test_where_a_channel_is(context, exten, place):
    assert place_of(row(context=context, exten=exten)) == place


def test_who_a_caller_talks_to():
    caller = row(bridge="b")
    member = row("1.2", "from-phones", "s", "b", "PJSIP/101-00000003")
    others = [row("1.3", bridge="c", channel="PJSIP/102-1"), row("1.4", channel="PJSIP/103-1")]
    local = row("1.5", bridge="b", channel="Local/support@agent-existing-1;1")
    assert person_with(caller, [caller, *others, local, member]) == "PJSIP/101"
    assert person_with(caller, [caller, *others, local]) == ""
    assert person_with(row(), [row(), member]) == ""


def test_a_call_is_told_on_from_where_it_was_found():
    told = talking()
    interrupted(told, AT, "the service was lost", talking=True, saying=False)
    assert catch_up(told, "team:support", "", LATER)
    assert [(step.to, step.at_s) for step in told.path][-1] == ("team:support", 34.0)
    assert told.path[-1].because == "found there when the service was back"
    assert told.picked_up_by is None
    assert not catch_up(told, "team:support", "", LATER)
    assert catch_up(told, "team:support", "PJSIP/101", LATER)
    assert told.attempts[-1].picked_up_by == told.picked_up_by == "PJSIP/101"
    assert not catch_up(told, "team:support", "PJSIP/101", LATER)
    assert len(told.path) == 2


def test_between_two_places_nothing_is_told():
    told = talking()
    assert not catch_up(told, "", "PJSIP/101", LATER)
    assert told.picked_up_by is None


def test_a_mailbox_that_is_known_is_not_told_again():
    told = talking()
    told.went("voicemail:support", "closed", AT)
    assert not catch_up(told, "voicemail", "", LATER)


def test_where_a_call_was_that_asks_again():
    assert place_before(Stage.TEAM, "support", ["sales", "support"]) == "team:support"
    assert place_before(Stage.TEAM, "support", []) == ""
    assert place_before(Stage.ON_CALL, "support", []) == "on-call:support"
    assert place_before(Stage.VOICEMAIL, "support", []) == "voicemail"
    assert place_before(Stage.AGENT, "support", ["sales"]) == ""


def test_of_a_call_that_is_gone_only_what_is_sure_is_told():
    told = talking()
    assert outcome_of_gone(told) == "unknown"
    told.went("team:support", "a person", AT)
    assert outcome_of_gone(told) == "unknown"
    told.picked_up("PJSIP/101", LATER)
    assert outcome_of_gone(told) == "answered"
    told.went("voicemail:support", "nobody", LATER)
    assert outcome_of_gone(told) == "voicemail"
    assert outcome_of_gone(story()) == "unknown"
