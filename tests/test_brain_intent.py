from __future__ import annotations

import random
import re
import time
from dataclasses import fields
from pathlib import Path

import pytest
from brain_fakes import small_config

from asterisk_agent.brain import intents_english
from asterisk_agent.brain.intent import IntentReader, Talk
from asterisk_agent.brain.languages import language
from asterisk_agent.events import Action

EN = language("en")
READER = IntentReader(EN, small_config(Path("/nowhere")).teams)


def action(text: str) -> Action | None:
    intent = READER.read(text)
    return intent.action if intent is not None else None


PERSON = """
can I speak to a person
get me a human
I'd rather talk to a real person
No, I don't want the machine. My tooth hurts!
stop I hate talking to robots give me someone from your company
operator
representative please
hello um could you please transfer me
may I speak to John
who do I speak to about a refund
is there anybody I can talk to
could someone phone me back
I want to complain to your supervisor
how can I reach a human
"""
NOT_PERSON = """
is someone available on Saturday to fix my tap?
can someone come and fix my tap today
the person who came yesterday forgot his tools
do I need to speak to my insurance first
I was talking to my neighbour and she recommended you
can I get someone out on friday
I need someone to fix my boiler
can a person in a wheelchair get in
do you repair coffee machines
how do I connect my dishwasher
do you speak Spanish
can I talk to you
don't put me through to anyone
"""
EMERGENCY = """
I smell gas in the kitchen
it smells like gas
I think there's a gas leak
it's milled of gas in here
there is a fire in the room where people smoke
there's a fire in the basement
my house is on fire
my husband got an electric shock
the water is running into the fuse box
water is dripping from the light fixture
somebody is hurt
my son is unconscious
he is not breathing
the carbon monoxide alarm is going off
the outlet is sparking
there is smoke coming out of the boiler
this is an emergency
what should I do if I smell gas
my kitchen is full of smoke
there's smoke everywhere in the hallway
the room filled up with smoke
flames are coming out of the oven
the stove caught fire
help my daughter fell down the stairs and isn't moving
my father is having a heart attack
he stopped breathing
she can't breathe
my wife is bleeding and it won't stop
a man collapsed in the waiting room
my baby swallowed a battery
someone fell into the pool and is not moving
I think I'm having a stroke
there's been an accident and people are injured
somebody got stabbed
there is a man with a gun
someone broke into my house and he's still here
I want to kill myself
I took too many pills
my colleague got electrocuted
there are sparks coming out of the wall
the power line fell on my car
I can smell something burning
the gas alarm is beeping
we have a gas leak
the boiler exploded
the ladder fell and he broke his leg badly
my child is locked in the car in the heat
I'm trapped in the elevator
we're stuck in the lift and someone fainted
the tree fell on the house and my mum is underneath
call an ambulance please
we need the fire brigade
water is coming through the light fixture
it's a life or death situation
my son ate rat poison
he is unconscious
there is a fire
the house is burning
my hair caught fire
a car just crashed into your shop
"""
NOT_EMERGENCY = """
do you install gas fires
do you repair gas leaks
what is the price of gas in the city
I ran out of gas in the middle of the highway
is a full tank of gas in the price
how much is an emergency visit
do you come at night in an emergency
it's not an emergency but my tap drips
my electric water heater leaks
can you install a carbon monoxide detector
the fireplace is cold
my pilot light is not burning
were you shocked by the price
the gas company sent me to you
there is no fire
do you sell fire extinguishers
is this an emergency line
my boss fired me
do you repair smoke detectors
can I smoke in the waiting room
what do I pay if I smoke in the room
my heating broke
is the fireplace included
my back is killing me
I'm dying to know the price
do you do emergency appointments
what should I do in case of fire
do you have a first aid course
my phone is dead
the battery is dead
do you treat burns
is the lift working
my car won't start
I broke a cup
my tooth is broken
what is the fine for smoking
are you trained for heart attacks
I was in an accident last year, does the insurance pay
how long does it take to recover from an accident
the gas bill is too high
do you install gas boilers
my printer is stuck
I fell in love with your shop
can you fix my car after a crash
do you sell smoke alarms
"""
ABUSE = """
fuck you
you stupid piece of shit
you are a useless machine
shut up
you fucking idiot
go to hell
idiot
"""
NOT_ABUSE = """
the damn boiler is broken again
my toilet is full of shit
this is a stupid question but do you open on friday
what the hell is a call-out fee
is the useless old heater taken away
"""
URGENT = """
it is urgent
this is really urgent
it cannot wait until monday
I need help right now
I urgently need help
I need a plumber right away
"""
NOT_URGENT = """
it is not urgent
is an urgent visit more expensive
do you charge extra if it is urgent
there is no hurry
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("text", lines(PERSON))
def test_a_person_is_asked_for(text: str) -> None:
    assert action(text) is Action.HANDOFF


@pytest.mark.parametrize("text", [*lines(NOT_PERSON), *lines(NOT_EMERGENCY)])
def test_a_question_is_asked(text: str) -> None:
    assert action(text) is None


@pytest.mark.parametrize("text", lines(ABUSE))
def test_abuse(text: str) -> None:
    assert action(text) is Action.ABUSE


@pytest.mark.parametrize("text", lines(NOT_ABUSE))
def test_anger_at_something_else_is_none(text: str) -> None:
    assert action(text) is not Action.ABUSE


@pytest.mark.parametrize("text", lines(URGENT))
def test_what_cannot_wait(text: str) -> None:
    intent = READER.read(text)
    assert intent is not None
    assert (intent.action, intent.urgent) == (Action.HANDOFF, True)


@pytest.mark.parametrize("text", lines(NOT_URGENT))
def test_what_can(text: str) -> None:
    intent = READER.read(text)
    assert intent is None or not intent.urgent


@pytest.mark.parametrize("text", lines(EMERGENCY))
def test_an_emergency(text: str) -> None:
    assert action(text) is Action.EMERGENCY


@pytest.mark.parametrize(
    ("text", "team"),
    [
        ("accounts please", "accounts"),
        ("the front desk", "desk"),
        ("put me through to the night shift", "night-shift"),
        ("how do I talk to the accounts department about my bill", "accounts"),
        ("no I don't want the machine, my invoice is wrong", "accounts"),
        ("a person please I was double charged", "accounts"),
        ("give me a human the boiler is not working", "night-shift"),
        ("can I talk to someone about two leaking taps", "night-shift"),
        ("give me the front desk not accounts the invoice is paid", "desk"),
        ("I want to speak to somebody", None),
        ("somebody from account please", "accounts"),
        ("can I speak to acounts please", "accounts"),
    ],
)
def test_the_team_that_the_words_name(text: str, team: str | None) -> None:
    intent = READER.read(text)
    assert intent is not None
    assert (intent.action, intent.team) == (Action.HANDOFF, team)


def test_a_need_without_asking_for_a_person_is_a_question_for_a_team() -> None:
    assert READER.read("my invoice is wrong") is None
    assert READER.team("my bill is wrong") == "accounts"  # a bill is an invoice
    assert READER.team("working") is None


def test_without_teams() -> None:
    assert IntentReader(EN, {}).team("accounts") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("can I leave a message", Action.VOICEMAIL),
        ("just put me on the voice mail", Action.VOICEMAIL),
        ("I don't want to leave a message, connect me with someone", Action.HANDOFF),
        ("I already left a message yesterday", None),
        ("could you say that again", Action.REPEAT),
        ("And you save that again.", Action.REPEAT),
        ("pardon?", Action.REPEAT),
        ("Sorry, I didn't catch that.", Action.REPEAT),
        ("could you repeat the price please", Action.REPEAT),
        ("the leak came again", None),
        ("okay thank you bye bye", Action.GOODBYE),
        ("no that's all thanks", Action.GOODBYE),
        ("is that all I have to pay", None),
        ("good morning how much is the call out fee", None),
        ("ok thanks and how much is a boiler service", None),
        ("are you open in the evening", None),
        ("what are you charging", None),
    ],
)
def test_other_intents(text: str, expected: Action | None) -> None:
    assert action(text) is expected


@pytest.mark.parametrize(
    ("text", "talk"),
    [
        ("Hello?", Talk.HELLO),
        ("good afternoon, can you hear me", Talk.HELLO),
        ("Thank you very much.", Talk.THANKS),
        ("ok great thanks", Talk.THANKS),
        ("are you a real person", Talk.IDENTITY),
        ("who am I talking to", Talk.IDENTITY),
        ("how are you", Talk.WELLBEING),
        ("can you help me", Talk.ABILITY),
        ("yes please", Talk.YES),
        ("no, thank you", Talk.NO),
        ("um nope", Talk.NO),
    ],
)
def test_small_talk(text: str, talk: Talk) -> None:
    intent = READER.read(text)
    assert intent is not None
    assert (intent.action, intent.talk) == (Action.SMALLTALK, talk)


@pytest.mark.parametrize("text", ["", "  ", "?!…", "\n"])
def test_nothing_said(text: str) -> None:
    assert READER.read(text) is None


def test_no_utterance_keeps_the_rules_busy() -> None:
    """The longest utterances of the rules' own words, often repeated: each read in good time."""
    source = Path(intents_english.__file__).read_text(encoding="utf-8")
    words = sorted(set(re.findall(r"[a-z]{2,}", source)))
    chance = random.Random(1)
    slowest = 0.0
    for _ in range(300):
        few = chance.choices(words, k=chance.choice([1, 2, 3, 5, 500]))
        text = " ".join(chance.choices(few, k=400))
        began = time.perf_counter()
        READER.read(text)
        slowest = max(slowest, time.perf_counter() - began)
    assert slowest < 0.25


def test_rules_are_written_for_the_normal_form() -> None:
    for rule in fields(EN.intents):
        pattern = getattr(EN.intents, rule.name)
        if isinstance(pattern, re.Pattern):
            literal = re.sub(r"\\.|\(\?[a-z<]|\[[^]]*\]", "", pattern.pattern)
            assert not re.search(r"[A-Z',]", re.sub(r"\{\d*,\d*\}", "", literal)), rule.name


@pytest.mark.parametrize(
    ("heard", "team"),
    [
        ("A counts please.", "accounts"),
        ("can you get me a counts", "accounts"),
        ("get me accounts", "accounts"),
        ("Put me through to the knight shift.", "night-shift"),
        ("Get me the people who do the envoices.", "accounts"),
        ("Trans for me to the front desk.", "desk"),
        ("I was dubble charged let me talk to someone", "accounts"),
        ("I want to talk to somebody about the weather", None),
    ],
)
def test_a_team_is_known_by_its_sound(heard: str, team: str | None) -> None:
    intent = READER.read(heard)
    assert intent is not None
    assert (intent.action, intent.team) == (Action.HANDOFF, team)


@pytest.mark.parametrize(
    "text", ["how much does it count", "what is on the account of the tenant", "do you like leeks"]
)
def test_a_sound_alone_asks_for_nobody(text: str) -> None:
    assert READER.read(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("billing", "bill and"),
        ("refund", "reef and"),
        ("invoices", "envoices"),
        ("sales", "sails"),
        ("know", "no"),
        ("wright", "right"),
        ("phone", "fone"),
    ],
)
def test_words_that_sound_alike(one: str, other: str) -> None:
    assert EN.sound is not None
    assert EN.sound(one) == EN.sound(other)


def test_words_that_do_not_sound_alike() -> None:
    assert EN.sound is not None
    assert EN.sound("wedding") != EN.sound("waiting")
    assert EN.sound("parts") != EN.sound("boards")
