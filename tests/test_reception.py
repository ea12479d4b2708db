"""What the dialplan is told at each step, and what becomes of the call's record."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from asterisk_agent import overrides
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Address, Node
from asterisk_agent.errors import ProtocolError
from asterisk_agent.overrides import Override, OverrideState
from asterisk_agent.reception import Reception, final_outcome
from asterisk_agent.records import TurnRecord
from asterisk_agent.routing import AgentHealth, Facts, Outcome, Stage
from asterisk_agent.site import site_of
from asterisk_agent.visits import CLAIM_LIMIT_S, Visits
from asterisk_agent.wire.agi import Request

CONFIG = load(Path(__file__).parent.parent / "etc")
MONDAY_NOON_UTC = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # 10:00 in the example's time zone
SUNDAY = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)


class FakeCall:
    def __init__(self, outcome):
        self.outcome = outcome


class Desk:
    """A reception with everything around it in the test's hands."""

    def __init__(self, folder):
        self.now, self.clock = MONDAY_NOON_UTC, 100.0
        self.health = AgentHealth.UP
        self.finished = []
        self.visits = Visits()
        config = CONFIG.model_copy(update={"state": str(folder)})
        self.folder = config.overrides_directory
        self.site = site_of(config, {}, self.now.date())
        self.reception = Reception(
            self.visits,
            lambda: self.site,
            lambda _channel: self.health,
            self.finish,
            now=lambda: self.now,
            clock=lambda: self.clock,
        )

    async def finish(self, visit, outcome):
        self.visits.remove(visit)
        self.finished.append((visit, outcome))

    def start(self, channel="support", waited="", unique_id="1.1", more=""):
        known = {"agi_callerid": "+1555", "agi_uniqueid": unique_id}
        request = Request("start", (channel, waited, unique_id, more), known)
        return asyncio.run(self.reception.start(request))

    def next(self, uuid, stage, status="", tried="", **more):
        arrived = str(int(self.now.timestamp()))
        state, turns = more.get("state", "open"), more.get("turns", "1")
        arguments = ("support", uuid, stage, state, status, tried, arrived, turns)
        return asyncio.run(self.reception.next(Request("next", arguments, {})))

    def talked(self, uuid, outcome):
        visit = self.visits.claim(UUID(uuid), self.clock)
        visit.call = FakeCall(outcome)
        return visit


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_call_in_hours_goes_to_the_agent_then_where_its_outcome_leads(desk):
    told = desk.start()
    assert (told["AGENT_ACTION"], told["AGENT_STATE"]) == ("agent", "open")
    visit = desk.talked(told["AGENT_UUID"], Outcome.PERSON)
    told = desk.next(told["AGENT_UUID"], "agent")
    assert (told["AGENT_ACTION"], told["AGENT_TARGET"]) == ("team", "support")
    told = desk.next(told["AGENT_UUID"], "team", "TIMEOUT", "support")
    assert (told["AGENT_ACTION"], told["AGENT_TARGET"]) == ("team", "backoffice")
    told = desk.next(told["AGENT_UUID"], "team", "CONTINUE", "support.backoffice")
    assert told["AGENT_ACTION"] == "goodbye"
    assert desk.finished == [(visit, "answered")]
    assert [step.to for step in visit.story.path] == [
        "agent",
        "team:support",
        "team:backoffice",
        "goodbye",
    ]
    assert [step.result for step in visit.story.path[:3]] == ["person", "TIMEOUT", "CONTINUE"]
    assert [(a.team, a.result) for a in visit.story.attempts] == [
        ("support", "TIMEOUT"),
        ("backoffice", "CONTINUE"),
    ]
    assert all(attempt.waited_s == 0 for attempt in visit.story.attempts)


def test_the_agent_comes_back_once_to_take_a_message(desk):
    told = desk.start()
    uuid = told["AGENT_UUID"]
    desk.talked(uuid, Outcome.UNANSWERED)
    desk.next(uuid, "agent")
    desk.next(uuid, "team", "TIMEOUT", "support")
    assert desk.visits.claim(UUID(uuid), desk.clock) is None
    told = desk.next(uuid, "team", "TIMEOUT", "support.backoffice")
    assert told["AGENT_ACTION"] == "agent"
    visit = desk.talked(uuid, Outcome.MESSAGE)
    assert visit.purpose == "message"
    told = desk.next(uuid, "agent", tried="support.backoffice", turns="2")
    assert told["AGENT_ACTION"] == "goodbye"
    assert desk.finished[0][1] == "message"


def test_a_full_agent_lets_the_caller_ring_and_knows_the_call_again(desk):
    desk.health = AgentHealth.FULL
    first = desk.start()
    assert first["AGENT_ACTION"] == "wait"
    desk.health = AgentHealth.UP
    again = desk.start(waited="1")
    assert (again["AGENT_ACTION"], again["AGENT_UUID"]) == ("agent", first["AGENT_UUID"])
    assert len(list(desk.visits)) == 1


def test_a_full_agent_who_stays_full_means_people(desk):
    desk.health = AgentHealth.FULL
    desk.start()
    told = desk.start(waited="1")
    assert (told["AGENT_ACTION"], told["AGENT_BYPASSED"]) == ("team", "1")


def test_an_override_counts_at_once(desk):
    overrides.write(desk.folder, "support", Override(OverrideState.CLOSED))
    assert desk.start()["AGENT_STATE"] == "closed"
    overrides.write(desk.folder, "support", Override(OverrideState.PEOPLE))
    told = desk.start(unique_id="1.2")
    assert (told["AGENT_ACTION"], told["AGENT_TARGET"]) == ("team", "support")
    assert desk.start("billing", unique_id="1.3")["AGENT_ACTION"] == "agent"


def test_each_announced_conversation_begins_once_and_soon(desk):
    uuid = UUID(desk.start()["AGENT_UUID"])
    assert desk.visits.busy(desk.clock) == 1
    assert desk.visits.claim(uuid4(), desk.clock) is None
    assert desk.visits.claim(uuid, desk.clock) is not None
    assert desk.visits.claim(uuid, desk.clock) is None
    late = UUID(desk.start(unique_id="1.2")["AGENT_UUID"])
    desk.clock += CLAIM_LIMIT_S
    assert desk.visits.claim(late, desk.clock) is None
    assert desk.visits.busy(desk.clock) == 0


def test_a_call_from_before_a_restart_is_lost_and_goes_to_people(desk):
    uuid = str(uuid4())
    told = desk.next(uuid, "agent")
    assert (told["AGENT_ACTION"], told["AGENT_PROMPT"]) == ("team", "apology")
    assert told["AGENT_UUID"] == uuid


def test_closed_and_lost_means_voicemail(desk):
    desk.now = SUNDAY
    told = desk.start()
    assert (told["AGENT_ACTION"], told["AGENT_STATE"]) == ("agent", "closed")
    told = desk.next(told["AGENT_UUID"], "agent", state="closed")
    assert (told["AGENT_ACTION"], told["AGENT_TARGET"]) == ("voicemail", "support")
    assert told["AGENT_MESSAGE"] == "closed-now"


@pytest.mark.parametrize(
    "arguments",
    [
        ("support",),
        ("support", "no-uuid", "nonsense", "maybe", "?", "..", "never", "-1"),
        ("support", "x" * 5000, "team", "open", "\x00", "a.b.c", "9" * 40, "9" * 11),
        ("support", "", "voicemail", "holiday", "FAILED", "", "²", "²"),
    ],
)
def test_whatever_is_asked_there_is_a_destination(desk, arguments):
    told = asyncio.run(desk.reception.next(Request("next", arguments, {})))
    assert told["AGENT_ACTION"] in ("team", "voicemail", "goodbye", "agent")


def test_an_unknown_channel_is_refused(desk):
    with pytest.raises(ProtocolError, match="nowhere"):
        desk.start("nowhere")


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ([], "abandoned"),
        ([("agent", None)], "abandoned"),
        ([("agent", None), ("caller", None)], "abandoned"),
        ([("caller", None), ("agent", "answer")], "resolved"),
        ([("caller", None), ("agent", "answer"), ("caller", None)], "abandoned"),
        ([("caller", None), ("agent", "clarify")], "abandoned"),
    ],
)
def test_who_hangs_up_behind_an_answer_was_served(desk, said, outcome):
    visit = desk.talked(desk.start()["AGENT_UUID"], Outcome.HANGUP)
    visit.story.turns = [TurnRecord(who, "…", 0.0, action=action) for who, action in said]
    assert final_outcome(visit, Facts(Stage.AGENT)) == outcome


def test_beyond_the_ceiling_people_answer(desk):
    desk.health = AgentHealth.SPENT
    told = desk.start()
    assert (told["AGENT_ACTION"], told["AGENT_TARGET"]) == ("team", "support")
    assert (told["AGENT_PROMPT"], told["AGENT_BYPASSED"]) == ("", "")
    (visit,) = desk.visits
    assert "used up" in visit.story.path[0].because


def test_the_brief_and_the_page_go_with_the_call(desk):
    told = desk.start()
    visit = desk.talked(told["AGENT_UUID"], Outcome.PERSON)
    visit.story.brief = 'Call for Support. The caller said: ${SHELL(x)} "hm"; yes'
    told = desk.next(told["AGENT_UUID"], "agent")
    assert told["AGENT_NOTE"] == "Call for Support. The caller said: SHELL x hm yes"
    assert told["AGENT_RECORD"].endswith(f"/calls/{visit.story.id}")


@pytest.mark.parametrize("health", [AgentHealth.FULL, AgentHealth.DOWN])
def test_a_call_is_left_to_other_services_where_only_our_agent_is_missing(desk, health):
    desk.health = health
    assert desk.start(more="1") == {"AGENT_ACTION": "elsewhere"}
    assert list(desk.visits) == []  # it is none of our calls
    told = desk.start(more="0")  # nobody else has one either
    assert told["AGENT_ACTION"] in ("wait", "team")
    assert len(list(desk.visits)) == 1


@pytest.mark.parametrize("health", [AgentHealth.UP, AgentHealth.SPENT])
def test_no_call_is_left_to_others_that_would_do_the_same(desk, health):
    desk.health = health
    assert desk.start(more="1")["AGENT_ACTION"] in ("agent", "team")
    desk.health = AgentHealth.FULL
    overrides.write(desk.folder, "support", Override(OverrideState.PEOPLE, None))
    assert desk.start(more="1", unique_id="1.2")["AGENT_ACTION"] == "team"


def test_a_call_of_another_service_is_told_from_where_we_meet_it(desk):
    began_elsewhere = str(uuid4())
    desk.next(began_elsewhere, "agent")
    (visit,) = desk.visits
    assert str(visit.story.id) == began_elsewhere
    assert visit.story.as_json()["continues"] is True


def test_a_call_that_another_service_took_is_not_told_as_ours(desk):
    """We were too late, or full, when it came; now its service is gone, and we are asked."""
    nodes = {
        name: Node(fastagi=Address("127.0.0.1", port), media=Address("127.0.0.1", port + 1))
        for name, port in (("a", 4573), ("b", 4575))
    }
    asterisk = CONFIG.asterisk.model_copy(update={"nodes": nodes})
    config = desk.site.config.model_copy(update={"asterisk": asterisk})
    desk.site = site_of(config, {}, desk.now.date())
    desk.start(unique_id="7.1")
    theirs = str(uuid4())
    state = ("support", theirs, "team", "open", "TIMEOUT", "support", "", "0", "7.1")
    asyncio.run(desk.reception.next(Request("next", state, {})))
    (visit,) = desk.visits
    assert (str(visit.story.id), visit.story.node) == (theirs, "a")


def test_a_ping_is_answered(desk):
    assert asyncio.run(desk.reception.ping(Request("ping", (), {}))) == {}


def test_a_number_of_turns_without_end_counts_for_none(desk):
    told = desk.start()
    answer = desk.next(told["AGENT_UUID"], "team", "TIMEOUT", "support", turns="9" * 5000)
    assert answer["AGENT_ACTION"] in ("team", "agent", "voicemail")


def test_who_hung_up_before_the_first_answer_is_written_down_at_once(desk):
    assert desk.visits.end_of(UUID(int=0), "1.1") is None  # Asterisk was quicker than we
    desk.start(unique_id="1.1")
    ((visit, outcome),) = desk.finished
    assert (visit.story.unique_id, outcome) == ("1.1", "abandoned")
    assert list(desk.visits) == []


def test_who_hung_up_while_the_first_answer_was_on_its_way_is_found_by_asterisks_id(desk):
    told = desk.start(unique_id="1.1")
    found = desk.visits.end_of(UUID(int=0), "1.1")
    assert found is desk.visits.get(UUID(told["AGENT_UUID"]))


def test_a_question_of_a_call_that_is_over_begins_no_record(desk):
    told = desk.start(unique_id="1.1")
    desk.visits.remove(desk.visits.end_of(UUID(told["AGENT_UUID"]), "1.1"))
    arguments = ("support", told["AGENT_UUID"], "agent", "open", "", "", "0", "1", "1.1")
    asyncio.run(desk.reception.next(Request("next", arguments, {})))
    assert (list(desk.visits), desk.finished) == ([], [])


# --- Calls that began before this service did ----------------------------------------------------


def test_a_call_that_was_taken_over_tells_where_it_went_meanwhile(desk):
    told = desk.start()
    visit = desk.visits.get(UUID(told["AGENT_UUID"]))
    visit.lost_at = desk.now
    desk.next(told["AGENT_UUID"], "team", "TIMEOUT", tried="support")
    steps = [(step.to, step.result) for step in visit.story.path]
    assert steps[:2] == [("agent", ""), ("team:support", "TIMEOUT")]
    assert visit.story.path[1].because == "found there when the service was back"
    assert visit.lost_at is None


def test_a_stranger_s_record_begins_with_the_team_that_it_comes_from(desk):
    known = uuid4()
    desk.next(str(known), "team", "TIMEOUT", tried="support")
    (visit,) = desk.visits
    assert visit.story.id == known
    assert visit.story.path[0].to == "team:support"


def test_a_call_without_an_id_is_known_by_asterisk_s(desk):
    desk.start(unique_id="7.1")
    (visit,) = desk.visits
    state = ("support", "", "team", "open", "TIMEOUT", "support", "", "0", "7.1")
    asyncio.run(desk.reception.next(Request("next", state, {})))
    assert list(desk.visits) == [visit]


def test_a_call_that_was_found_before_it_asked_is_known_from_then_on(desk):
    desk.start(unique_id="7.1")
    (visit,) = desk.visits
    visit.lost_at = desk.now
    desk.start(unique_id="7.1")
    assert list(desk.visits) == [visit]
    assert visit.lost_at is None
