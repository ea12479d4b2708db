"""One caller's story, from the greeting to the moment the dialplan takes over again.

Three tasks share a call: ``_listen`` takes what the line brings and works out whose turn it is,
the speaker sends a frame every 20 ms, and ``_converse`` is the conversation itself; the thinker
works on what the caller says while they still say it, and ``_compare`` looks after a quiet line.
Whatever happens, ``run`` returns an outcome and gives the line back, so that the dialplan goes on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NoReturn, Protocol

from asterisk_agent.audio import LINE_RATE_HZ, Doubler
from asterisk_agent.brain.phrases import Phrases
from asterisk_agent.brief import brief
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.echo import EchoJudge
from asterisk_agent.engines.base import VoiceDetector
from asterisk_agent.errors import AgentError, AsteriskError, EngineError, ProtocolError
from asterisk_agent.events import Action, Exchange, Reply, Transcript
from asterisk_agent.message import Declined, Done, MessageTaker, Say, Step, ToVoicemail, Wait
from asterisk_agent.pacer import Finished
from asterisk_agent.recording import Tape
from asterisk_agent.records import Callback, Delays, Story, TurnRecord
from asterisk_agent.routing import Outcome, State
from asterisk_agent.speaking import VOICE_LIMIT_S, Speaker, Voices
from asterisk_agent.speech import sentences
from asterisk_agent.steady import QUIET_S, LineWatch, Outage
from asterisk_agent.thinking import Minds, Thinker, Thought
from asterisk_agent.turn import Action as TurnAction
from asterisk_agent.turn import (
    BargeIn,
    GoesOn,
    Paused,
    Resumed,
    Silent,
    SpeechStarted,
    TurnEnded,
    TurnTaker,
    Unheard,
)
from asterisk_agent.wire import audiosocket

log = logging.getLogger(__name__)

TICK_S = 0.1
"""How often silence is looked at while the line brings no audio at all (a caller on hold)."""
COVER_AFTER_S = 1.2
"""Thinking that lasts longer, from the caller's last sound, is covered by a short sentence."""
COVER_AGAIN_S = 1.5
"""Behind such a sentence the next one, if there is still no answer."""
THOUGHT_LIMIT_S = 6.5
"""Who has waited so long for an answer, from their last sound, is better off with a person."""
BRIEF_LIMIT_S = 3.5
"""For the brief of whoever picks up; the caller hears the last sentence meanwhile."""
UNHEARD_S = 1.5
"""Speech so long of which no word was understood is no cough: the caller is asked again."""
SOUND_S = 0.6
"""A shorter sound without words is no question. A longer one may be, and the caller is asked again
where they do not go on."""
BARELY_HEARD_S = 0.8
"""Who interrupts an answer this early had not finished asking."""
ABUSE_LIMIT = 2
"""Abuse is answered calmly once; then somebody else takes over."""
MISUNDERSTOOD_IN_A_ROW = 2
MISUNDERSTOOD_IN_ALL = 3
UNHEARD_IN_A_ROW = 2
"""So often a caller who leaves a message is asked for what was not understood at all."""
LAST_WORDS_LIMIT_S = 2.5
"""Who hung up in the middle of a message: how long what they said last may take to recognise."""
LAST_FRAMES_S = 0.08
"""What is still on its way to the caller when the last frame has been sent."""


class AudioLine(Protocol):
    """The caller's line, as ``net.media.Line`` gives it."""

    def events(self) -> AsyncIterator[audiosocket.Event]:
        """What the line brings, until it ends."""

    def send(self, pcm: bytes) -> None:
        """Send one frame."""

    def drop(self) -> None:
        """Cut the connection: nothing passes through it any more, not even a goodbye."""

    async def end(self) -> None:
        """Give the call back to the dialplan."""


class Engines(Minds, Voices, Protocol):
    """The engines as a call uses them; ``engines.pool.EnginePool`` is the real one."""

    def listen(self) -> object:
        """Open an ear."""

    async def detect(self, detector: VoiceDetector, frames: Sequence[bytes]) -> list[float]:
        """The probability of speech in each frame."""

    async def think(
        self,
        reply: Callable[[str, Sequence[Exchange]], Awaitable[Reply]],
        utterance: str,
        history: Sequence[Exchange],
    ) -> Reply:
        """The brain's reply."""


@dataclass(frozen=True, slots=True)
class CallerTurn:
    """The caller has spoken; ``thought`` may already be done."""

    ended: TurnEnded
    noticed: float
    thought: asyncio.Task[Thought]


@dataclass(frozen=True, slots=True)
class Pressed:
    """The caller pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The service stops: give the caller to a person."""


Cue = CallerTurn | Pressed | Silent | Unheard | Leave


class _CallerHungUp(Exception):
    """The line ended."""


class LineDeadError(AsteriskError):
    """The line stands still, and the caller does not: they are elsewhere from now on."""


async def _nobody_knows() -> None:
    return None


class Call:
    """One conversation. ``run`` it once."""

    def __init__(
        self,
        *,
        line: AudioLine,
        channel: Channel,
        config: Config,
        reply: Callable[[str, Sequence[Exchange]], Awaitable[Reply]],
        phrases: Phrases,
        engines: Engines,
        detector: VoiceDetector,
        story: Story,
        keep_brief: Callable[[bytes], Awaitable[None]],
        purpose: str = "",
        begins_s: float = 0.0,
        tape: Tape | None = None,
        on_hold: Callable[[], bool | None] = lambda: None,
        phone_sent: Callable[[], Awaitable[int | None]] = _nobody_knows,
        outage: Outage | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.story = story
        self.outcome: Outcome | None = None
        """How the conversation ended; set before the line is given back."""
        self._line = line
        self._channel = channel
        self._config = config
        self._reply = reply
        self._phrases = phrases
        self._engines = engines
        self._detector = detector
        self._keep_brief = keep_brief
        self._purpose = purpose
        self._begins_s = begins_s
        """When this conversation began, from the start of the call."""
        self._tape = tape
        self._on_hold = on_hold
        """Whether the caller has put us on hold; None where nobody knows."""
        self._phone_sent = phone_sent
        """How many packets of audio the caller's phone has sent; None where nobody knows."""
        self._outage = outage or Outage()
        """What befell other callers' lines."""
        self._cut = False
        self._clock = clock
        self._began = clock()
        self._watch = LineWatch(self._began)
        self._turns = TurnTaker(self._began)
        self._echo = EchoJudge(LINE_RATE_HZ)
        self._speaker = Speaker(
            engines,
            clock,
            send=self._send,
            on_talked_over=lambda: self._happened("barge_in"),
        )
        self._thinker = Thinker(
            engines,
            clock,
            ear=engines.listen(),
            language=config.agent.language,
            turns=self._turns,
            speaker=self._speaker,
            reply_to=self._reply_to,
            on_finish=lambda finish: self._act(self._turns.understood(finish, self._clock())),
        )
        self._cues: asyncio.Queue[Cue] = asyncio.Queue()
        self._history: list[Exchange] = []
        self._covers = 0
        self._carried = ""
        self._cover_at = 0.0
        """When a sentence may be put in next that covers long thinking."""
        self._message: MessageTaker | None = None
        self._unheard: asyncio.Task[Thought] | None = None
        """What a message's last turn says, while that is still being found out."""

    @property
    def saying(self) -> str:
        """What the agent says at this moment; nothing while it listens."""
        return self._speaker.saying

    @property
    def last_sent(self) -> float | None:
        """When a frame of audio was last sent, while one has to be every 20 ms."""
        return self._speaker.last_sent

    @property
    def now_s(self) -> float:
        """Seconds since the start of the call, whatever happens to the computer's clock."""
        return self._at_s(self._clock())

    @property
    def caller_speaking(self) -> bool:
        """Whether the caller speaks at this moment."""
        return self._turns.caller_speaking

    async def run(self) -> Outcome:
        """Hold the conversation; always returns an outcome, and the line is always given back."""
        outcome = Outcome.LOST
        try:
            async with asyncio.TaskGroup() as group:
                background = [
                    group.create_task(self._listen()),
                    group.create_task(self._compare()),
                    group.create_task(self._speaker.play()),
                ]
                outcome = await self._converse()
                for task in background:
                    task.cancel()
        except* (_CallerHungUp, ConnectionError):
            outcome = Outcome.HANGUP
            await self._keep_last_words()
        except* LineDeadError as error:
            why = str(next(_leaves(error)))
            log.warning("call: %s", why, extra={"call": str(self.story.id)})
            self._happened("error", why)
            await self._keep_last_words()
        except* Exception as error:
            log.exception("call: lost in the middle", extra={"call": str(self.story.id)})
            self._happened("error", ", ".join(_kinds(error)))
            outcome = Outcome.LOST
        finally:
            self.outcome = outcome
            log.info(
                "call: conversation over",
                extra={
                    "call": str(self.story.id),
                    "outcome": outcome,
                    "longest_gap_ms": round(self._speaker.longest_gap_s * 1000),
                },
            )
            self._thinker.close()
            await self._line.end()
        return outcome

    def leave(self) -> None:
        """Ask the conversation to end with a sentence and a person, now."""
        self._speaker.interrupt()
        self._cues.put_nowait(Leave())

    # --- the conversation -------------------------------------------------------------------

    async def _converse(self) -> Outcome:
        """The conversation, top to bottom."""
        if self._purpose == "message":
            return await self._take_message()
        is_open = self.story.state == State.OPEN
        greeting = self._config.greeting_of(self._channel, is_open=is_open)
        await self._say(self._announced(greeting))
        in_a_row = in_all = abused = 0
        while (cue := await self._next_cue()) is not None:
            match cue:
                case Leave():
                    return await self._hand_over(self._phrases.stopping, Outcome.STOPPING)
                case Pressed("0"):
                    return await self._hand_over(self._phrases.connecting, Outcome.PERSON)
                case Pressed("*"):
                    return await self._hand_over(self._phrases.to_voicemail, Outcome.VOICEMAIL)
                case Pressed() if self._cues.empty():
                    await self._say(self._phrases.other_key)
                case Pressed():
                    pass
                case Silent(1):
                    in_a_row = 0
                    await self._say(self._phrases.still_there)
                case Silent(2):
                    await self._say(self._phrases.press_zero)
                case Unheard() if self._turns.caller_speaking or self._on_hold():
                    pass
                case Silent():
                    if (outcome := await self._give_up_on_silence()) is not None:
                        return outcome
                case CallerTurn() | Unheard():
                    turn = cue if isinstance(cue, CallerTurn) else None
                    thought = await self._understand(turn) if turn else await self._not_heard()
                    if thought is None:
                        continue
                    reply = thought.reply
                    unclear = reply.action is Action.CLARIFY and not reply.options
                    in_a_row = in_a_row + 1 if unclear else 0
                    in_all += unclear and turn is not None  # a sound may have been none of theirs
                    abused += reply.action is Action.ABUSE
                    if abused >= ABUSE_LIMIT:
                        return await self._hand_over(self._phrases.connecting, Outcome.ABUSE)
                    if in_a_row >= MISUNDERSTOOD_IN_A_ROW or in_all >= MISUNDERSTOOD_IN_ALL:
                        sorry = self._phrases.not_understood
                        return await self._hand_over(sorry, Outcome.UNANSWERED)
                    if reply.action is Action.GOODBYE:
                        if await self._said_goodbye(reply.text, thought, turn):
                            return Outcome.RESOLVED
                        continue
                    if reply.action in _PARTINGS:
                        self.story.team = reply.team
                        return await self._hand_over(reply.text, _parting(reply), thought, turn)
                    finished = await self._say(reply.text, thought, turn)
                    barely = self._speaker.talked_over and finished.heard_s < BARELY_HEARD_S
                    if barely and not thought.unheard:
                        self._take_back()
        return await self._hand_over(self._phrases.too_long, Outcome.TOO_LONG)

    async def _take_message(self) -> Outcome:
        """Nobody answered: the caller may leave a message here, or go to the voicemail."""
        taker = MessageTaker(self._phrases, self._config.agent.language, self.story.caller)
        self._message = taker
        self._thinker.words_only = True
        step: Step = taker.offer
        unheard = 0
        while True:
            match step:
                case Say(text, slow):
                    await self._say(self._announced(text), slow=slow)
                case ToVoicemail():
                    return Outcome.VOICEMAIL
                case Declined() if await self._said_goodbye(self._phrases.goodbye):
                    return Outcome.RESOLVED
                case Done() if await self._said_goodbye(self._phrases.message_taken):
                    return Outcome.MESSAGE
                case Done():
                    step = taker.reopen()
            cue = await self._next_cue(step.seconds if isinstance(step, Wait) else None)
            match cue:
                case None if self._left_s() <= 0:
                    step = Done() if taker.begun else ToVoicemail()
                case None if self._turns.caller_speaking:
                    pass
                case None | Silent() | Unheard():
                    step = taker.quiet()
                case Pressed(digit):
                    step = taker.pressed(digit)
                case Leave() if taker.whole:
                    return Outcome.MESSAGE
                case Leave():
                    step = ToVoicemail()
                case CallerTurn():
                    self._unheard = cue.thought
                    thought = await self._covered(cue.thought, cue.ended.speech_end)
                    self._unheard = None
                    heard = thought.transcript.text
                    if heard:
                        self._note(cue.ended, heard, thought)
                    unheard = 0 if heard else unheard + _is_speech(cue.ended)
                    instead = _instead_of_a_message(thought, taker)
                    if instead is Outcome.RESOLVED:
                        step = Declined()
                    elif instead is not None:
                        to_voicemail = instead is Outcome.VOICEMAIL
                        text = self._phrases.to_voicemail if to_voicemail else thought.reply.text
                        return await self._hand_over(text, instead)
                    elif thought.reply.action is Action.REPEAT:
                        step = taker.again(slow=thought.reply.slow)
                    elif not heard and _is_speech(cue.ended) and unheard <= UNHEARD_IN_A_ROW:
                        step = Say(self._phrases.clarify_empty)
                    else:
                        step = taker.heard(heard)
            self._keep_message()

    def _keep_message(self) -> None:
        """Write down what was left so far: the caller may hang up at any moment."""
        if self._message is None or not self._message.begun:
            return
        left = self._message.left
        self.story.message = left.text
        self.story.callback = Callback(left.name, left.number, left.confirmed, left.reason)
        self.story.add_tasks(["call_back"])

    async def _keep_last_words(self) -> None:
        """What a caller said right before hanging up belongs to their message, too."""
        if self._message is None or self._speaker.parting:
            return
        with suppress(TimeoutError, AgentError):
            async with asyncio.timeout(LAST_WORDS_LIMIT_S):
                if self._unheard is not None:
                    self._message.heard((await self._unheard).transcript.text)
                while not self._cues.empty():
                    if isinstance(cue := self._cues.get_nowait(), CallerTurn):
                        self._message.heard((await cue.thought).transcript.text)
                if self._turns.caller_speaking:
                    self._message.heard((await self._thinker.recognise()).text)
        self._keep_message()

    async def _next_cue(self, patience_s: float | None = None) -> Cue | None:
        """What happens next; None when the longest call is over, or nothing did for so long."""
        left_s = self._left_s()
        if left_s <= 0:  # also where something happens all the time
            return None
        try:
            async with asyncio.timeout(left_s if patience_s is None else min(left_s, patience_s)):
                return await self._cues.get()
        except TimeoutError:
            return None

    def _announced(self, text: str) -> str:
        """The first words of a call that is recorded say so."""
        recorded = self._tape is not None and not self.story.turns
        return f"{self._phrases.recorded} {text}" if recorded else text

    def _at_s(self, moment: float) -> float:
        """A moment of the clock as seconds from the start of the call."""
        return round(moment - self._began + self._begins_s, 3)

    def _happened(self, kind: str, detail: str = "") -> None:
        self.story.happened(kind, self._at_s(self._clock()), detail)

    def _left_s(self) -> float:
        """Seconds until the longest call is over."""
        limit_s = self._config.limits.call.total_seconds()
        return max(0.0, self._began + limit_s - self._clock())

    async def _understand(self, cue: CallerTurn) -> Thought | None:
        """Finish thinking about what was said; None where nothing was said after all."""
        self._turns.agent_busy(self._clock())
        self._speaker.interrupted.clear()
        thought = await self._covered(cue.thought, cue.ended.speech_end)
        waits_from = self._clock()
        both = f"{self._carried} {thought.transcript.text}".strip()
        if await self._caller_goes_on():
            self._carried = both  # the two parts are one question
            return None
        if not both:
            if _is_speech(cue.ended):
                return await self._not_heard(thought.transcript)
            lasted_s = cue.ended.speech_end - cue.ended.speech_start
            self._turns.agent_done(self._clock(), unheard=lasted_s >= SOUND_S)
            return None
        if self._carried:
            held_s = self._clock() - waits_from  # by a sound that the caller made
            joined = asyncio.create_task(self._joined(thought, both))
            try:
                thought = await self._covered(joined, cue.ended.speech_end + held_s)
            finally:
                joined.cancel()
            if await self._caller_goes_on():
                self._carried = both
                return None
            self._carried = ""
        self._note(cue.ended, thought.transcript.text, thought)
        return thought

    async def _not_heard(self, nothing: Transcript = Transcript("", 0.0)) -> Thought:  # noqa: B008
        """Ask again: something was said, and no word of it was understood."""
        self._turns.agent_busy(self._clock())
        again = Reply(self._phrases.clarify_empty, Action.CLARIFY, confidence=0.0)
        return replace(await self._thinker.voiced(nothing, again), unheard=True)

    async def _caller_goes_on(self) -> bool:
        """Whether the caller takes the floor before the answer begins.

        A sound over it is waited out: it may be the rest of the question.
        """
        await self._speaker.floor.wait()
        if not self._speaker.interrupted.is_set():
            return False
        self._turns.agent_done(self._clock())
        return True

    def _note(self, ended: TurnEnded, heard: str, thought: Thought) -> None:
        """Remember what the caller said, for the brain and for the record."""
        self._history.append(Exchange("caller", heard))
        self.story.turns.append(
            TurnRecord(
                "caller",
                heard,
                at_s=self._at_s(ended.speech_start),
                heard_s=round(ended.speech_end - ended.speech_start, 3),
                confidence=round(thought.transcript.confidence, 3),
            )
        )

    async def _covered(self, thought: asyncio.Task[Thought], since: float) -> Thought:
        """Wait for the thought; a long one is covered by short sentences, not by silence.

        The caller waits ``since`` then. Raises EngineError where that is longer than anybody
        should.
        """
        last = since + THOUGHT_LIMIT_S
        self._cover_at = max(self._cover_at, since + COVER_AFTER_S)
        while not thought.done():
            left_s = min(self._cover_at, last) - self._clock()
            await asyncio.wait({thought}, timeout=max(0.0, left_s))
            if thought.done():
                break
            if self._clock() >= last:
                raise EngineError(f"no answer in {THOUGHT_LIMIT_S} s")
            if self._clock() >= self._cover_at:
                covered_s = await self._cover(thought)
                self._cover_at = self._clock() + COVER_AGAIN_S + covered_s
        return await asyncio.shield(thought)

    async def _cover(self, thought: asyncio.Task[Thought]) -> float:
        """Say that it takes a moment, unless the caller is speaking; how long that lasts."""
        if not self._speaker.floor.is_set():
            return 0.0
        try:
            async with asyncio.timeout(VOICE_LIMIT_S):
                pcm = await self._engines.speak(self._phrases.thinking[self._covers % 2])
        except TimeoutError:
            return 0.0
        if thought.done() or not self._speaker.floor.is_set():
            return 0.0
        self._covers += 1  # the next one has other words
        self._speaker.put_in(pcm)
        return len(pcm) / 2 / LINE_RATE_HZ

    async def _joined(self, thought: Thought, both: str) -> Thought:
        """The caller went on: the reply to both parts, unless the second one stands for itself."""
        own = thought.transcript.text
        if own and not (thought.reply.unanswered or thought.reply.action in _ANSWERS):
            return thought
        reply = await self._reply_to(both)
        if own and reply.confidence < thought.reply.confidence:
            return thought
        return await self._thinker.voiced(replace(thought.transcript, text=both), reply)

    def _take_back(self) -> None:
        """The answer was begun too early: its question goes on, and nobody heard the answer."""
        *self._history, asked, _ = self._history
        self._carried = asked.text

    async def _give_up_on_silence(self) -> Outcome | None:
        """A caller who spoke before gets a person; one who never did is told goodbye.

        Whoever has put us on hold does not hear us ask, and is waited for.
        """
        if self._on_hold():
            return None
        if any(turn.who == "caller" for turn in self.story.turns) or self._carried:
            return await self._hand_over(self._phrases.connecting, Outcome.UNANSWERED)
        return Outcome.NO_INPUT if await self._said_goodbye(self._phrases.nobody_there) else None

    async def _hand_over(
        self,
        text: str,
        outcome: Outcome,
        thought: Thought | None = None,
        cue: CallerTurn | None = None,
    ) -> Outcome:
        """Say the last sentence to its end, and meanwhile make the brief for who picks up."""
        self._speaker.parting = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self._make_brief(outcome))
            await self._say(text, thought, cue)
        await asyncio.sleep(LAST_FRAMES_S)
        return outcome

    async def _said_goodbye(
        self, text: str, thought: Thought | None = None, cue: CallerTurn | None = None
    ) -> bool:
        """Say the last sentence before the line is closed; False where the caller speaks into it.

        Then the call goes on: nobody is hung up on who still has something to say.
        """
        self._speaker.parting = True
        finished = await self._say(text, thought, cue)
        if not finished.complete and self._left_s() > 0:
            self._speaker.parting = False
            return False
        await asyncio.sleep(LAST_FRAMES_S)
        return True

    async def _make_brief(self, outcome: Outcome) -> None:
        """What the person who picks up is told: which number, what about, and why they."""
        language = self._config.agent.language
        label = self._channel.label
        text = brief(self._history, outcome, label, self._phrases, language)
        self.story.brief = text
        try:
            async with asyncio.timeout(BRIEF_LIMIT_S):
                spoken = [await self._engines.speak(sentence) for sentence in sentences(text)]
                await self._keep_brief(b"".join(spoken))
        except (EngineError, TimeoutError) as error:  # the caller does not wait for it
            why = str(error) or f"not made in {BRIEF_LIMIT_S} s"
            log.warning("call: no brief for the person who picks up: %s", why)

    async def _reply_to(self, text: str) -> Reply:
        reply = await self._engines.think(self._reply, text, self._history)
        self.story.tokens += reply.tokens
        return reply

    # --- speaking ---------------------------------------------------------------------------

    async def _say(
        self,
        text: str,
        thought: Thought | None = None,
        cue: CallerTurn | None = None,
        *,
        slow: bool = False,
    ) -> Finished:
        """Speak until it was heard or the caller interrupts, and write down what was heard."""
        self._turns.agent_busy(self._clock(), held=not self._speaker.floor.is_set())
        finished = await self._speaker.say(
            text,
            lambda began, heard: self._remember(text, began, heard, thought, cue),
            thought.first_sentence if thought is not None else None,
            slow=slow or (thought is not None and thought.reply.slow),
        )
        self._turns.agent_done(self._clock())
        return finished

    def _remember(
        self,
        text: str,
        started: float,
        finished: Finished,
        thought: Thought | None,
        cue: CallerTurn | None,
    ) -> None:
        reply = thought.reply if thought is not None else None
        source = reply.source if reply is not None else None
        action = reply.action if reply is not None else None
        self._history.append(Exchange("agent", text, action, source))
        self.story.turns.append(
            TurnRecord(
                "agent",
                text,
                at_s=self._at_s(started),
                heard_s=round(finished.heard_s, 3),
                source={"file": source.file, "heading": source.heading} if source else None,
                action=action,
                delay_ms=_delays(thought, cue, started) if thought and cue else None,
                confidence=round(reply.confidence, 3) if reply is not None else None,
                interrupted=not finished.complete,
                unanswered=reply is not None and reply.unanswered,
            )
        )

    def _send(self, frame: bytes) -> None:
        self._line.send(frame)
        self._echo.sent(frame)
        if self._tape is not None:
            self._tape.sent(frame, self._at_s(self._clock()))

    # --- listening --------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Read the line, so that Asterisk never waits, and hear what it brings."""
        frames: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(frames))
            async for event in self._line.events():
                match event:
                    case audiosocket.Audio(pcm, rate_hz):
                        assert rate_hz == LINE_RATE_HZ, rate_hz
                        now = self._clock()
                        if self._watch.floods(len(pcm) / 2 / rate_hz, now):
                            self._line.drop()
                            raise ProtocolError("the line brings more audio than time passes")
                        frames.put_nowait((pcm, now))
                        if self._tape is not None:
                            self._tape.heard(pcm, self._at_s(self._clock()))
                    case audiosocket.Digit(digit):
                        self._turns.pressed(self._clock())
                        self._watch.alive(self._clock())
                        self._happened("key", digit)
                        self._press(digit)
                    case audiosocket.HungUp() | audiosocket.Failed():
                        break
                    case audiosocket.Identified():
                        raise AssertionError("the decoder allows one identity")
            raise _CallerHungUp

    def _press(self, digit: str) -> None:
        """A key that means nothing does not stop the agent from thinking about a question."""
        means_something = digit in _KEYS or self._message is not None
        if means_something or self._speaker.saying or self._turns.idle:
            self._speaker.interrupt()
            self._cues.put_nowait(Pressed(digit))

    async def _hear(self, frames: asyncio.Queue[tuple[bytes, float]]) -> None:
        """Find speech in the audio, and act on whose turn it is."""
        doubler = Doubler(LINE_RATE_HZ)
        frame_bytes = self._detector.frame_samples * 2
        frame_s = self._detector.frame_samples / LINE_RATE_HZ
        waiting = bytearray()
        while True:
            try:
                async with asyncio.timeout(TICK_S):
                    pcm, arrived = await frames.get()
            except TimeoutError:
                if self._watch.dead(self._clock(), self._on_hold()):
                    self._cut_off("the caller's line stands still")
                self._act(self._turns.tick(self._clock()))
                continue
            self._echo.heard(pcm)
            waiting += pcm
            while not frames.empty():
                pcm, arrived = frames.get_nowait()
                self._echo.heard(pcm)
                waiting += pcm
            whole = len(waiting) // frame_bytes
            pieces = [bytes(waiting[i * frame_bytes : (i + 1) * frame_bytes]) for i in range(whole)]
            del waiting[: whole * frame_bytes]
            if not pieces:
                continue
            probabilities = await self._engines.detect(self._detector, pieces)
            loud = max(probabilities) >= self._turns.settings.quiet_probability
            if loud and self._echo.is_echo():
                probabilities = [0.0] * whole
            self._turns.machine_busy = self._engines.busy
            self._watch.heard(whole * frame_s, arrived, silent=not loud)
            for index, (piece, probability) in enumerate(zip(pieces, probabilities, strict=True)):
                now = arrived - (whole - 1 - index) * frame_s
                self._thinker.keep(doubler.feed(piece))
                self._act(self._turns.heard(probability, frame_s, now))

    async def _compare(self) -> None:
        """Where the line brings nothing, ask Asterisk whether the caller's phone is as quiet."""
        while True:
            await asyncio.sleep(QUIET_S)
            if not self._watch.quiet(self._clock(), self._on_hold()):
                continue
            packets = await self._phone_sent()
            if self._watch.lags_behind(packets, self._clock()):
                self._cut_off("the caller's line does not bring what their phone sends")
            if packets is None and self._outage.lasts(self._clock()):
                self._cut_off("the caller's line brings nothing, and others died", alone=False)

    def _cut_off(self, why: str, *, alone: bool = True) -> NoReturn:
        """Give the caller of a dead line back to the dialplan, which asks where they go.

        ``alone``: that it is dead was not concluded from others.
        """
        if alone and not self._cut:
            self._outage.died(self._clock())
        self._cut = True
        self._line.drop()
        raise LineDeadError(why)

    def _act(self, actions: Sequence[TurnAction]) -> None:
        for action in actions:
            match action:
                case BargeIn():
                    self._speaker.hold()
                case GoesOn():
                    self._thinker.drop()
                    self._speaker.go_on()
                case Paused():
                    self._thinker.guess()
                case SpeechStarted() | Resumed():
                    self._thinker.drop()
                case TurnEnded():
                    thought = self._thinker.take()
                    self._speaker.talk_over()
                    self._cues.put_nowait(CallerTurn(action, self._clock(), thought))
                case Silent() | Unheard():
                    self._cues.put_nowait(action)


_KEYS = ("0", "*")
"""Keys that bring the caller to a person, and to the voicemail."""
_PARTINGS = {
    Action.HANDOFF: Outcome.PERSON,
    Action.VOICEMAIL: Outcome.VOICEMAIL,
    Action.EMERGENCY: Outcome.EMERGENCY,
}

_ANSWERS = (Action.ANSWER, Action.CLARIFY)
"""Replies to a question, which may have been half of one."""

_NOT_A_MESSAGE = {
    Action.HANDOFF: Outcome.VOICEMAIL,
    Action.VOICEMAIL: Outcome.VOICEMAIL,
    Action.GOODBYE: Outcome.RESOLVED,
}
SHORT_WORDS = 6


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """What went wrong, each by itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _kinds(error: BaseException) -> list[str]:
    """The names of what went wrong, which hold no caller's words."""
    return [type(leaf).__name__ for leaf in _leaves(error)]


def _is_speech(ended: TurnEnded) -> bool:
    """Whether a turn of which no word was understood lasted too long for a cough."""
    return ended.speech_end - ended.speech_start >= UNHEARD_S


def _parting(reply: Reply) -> Outcome:
    """How a conversation ends with this reply, which is one of ``_PARTINGS``."""
    if reply.action is not Action.HANDOFF:
        return _PARTINGS[reply.action]
    if reply.urgent:
        return Outcome.URGENT
    return Outcome.UNANSWERED if reply.unanswered else Outcome.PERSON


def _instead_of_a_message(thought: Thought, taker: MessageTaker) -> Outcome | None:
    """What a caller who is asked for a message wants instead; None: it is the message.

    Messages speak of calling back and of people, too, so only a few words are taken as a wish.
    """
    reply = thought.reply
    if reply.action is Action.EMERGENCY:
        return Outcome.EMERGENCY
    if reply.unanswered or len(thought.transcript.text.split()) > SHORT_WORDS:
        return None
    if taker.begun and reply.action is not Action.VOICEMAIL:
        return None
    return _NOT_A_MESSAGE.get(reply.action)


def _delays(thought: Thought, cue: CallerTurn, started: float) -> Delays:
    """Where the time went between the caller's last sound and the answer's first.

    Recognising and thinking overlap the end-of-turn wait, so the parts may add up to more than
    the total.
    """
    ms = thought.reply.ms
    return Delays(
        end_of_turn=round((cue.noticed - cue.ended.speech_end) * 1000, 1),
        recognise=round(thought.transcript.compute_s * 1000, 1),
        retrieve=round(ms.retrieve, 1),
        model=round(ms.model, 1),
        voice=round(thought.voice_ms, 1),
        playout=round((started - max(cue.noticed, thought.ready)) * 1000, 1),
        total=round((started - cue.ended.speech_end) * 1000, 1),
    )
