"""What the agent replies: the one way in to everything in this package.

The promise, in this order: never a wrong fact; better a person than a guess.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, zip_longest
from typing import Protocol

from asterisk_agent.brain.answer import compose, rest
from asterisk_agent.brain.confidence import (
    ANSWER,
    ASK_BACK_OVER_TEAM,
    DOUBTED,
    OFFER,
    OFFER_SHARE,
    Judgement,
    judge,
)
from asterisk_agent.brain.dialogue import (
    Choice,
    before,
    choice,
    heading,
    in_context,
    last_of_agent,
    leans,
    offered,
    own_terms,
    spelled,
)
from asterisk_agent.brain.documents import Passage, fingerprint
from asterisk_agent.brain.examples import Examples
from asterisk_agent.brain.intent import LONGEST, Intent, IntentReader, Talk
from asterisk_agent.brain.knowledge import Index, load_passages
from asterisk_agent.brain.language import Language
from asterisk_agent.brain.languages import language as language_of
from asterisk_agent.brain.office import FILE as HOURS
from asterisk_agent.brain.office import Office
from asterisk_agent.brain.phrases import phrases_for
from asterisk_agent.brain.question import Question
from asterisk_agent.brain.wording import wording
from asterisk_agent.brain.words import normalise
from asterisk_agent.config.compiling import plan_for
from asterisk_agent.config.paths import data_directory
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.engines.base import Embedder, LanguageModel
from asterisk_agent.errors import EngineError
from asterisk_agent.events import Action, Exchange, Reply, Source, ThinkingTime
from asterisk_agent.overrides import Override
from asterisk_agent.speech import sentences

log = logging.getLogger(__name__)

MOST_PREPARED = 300
"""Sentences of one channel that are worth speaking beforehand: some 20 MB at telephone rate."""


PREAMBLE, MOST_STARTS = 15, 2
"""From so many words on, the question may stand behind a preamble; the last so many beginnings
of a question are tried."""
SURE_OF_PART, LEAST_TERMS = 0.65, 2
"""A part of what was said is only answered if it is surely answered, and says enough by itself."""


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
    index = index_of(config, channel, engines.embedder)
    office = office_of(config, channel, now, override) if now is not None else None
    examples = Examples(
        engines.embedder,
        index.language,
        config.intents,
        config.teams,
        data_directory() / "vectors",
    )
    brain = Brain(config, channel, index, engines.model, clock, office=office, examples=examples)
    about = {"channel": channel.id, "kind": brain.wording.kind, "why": brain.wording.why}
    log.info("brain: how answers are worded", extra=about)
    return brain


def index_of(config: Config, channel: Channel, embedder: Embedder) -> Index:
    """The channel's documents, ready to be searched. Raises as ``build``."""
    passages = load_passages(config.knowledge_directory, channel.knowledge)
    language = language_of(config.agent.language)
    return Index(passages, embedder, language, data_directory() / "vectors")


def documents_of(config: Config, channel: Channel) -> tuple[tuple[str, int, int], ...]:
    """A fingerprint of the channel's documents: another one means that ``build`` is due. Quick."""
    return fingerprint(config.knowledge_directory, channel.knowledge)


def office_of(
    config: Config,
    channel: Channel,
    now: Callable[[], datetime],
    override: Callable[[], Override | None] = lambda: None,
) -> Office | None:
    """The channel's opening hours as callers ask for them; None without ``hours:``."""
    if channel.hours is None:
        return None
    schedule = plan_for(config, now()).schedules[channel.hours]
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
        *,
        office: Office | None = None,
        examples: Examples | None = None,
    ) -> None:
        self._config = config
        self._channel = channel
        self._index = index
        self.wording = wording(config)
        """Whose words it answers in, and why."""
        self._model = model if self.wording.generative else None
        self._clock = clock
        self._office = office
        self._examples = examples
        self._phrases = phrases_for(config.agent.language)
        self._intents = IntentReader(index.language, config.teams, config.intents)

    @property
    def first_team(self) -> str | None:
        """The team that rings where a caller named none."""
        return next(iter(self._channel.in_hours.handoff), None)

    def reply(
        self, utterance: str, history: Sequence[Exchange] = (), *, staffed: bool = True
    ) -> Reply:
        """Reply to ``utterance``. Blocking; never raises, whatever the text.

        ``history`` holds the turns before it. ``staffed`` False: nobody can take a call now, so
        that no sentence promises a person.
        """
        began = self._clock()
        utterance = _printable(utterance)
        turn = _Turn(utterance, tuple(history), staffed)
        intent = self._intents.read(utterance)
        try:
            if intent is not None and intent.action in _FIRST:
                reply = self._act(intent, turn)
            else:
                reply = self._taken_up(turn) or self._said(intent, turn)
        except EngineError as error:
            log.error("brain: cannot search the documents", extra={"problem": error.message})
            text = self._phrases.broken if staffed else self._phrases.connecting_away
            reply = Reply(text, Action.HANDOFF, unanswered=True, confidence=0.0)
        total_ms = (self._clock() - began) * 1000
        return _timed(reply, replace(reply.ms, total=total_ms))

    def read_out(self, source: Source) -> str:
        """All that the passages under a source say; "" where there is none."""
        found = (p for p in self._index.passages if (p.file, p.heading) == _place(source))
        return " ".join(passage.text for passage in found)

    def likely_sentences(self, most: int = MOST_PREPARED) -> list[str]:
        """Sentences that answers of this channel are made of, each once, the likeliest first.

        An answer begins with a passage's first sentence, or with the one that fits best. All
        first ones come before any second one. So it is where a model words the answers, too: what
        the gate lets through is mostly such a sentence, and what it refuses is replaced by one.
        """
        written = [sentences(passage.text) for passage in self._index.passages]
        ranks = zip_longest(*written)
        each = dict.fromkeys(text for rank in ranks for text in rank if text is not None)
        return list(islice(each, most))

    # --- what leans on the turns before -------------------------------------------------------

    def _taken_up(self, turn: _Turn) -> Reply | None:
        """The reply to an answer to the agent's own question, or to "spell that"."""
        last = turn.last
        if last is None:
            return None
        rules, plain = self._index.language.dialogue, normalise(turn.utterance)
        if rules.spell.search(plain):
            return self._spelled(last)
        if rules.slower.search(plain) and len(plain.split()) <= _SHORT:
            return replace(self._again(turn), slow=True)
        offers = offered(last.text, self._index.passages)
        if last.action is Action.CLARIFY and offers:
            return self._chosen(turn, offers)
        if last.action in (Action.ANSWER, Action.REPEAT) and self._more(plain, last):
            return self._rest(turn, last)
        return None

    def _chosen(self, turn: _Turn, offers: Sequence[Passage]) -> Reply | None:
        earlier = turn.callers_before
        taken = choice(turn.utterance, offers, earlier, self._index.language)
        if taken is None:
            return None
        if taken is Choice.NEITHER:
            return self._dont_know(replace(turn, utterance=earlier), 0.0)
        assert isinstance(taken, Passage)
        return self._told(Question.read(earlier, self._index.language), taken, 1.0)

    def _more(self, plain: str, last: Exchange) -> bool:
        language = self._index.language
        asked = last.text.endswith(self._phrases.more)
        yes_or_no = language.intents.yes.search(plain) or language.intents.no.search(plain)
        return bool(language.dialogue.go_on.search(plain) or (asked and yes_or_no))

    def _rest(self, turn: _Turn, last: Exchange) -> Reply:
        if self._index.language.intents.no.search(normalise(turn.utterance)):
            return Reply(self._phrases.anything_else, Action.SMALLTALK)
        found = before(turn.history, self._index.passages)
        passage = found.passage if found is not None else None
        text = rest(last.text, passage) if passage is not None else ""
        if passage is None or not text:
            return Reply(self._phrases.nothing_more, Action.SMALLTALK)
        return Reply(self._with_more(text, passage), Action.ANSWER, source=_source(passage))

    def _spelled(self, last: Exchange) -> Reply:
        text = spelled(last.text)
        if not text:
            return Reply(self._phrases.nothing_to_spell, Action.CLARIFY)
        return Reply(text, Action.REPEAT, source=last.source, slow=True)

    # --- intents --------------------------------------------------------------------------------

    def _said(self, intent: Intent | None, turn: _Turn) -> Reply:
        """The reply to an intent, or else to a question."""
        if intent is not None:
            return self._act(intent, turn)
        if not any(map(str.isalnum, turn.utterance)):
            return self._ask_back(turn, 0.0)
        return self._hours(turn) or self._answer(turn)

    def _act(self, intent: Intent, turn: _Turn) -> Reply:
        """The reply to an intent."""
        phrases = self._phrases
        match intent.action:
            case Action.HANDOFF:
                text = phrases.put_through(self._label(intent.team), staffed=turn.staffed)
                return Reply(text, Action.HANDOFF, team=intent.team, urgent=intent.urgent)
            case Action.EMERGENCY:
                return Reply(phrases.emergency, Action.EMERGENCY, team=intent.team)
            case Action.VOICEMAIL:
                return Reply(phrases.to_voicemail, Action.VOICEMAIL)
            case Action.ABUSE:
                return Reply(phrases.abuse, Action.ABUSE)
            case Action.GOODBYE:
                return Reply(phrases.goodbye, Action.GOODBYE)
            case Action.REPEAT:
                return self._again(turn)
        return self._small_talk(intent.talk, turn)

    def _again(self, turn: _Turn) -> Reply:
        prompts = (self._phrases.still_there, self._phrases.press_zero)
        last = last_of_agent([other for other in turn.history if other.text not in prompts])
        if last is None:
            return Reply(self._phrases.nothing_to_repeat, Action.CLARIFY)
        return Reply(last.text, Action.REPEAT, source=last.source)

    def _small_talk(self, talk: Talk | None, turn: _Turn) -> Reply:
        phrases, last = self._phrases, turn.last
        done = last is not None and last.text in (phrases.anything_else, phrases.welcome)
        if talk is Talk.NO and done:
            return Reply(phrases.goodbye, Action.GOODBYE)
        labels = [self._config.teams[id_].label for id_ in self._channel.in_hours.handoff]
        text = {
            Talk.HELLO: phrases.hello,
            Talk.THANKS: phrases.welcome,
            Talk.IDENTITY: phrases.identity.format(name=self._config.agent.name),
            Talk.ABILITY: phrases.ability,
            Talk.WELLBEING: phrases.well,
            Talk.YES: phrases.go_ahead,
            Talk.NO: phrases.anything_else,
            Talk.REACHED: phrases.reached.format(label=self._channel.label),
            Talk.TEAMS: phrases.teams.format(teams=", ".join(labels)) if labels else phrases.hello,
            Talk.WAIT: phrases.listening,
        }
        return Reply(text[talk or Talk.HELLO], Action.SMALLTALK)

    # --- questions ------------------------------------------------------------------------------

    def _hours(self, turn: _Turn) -> Reply | None:
        """The answer to a question about opening hours, from the plan."""
        if self._office is None:
            return None
        last = last_of_agent([t for t in turn.history if t.action is not Action.SMALLTALK])
        follows = last is not None and last.source is not None and last.source.file == HOURS
        text = self._office.answer(turn.utterance, follows=follows)
        if text is None:
            return None
        return Reply(text, Action.ANSWER, source=Source(HOURS, self._office.heading))

    def _answer(self, turn: _Turn) -> Reply:
        """The reply to a question to the documents."""
        began = self._clock()
        question, judgement = self._judged(turn)
        took = ThinkingTime(retrieve=(self._clock() - began) * 1000)
        hit, sure = judgement.hit, judgement.confidence
        if sure < ANSWER and self._examples is not None:
            meant = self._examples.read(turn.utterance)
            if meant is not None:
                return replace(self._act(self._with_team(meant, turn), turn), ms=took)
        least = ASK_BACK_OVER_TEAM if self._needs_team(question) else self._index.scale.ask_back
        if hit is None or sure < least:
            return replace(self._dont_know(turn, sure), ms=took)
        if sure < ANSWER or judgement.torn:
            return replace(self._which(turn, judgement), ms=took)
        reply = self._told(question, hit.passage, sure)
        return replace(reply, ms=replace(took, model=reply.ms.model))

    def _with_team(self, intent: Intent, turn: _Turn) -> Intent:
        if intent.action is not Action.HANDOFF or intent.team is not None:
            return intent
        return replace(intent, team=self._intents.asked_for(turn.utterance))

    def _needs_team(self, question: Question) -> bool:
        """Whether something is told, rather than asked, in words that a team is wanted with."""
        asking = self._index.language.asking
        told = asking is not None and not asking.search(question.plain)
        return told and self._intents.asks(question.text)

    def _judged(self, turn: _Turn) -> tuple[Question, Judgement]:
        """What is asked, alone or after the last answer, and the passage that answers it best."""
        language = self._index.language
        alone = Question.read(turn.utterance, language)
        found = before(turn.history, self._index.passages)
        leaning = in_context(turn.utterance, found, language) if found is not None else []
        judged = [(q, judge(q, self._index, told)) for q, told in leaning]
        if not own_terms(alone, language) and language.dialogue.points.search(alone.plain):
            if judged:
                asked, nearest = max(judged, key=lambda pair: pair[1].confidence)
                return asked, nearest if asked.wants else _doubted(nearest)
            return alone, _doubted(judge(alone, self._index))  # "how much is it": what is?
        best = max(judged, key=lambda pair: pair[1].confidence, default=None)
        if leans(turn.utterance, language):
            if best and best[1].confidence >= self._index.scale.ask_back:
                return best
            return alone, _doubted(judge(alone, self._index))  # to what?
        judged.append(self._judge(turn.utterance))
        return max(judged, key=lambda pair: pair[1].confidence)

    def _judge(self, utterance: str) -> tuple[Question, Judgement]:
        """The question and the passage for it. Behind a long preamble, its last part may do."""
        language = self._index.language
        question = Question.read(utterance, language)
        judgement = judge(question, self._index)
        if judgement.confidence >= ANSWER or len(utterance.split()) < PREAMBLE:
            return question, judgement
        for part in _last_parts(utterance, language):
            asked = Question.read(part, language)
            found = judge(asked, self._index)
            if found.confidence >= SURE_OF_PART and len(asked.terms) >= LEAST_TERMS:
                return asked, found
        return question, judgement

    def _told(self, question: Question, passage: Passage, sure: float) -> Reply:
        answer = compose(question, passage, self._index.language, self._model, self._clock)
        text = self._with_more(answer.text, passage)
        ms = ThinkingTime(model=answer.model_ms)
        return Reply(text, Action.ANSWER, source=_source(passage), confidence=sure, ms=ms)

    def _with_more(self, text: str, passage: Passage) -> str:
        """``text``, and where it is not all that the passage says, whether to go on."""
        return f"{text} {self._phrases.more}" if rest(text, passage) else text

    def _which(self, turn: _Turn, judgement: Judgement) -> Reply:
        """Ask whether the likeliest passage is meant, or which of two."""
        least = max(OFFER, judgement.confidence * OFFER_SHARE)
        others = [hit for hit, sure in judgement.others[:1] if sure >= least]
        likely = [judgement.hit, *others]
        named = {heading(h.passage): h.passage for h in likely if h and h.passage.heading}
        last = turn.last
        if not named or (last is not None and last.action is Action.CLARIFY):
            return self._ask_back(turn, judgement.confidence)
        text = self._phrases.do_you_mean(list(named))
        options = tuple(map(_source, named.values()))
        sure = judgement.confidence
        return Reply(text, Action.CLARIFY, confidence=sure, options=options)

    def _ask_back(self, turn: _Turn, sure: float) -> Reply:
        """Ask once; who was asked already and is still not understood gets a person."""
        last = turn.last
        if last is not None and last.action is Action.CLARIFY:
            return self._dont_know(turn, sure)
        said = turn.utterance.strip()
        text = self._phrases.clarify if said else self._phrases.clarify_empty
        return Reply(text, Action.CLARIFY, confidence=sure)

    def _dont_know(self, turn: _Turn, sure: float) -> Reply:
        team = self._intents.team(turn.utterance)
        text = self._phrases.dont_know(self._label(team), staffed=turn.staffed)
        return Reply(text, Action.HANDOFF, team=team, confidence=sure, unanswered=True)

    def _label(self, team: str | None) -> str | None:
        """What the caller is told: the team that was named, else the first that will ring."""
        known = self._config.teams.get(team or self.first_team or "")
        return known.label if known is not None else None


@dataclass(frozen=True, slots=True)
class _Turn:
    """One utterance and the turns before it."""

    utterance: str
    history: tuple[Exchange, ...]
    staffed: bool

    @property
    def last(self) -> Exchange | None:
        """The agent's last turn."""
        return last_of_agent(self.history)

    @property
    def callers_before(self) -> str:
        """What the caller said the turn before."""
        return next((turn.text for turn in reversed(self.history) if turn.who == "caller"), "")


_FIRST = (Action.EMERGENCY, Action.HANDOFF, Action.VOICEMAIL, Action.ABUSE)
"""Intents that come before any answer to a question of the agent's."""
_SENTENCE_END = re.compile(r"[.!?]\s+(?=\w)")
_SHORT = 8
"""Words up to which "slowly" asks for the last answer again."""


def _last_parts(utterance: str, language: Language) -> list[str]:
    """What stands behind the preamble, the shortest first: the last beginnings of a question, and
    the last sentence."""
    starts = language.question_starts
    begins = [found.end() for found in starts.finditer(utterance)][-MOST_STARTS:] if starts else []
    begins += [found.end() for found in _SENTENCE_END.finditer(utterance)][-1:]
    return [utterance[begin:] for begin in sorted(set(begins), reverse=True)]


def _doubted(judgement: Judgement) -> Judgement:
    """A judgement that is good for a question back, at most."""
    return replace(judgement, confidence=min(judgement.confidence, DOUBTED))


def _source(passage: Passage) -> Source:
    return Source(passage.file, passage.heading)


def _place(source: Source) -> tuple[str, str]:
    return source.file, source.heading


def _printable(text: str) -> str:
    """``text`` without what no engine can take: control characters, halves of surrogate pairs."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:LONGEST])


def _timed(reply: Reply, ms: ThinkingTime) -> Reply:
    rounded = ThinkingTime(round(ms.retrieve, 2), round(ms.model, 2), round(ms.total, 2))
    return replace(reply, ms=rounded)
