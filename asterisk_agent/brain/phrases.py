"""Every sentence that the agent itself ever says, by language.

They are fixed, so they can be made into speech before the first call. What a company says (its
greeting, its messages, its documents) is not here but in its configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from asterisk_agent.config.schema import Channel, Config


@dataclass(frozen=True, slots=True)
class Phrases:
    """The fixed sentences of one language. ``{team}`` stands for a team's label, ``{name}`` for
    the agent's, ``{one}`` and ``{other}`` for headings, ``{label}`` for the channel's, ``{digits}``
    for those of a number. A field whose name ends in ``_away`` is for hours in which nobody can
    take a call.
    """

    # At the beginning, where calls are recorded.
    recorded: str
    # Silence.
    still_there: str
    press_zero: str
    other_key: str
    nobody_there: str
    # Not understood.
    clarify: str
    clarify_empty: str
    nothing_to_repeat: str
    not_understood: str
    # Thinking takes a while; never the same one twice in a row.
    one_moment: str
    let_me_see: str
    # On the way to a person.
    connecting: str
    connecting_to: str
    connecting_away: str
    unknown: str
    unknown_to: str
    unknown_away: str
    to_voicemail: str
    line_busy: str
    nobody_answered: str
    offer_message: str
    message_thanks: str
    message_name: str
    message_own: str
    message_number: str
    message_number_again: str
    message_check: str
    message_reason: str
    message_taken: str
    # When something is wrong or over.
    emergency: str
    broken: str
    stopping: str
    too_long: str
    goodbye: str
    # Small talk.
    hello: str
    welcome: str
    identity: str
    ability: str
    well: str
    go_ahead: str
    listening: str
    anything_else: str
    # In a conversation.
    mean_one: str
    mean_two: str
    more: str
    nothing_more: str
    nothing_to_spell: str
    abuse: str
    reached: str
    teams: str
    # For the person who picks up.
    brief_call: str
    brief_said: str
    brief_person: str
    brief_unknown: str
    # For whoever works the night switch from a phone of the house.
    switch_open: str
    switch_closed: str
    switch_people: str
    switch_schedule: str
    switch_failed: str

    @property
    def thinking(self) -> tuple[str, str]:
        """What covers a long thought, in turns."""
        return self.one_moment, self.let_me_see

    def put_through(self, team: str | None, *, staffed: bool = True) -> str:
        """The caller asked for a person; ``team`` is its label."""
        if not staffed:
            return self.connecting_away
        return self.connecting_to.format(team=team) if team else self.connecting

    def dont_know(self, team: str | None, *, staffed: bool = True) -> str:
        """The documents do not say; ``team`` is the label of who may know."""
        if not staffed:
            return self.unknown_away
        return self.unknown_to.format(team=team) if team else self.unknown

    def do_you_mean(self, headings: Sequence[str]) -> str:
        """Ask which of one or two passages is meant, by their headings."""
        if len(headings) == 1:
            return self.mean_one.format(one=headings[0])
        return self.mean_two.format(one=headings[0], other=headings[1])

    def brief(self, label: str, said: str) -> str:
        """What the person who picks up hears: the number called, and what the caller said last."""
        brief = self.brief_call.format(label=label)
        return f"{brief} {self.brief_said.format(said=said)}" if said else brief

    def all_sentences(self, teams: Sequence[str] = (), name: str = "") -> list[str]:
        """Everything above as it is spoken, with these teams' labels and the agent's name."""
        spoken: dict[str, None] = {}
        for key in (f.name for f in fields(self) if not f.name.startswith(("brief_", "switch_"))):
            text: str = getattr(self, key)
            if any(part in text for part in ("{one}", "{label}", "{teams}", "{digits}")):
                continue  # names what the documents, the channel or the caller hold
            if "{team}" in text:
                spoken.update(dict.fromkeys(text.format(team=team) for team in teams))
            elif "{name}" not in text or name:
                spoken[text.format(name=name)] = None
        return list(spoken)


_ENGLISH = Phrases(
    recorded="This call is recorded.",
    still_there="Are you still there? Please go ahead, I'm listening.",
    press_zero="I can't hear you. To speak to a person, please press zero.",
    other_key="Just tell me what I can do for you. For a person, please press zero.",
    nobody_there="I still can't hear you, so I'm ending this call. Please call again. Goodbye.",
    clarify="Sorry, I didn't quite get that. Could you say it in other words?",
    clarify_empty="Sorry, I didn't catch that. Could you say it again?",
    nothing_to_repeat="I haven't said anything yet. What would you like to know?",
    not_understood="I'm sorry, I don't understand. I'll put you through to a colleague.",
    one_moment="One moment.",
    let_me_see="Let me see.",
    connecting="I'll put you through to a colleague. One moment, please.",
    connecting_to="I'll put you through to {team}. One moment, please.",
    connecting_away="Nobody is in at the moment, but you can leave a message. One moment, please.",
    unknown="I don't have that in my documents. I'll put you through to a colleague.",
    unknown_to="I don't have that in my documents. I'll put you through to {team}.",
    unknown_away="I don't have that in my documents, and nobody is in at the moment. "
    "You can leave a message now.",
    to_voicemail="You can leave a message now. One moment, please.",
    line_busy="All lines are busy at the moment. Please hold.",
    nobody_answered="I'm sorry, nobody could answer.",
    offer_message="I'm sorry, nobody could take your call. If you tell me your name, your number "
    "and what it is about, I'll pass it on, and somebody will call you back. "
    "To leave a voicemail instead, press star.",
    message_thanks="Thank you.",
    message_name="May I have your name, please?",
    message_own="Shall we call you back on the number you are calling from, ending in {digits}?",
    message_number="Which number shall we call? Please say it digit by digit, or key it in and "
    "press the hash key.",
    message_number_again="Please say the whole number once more, digit by digit, or key it in and "
    "press the hash key.",
    message_check="I have {digits}. Is that right?",
    message_reason="What is it about?",
    message_taken="Thank you. I have noted that, and somebody will call you back. Goodbye.",
    emergency="If anyone is in danger, please hang up and call the emergency services now, "
    "911 or 112. Otherwise stay on the line, I'm passing you on.",
    broken="I'm sorry, something went wrong on my side. I'll put you through to a colleague.",
    stopping="I'm sorry, I have to stop here. I'll put you through to a colleague.",
    too_long="We have been talking for a long time. I'll put you through to a colleague.",
    goodbye="Thank you for calling. Goodbye.",
    hello="Hello. What can I do for you?",
    welcome="You're welcome. Is there anything else I can help you with?",
    identity="I am {name}, an automated assistant. I answer questions from our documents, "
    "and I can put you through to a person.",
    ability="I answer questions from our documents, and I can put you through to a person. "
    "What would you like to know?",
    well="I'm fine, thank you. What can I do for you?",
    go_ahead="Yes, please go ahead. What would you like to know?",
    listening="All right, I'm listening.",
    anything_else="All right. Is there anything else I can help you with?",
    mean_one='Do you mean "{one}"?',
    mean_two='Do you mean "{one}", or "{other}"?',
    more="Shall I go on?",
    nothing_more="That was all. Is there anything else I can help you with?",
    nothing_to_spell="There is nothing to spell in that. What would you like to know?",
    abuse="I understand that you are upset. What can I do for you?",
    reached="You have reached {label}. What can I do for you?",
    teams="I can put you through to {teams}. Whom would you like to speak to?",
    brief_call="Call for {label}.",
    brief_said="The caller said: {said}",
    brief_person="They asked for a person.",
    brief_unknown="The documents do not say.",
    switch_open="Open, until you change it.",
    switch_closed="Closed, until you change it.",
    switch_people="Open, and people answer first, until you change it.",
    switch_schedule="Back to the opening hours.",
    switch_failed="Nothing was changed. The switch could not be written.",
)

_KNOWN = {"en": _ENGLISH}


def phrases_for(language: str) -> Phrases:
    """The sentences of ``language`` ("en", "en-GB"); English stands in for what is missing."""
    return _KNOWN.get(language.lower().replace("_", "-").split("-")[0], _ENGLISH)


def all_sentences(config: Config, channel: Channel) -> list[str]:
    """Every sentence that a caller of this channel may hear from the agent, greeting included."""
    teams = [team.label for team in config.teams.values()]
    fixed = phrases_for(config.agent.language).all_sentences(teams, config.agent.name)
    return [config.agent.greeting, *_own_greetings(channel), *fixed]


def greetings(config: Config) -> list[str]:
    """Every greeting of every channel."""
    own = [text for channel in config.channels.values() for text in _own_greetings(channel)]
    return list(dict.fromkeys([config.agent.greeting, *own]))


def _own_greetings(channel: Channel) -> list[str]:
    own = (channel.greeting, channel.in_hours.greeting, channel.after_hours.greeting)
    return [text for text in own if text]
