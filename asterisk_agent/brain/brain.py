"""What the agent replies: the one way in to everything in this package.

The promise, in this order: never a wrong fact; better a person than a guess.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from asterisk_agent.brain.answer import compose, words_answers
from asterisk_agent.brain.confidence import ANSWER, ASK_BACK, judge
from asterisk_agent.brain.intent import LONGEST, Intent, IntentReader, Talk
from asterisk_agent.brain.knowledge import Index, load_passages
from asterisk_agent.brain.languages import language as language_of
from asterisk_agent.brain.office import FILE as HOURS
from asterisk_agent.brain.office import Office
from asterisk_agent.brain.phrases import phrases_for
from asterisk_agent.brain.question import Question
from asterisk_agent.config.compiling import plan_of
from asterisk_agent.config.paths import data_directory
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.engines.base import Embedder, LanguageModel
from asterisk_agent.errors import EngineError
from asterisk_agent.events import Action, Exchange, Reply, Source, ThinkingTime
from asterisk_agent.overrides import Override

log = logging.getLogger(__name__)


class Minds(Protocol):
    """The engines that the brain needs, out of all that are loaded."""

    @property
    def embedder(self) -> Embedder:
        """Text to vectors."""

    @property
    def model(self) -> LanguageModel | None:
        """Words answers, where there is one."""


def _no_clock() -> float:
    return 0.0


def build(
    config: Config,
    channel: Channel,
    engines: Minds,
    clock: Callable[[], float] = _no_clock,
    *,
    now: Callable[[], datetime] | None = None,
    override: Callable[[], Override | None] = lambda: None,
) -> Brain:
    """Read the channel's documents and make them searchable. Blocking.

    ``now`` (aware instants) lets the agent tell the opening hours, ``override`` gives the night
    switch where it is in force. Raises ConfigError for documents that cannot be read, EngineError
    where embedding fails.
    """
    passages = load_passages(config.knowledge_directory, channel.knowledge)
    language = language_of(config.agent.language)
    index = Index(passages, engines.embedder, language, data_directory() / "vectors")
    office = office_of(config, channel, now, override) if now is not None else None
    return Brain(config, channel, index, engines.model, clock, office)


def office_of(
    config: Config,
    channel: Channel,
    now: Callable[[], datetime],
    override: Callable[[], Override | None] = lambda: None,
) -> Office | None:
    """The channel's opening hours as callers ask for them; None without ``hours:``."""
    if channel.hours is None:
        return None
    schedule = plan_of(config, now().year - 1).schedules[channel.hours]
    greetings = (channel.label, channel.greeting, config.agent.greeting)
    names = [text for text in greetings if text]
    return Office(schedule, now, override, names, channel.hours)


class Brain:
    """Replies to what one channel's callers say. Has no memory; safe to share between calls.

    ``clock`` gives seconds (``time.perf_counter``) and only fills ``Reply.ms``; without one, these
    are 0.
    """

    def __init__(
        self,
        config: Config,
        channel: Channel,
        index: Index,
        model: LanguageModel | None,
        clock: Callable[[], float] = _no_clock,
        office: Office | None = None,
    ) -> None:
        self._config = config
        self._channel = channel
        self._index = index
        self._model = model if words_answers(config.engines.llm, model) else None
        self._clock = clock
        self._office = office
        self._phrases = phrases_for(config.agent.language)
        self._intents = IntentReader(index.language, config.teams)

    def reply(
        self, utterance: str, history: Sequence[Exchange] = (), *, staffed: bool = True
    ) -> Reply:
        """Reply to ``utterance``. Blocking; never raises, whatever the text.

        ``history`` holds the turns before it. ``staffed`` False: nobody can take a call now, so
        that no sentence promises a person.
        """
        began = self._clock()
        utterance = _printable(utterance)
        retrieve_ms = model_ms = 0.0
        intent = self._intents.read(utterance)
        if intent is not None:
            reply = self._act(intent, history, staffed)
        elif (known := self._hours(utterance, history)) is not None:
            reply = known
        elif not any(map(str.isalnum, utterance)):
            reply = self._ask_back(utterance, history, staffed, 0.0)
        else:
            try:
                reply, retrieve_ms, model_ms = self._answer(utterance, history, staffed)
            except EngineError as error:
                log.error("brain: cannot search the documents", extra={"problem": error.message})
                text = self._phrases.broken if staffed else self._phrases.connecting_away
                reply = Reply(text, Action.HANDOFF, unanswered=True, confidence=0.0)
        total_ms = (self._clock() - began) * 1000
        return _timed(reply, ThinkingTime(retrieve_ms, model_ms, total_ms))

    def _hours(self, utterance: str, history: Sequence[Exchange]) -> Reply | None:
        """The answer to a question about opening hours, from the plan."""
        if self._office is None:
            return None
        last = _last_of_agent(history)
        follows = last is not None and last.source is not None and last.source.file == HOURS
        text = self._office.answer(utterance, follows=follows)
        if text is None:
            return None
        return Reply(text, Action.ANSWER, source=Source(HOURS, self._office.heading))

    def _act(self, intent: Intent, history: Sequence[Exchange], staffed: bool) -> Reply:
        """The reply to an intent."""
        phrases = self._phrases
        match intent.action:
            case Action.HANDOFF:
                text = phrases.put_through(self._label(intent.team), staffed=staffed)
                return Reply(text, Action.HANDOFF, team=intent.team)
            case Action.EMERGENCY:
                return Reply(phrases.emergency, Action.EMERGENCY, team=intent.team)
            case Action.VOICEMAIL:
                return Reply(phrases.to_voicemail, Action.VOICEMAIL)
            case Action.GOODBYE:
                return Reply(phrases.goodbye, Action.GOODBYE)
            case Action.REPEAT:
                return self._again(history)
        return self._small_talk(intent.talk, history)

    def _again(self, history: Sequence[Exchange]) -> Reply:
        prompts = (self._phrases.still_there, self._phrases.press_zero)
        last = _last_of_agent([turn for turn in history if turn.text not in prompts])
        if last is None:
            return Reply(self._phrases.nothing_to_repeat, Action.CLARIFY)
        return Reply(last.text, Action.REPEAT, source=last.source)

    def _small_talk(self, talk: Talk | None, history: Sequence[Exchange]) -> Reply:
        phrases = self._phrases
        last = _last_of_agent(history)
        done = last is not None and last.text in (phrases.anything_else, phrases.welcome)
        if talk is Talk.NO and done:
            return Reply(phrases.goodbye, Action.GOODBYE)
        text = {
            Talk.HELLO: phrases.hello,
            Talk.THANKS: phrases.welcome,
            Talk.IDENTITY: phrases.identity.format(name=self._config.agent.name),
            Talk.ABILITY: phrases.ability,
            Talk.WELLBEING: phrases.well,
            Talk.YES: phrases.go_ahead,
            Talk.NO: phrases.anything_else,
        }
        return Reply(text[talk or Talk.HELLO], Action.SMALLTALK)

    def _answer(
        self, utterance: str, history: Sequence[Exchange], staffed: bool
    ) -> tuple[Reply, float, float]:
        """The reply to a question, and the milliseconds of search and of wording."""
        began = self._clock()
        question = Question.read(utterance, self._index.language)
        judgement = judge(question, self._index)
        retrieve_ms = (self._clock() - began) * 1000
        hit, sure = judgement.hit, judgement.confidence
        if hit is None or sure < ASK_BACK:
            return self._dont_know(utterance, staffed, sure), retrieve_ms, 0.0
        if sure < ANSWER:
            return self._ask_back(utterance, history, staffed, sure), retrieve_ms, 0.0
        passage = hit.passage
        answer = compose(question, passage, self._index.language, self._model, self._clock)
        source = Source(passage.file, passage.heading)
        reply = Reply(answer.text, Action.ANSWER, source=source, confidence=sure)
        return reply, retrieve_ms, answer.model_ms

    def _ask_back(
        self, utterance: str, history: Sequence[Exchange], staffed: bool, sure: float
    ) -> Reply:
        """Ask once; who was asked already and is still not understood gets a person."""
        last = _last_of_agent(history)
        if last is not None and last.action is Action.CLARIFY:
            return self._dont_know(utterance, staffed, sure)
        text = self._phrases.clarify if utterance.strip() else self._phrases.clarify_empty
        return Reply(text, Action.CLARIFY, confidence=sure)

    def _dont_know(self, utterance: str, staffed: bool, sure: float) -> Reply:
        team = self._intents.team(utterance)
        text = self._phrases.dont_know(self._label(team), staffed=staffed)
        return Reply(text, Action.HANDOFF, team=team, confidence=sure, unanswered=True)

    def _label(self, team: str | None) -> str | None:
        """What the caller is told: the team that was named, else the first that will ring."""
        first = next(iter(self._channel.in_hours.handoff), None)
        known = self._config.teams.get(team or first or "")
        return known.label if known is not None else None


def _printable(text: str) -> str:
    """``text`` without what no engine can take: control characters, halves of surrogate pairs."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:LONGEST])


def _last_of_agent(history: Sequence[Exchange]) -> Exchange | None:
    return next((turn for turn in reversed(history) if turn.who == "agent" and turn.text), None)


def _timed(reply: Reply, ms: ThinkingTime) -> Reply:
    rounded = ThinkingTime(round(ms.retrieve, 2), round(ms.model, 2), round(ms.total, 2))
    return replace(reply, ms=rounded)
