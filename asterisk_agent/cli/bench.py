"""``bench``: what this machine can carry, and the ``limits.calls`` that follows.

The short form, for operators. No call is placed: the PBX may have better things to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    err,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.errors import AgentError

if TYPE_CHECKING:
    from asterisk_agent.brain.brain import Brain
    from asterisk_agent.engines.base import VoiceDetector
    from asterisk_agent.engines.loader import Engines

FRAMES_CPU_S = 0.015
"""CPU seconds for each second of a call, frames in and frames out, without the voice detector."""


@dataclass(frozen=True, slots=True)
class TurnCost:
    """What one turn took. Seconds; ``cpu_s`` of all cores together."""

    question: str
    audio_s: float
    recognise_s: float
    think_s: float
    voice_s: float
    cpu_s: float


@app.command()
@reports_errors
def bench(
    config: ConfigDirectory = DEFAULT_CONFIG,
    turns: Annotated[int, typer.Option(min=1, max=200, help="Questions asked.")] = 12,
    as_json: Json = False,
) -> None:
    """Tell how many calls this machine can carry, and what to write into limits.calls.

    Places no call: it asks the questions of your own documents, spoken by the configured voice,
    to the configured recogniser, brain and voice, one after the other, and counts the processor
    time. Stop the service before, or the two share the machine. The delays that callers notice
    are measured by scripts/bench of the source tree, with real calls through an Asterisk of its
    own.
    """
    import os

    from asterisk_agent.config.load import load
    from asterisk_agent.engines import loader

    settings = load(config)
    err.print("loading the models", markup=False)
    engines = loader.load(settings)
    loader.warm(engines)
    costs, frame_s = _measure(settings, engines, turns)
    result = estimate(costs, frame_s, os.cpu_count() or 1)
    if as_json:
        print_json(result)
        return
    for line in _lines(result):
        out.print(line, markup=False)


def estimate(costs: list[TurnCost], detect_cpu_s: float, cores: int) -> dict[str, Any]:
    """What the measured turns mean. ``detect_cpu_s``: CPU seconds for each second of a call."""
    from statistics import median

    from asterisk_agent.capacity import calls_carried, cpu_share

    cpu_s = sum(cost.cpu_s for cost in costs) / len(costs)
    line_cpu_s = detect_cpu_s + FRAMES_CPU_S
    ready = [cost.recognise_s + cost.think_s + cost.voice_s for cost in costs]
    return {
        "turns": len(costs),
        "cores": cores,
        "median_s": {
            "recognise": round(median(cost.recognise_s for cost in costs), 3),
            "think": round(median(cost.think_s for cost in costs), 3),
            "voice": round(median(cost.voice_s for cost in costs), 3),
            "answer_ready": round(median(ready), 3),
        },
        "cpu_s_per_turn": round(cpu_s, 3),
        "cpu_s_per_call_minute": round(cpu_share(cpu_s, line_cpu_s) * 60, 2),
        "calls": calls_carried(cpu_s, cores, line_cpu_s),
    }


def _measure(settings: Any, engines: Engines, turns: int) -> tuple[list[TurnCost], float]:
    """Ask the headings of the documents, as a caller would."""
    from itertools import cycle, islice

    from asterisk_agent.brain.brain import build

    asked = []
    for channel in settings.channels.values():
        if channel.agent:
            brain = build(settings, channel, engines)
            asked += [(brain, question) for question in _questions(settings, channel)]
    if not asked:
        raise AgentError(
            "no channel has documents to ask about", hint="put some under knowledge/ first"
        )
    step = max(1, len(asked) // turns)
    chosen = islice(cycle(asked[::step]), turns)
    costs = []
    for brain, question in chosen:
        costs.append(_turn(brain, engines, question))
        err.print(f"{len(costs)}/{turns} {question}", markup=False)
    return costs, _detect_cpu_s(engines.new_detector())


def _questions(settings: Any, channel: Any) -> list[str]:
    from asterisk_agent.brain.knowledge import load_passages

    passages = load_passages(settings.knowledge_directory, channel.knowledge)
    return list(dict.fromkeys(passage.heading for passage in passages if passage.heading))


def _turn(brain: Brain, engines: Engines, question: str) -> TurnCost:
    import time

    from asterisk_agent.audio import LINE_RATE_HZ, duration_s, resample
    from asterisk_agent.engines.base import RECOGNISER_RATE_HZ
    from asterisk_agent.engines.worker import now_s
    from asterisk_agent.speech import sentences

    voice = engines.synthesizer
    line = resample(b"".join(voice.synthesize(question)), voice.rate_hz, LINE_RATE_HZ)
    session = engines.recognizer.session()
    cpu, began = time.process_time(), now_s()
    session.feed(resample(line, LINE_RATE_HZ, RECOGNISER_RATE_HZ))
    heard = session.result()
    recognised = now_s()
    reply = brain.reply(heard.text or question, ())
    thought = now_s()
    spoken = sentences(reply.text)
    for sentence in spoken[:1]:
        list(voice.synthesize(sentence))
    ready = now_s()
    for sentence in spoken[1:]:
        list(voice.synthesize(sentence))
    return TurnCost(
        question,
        audio_s=duration_s(line),
        recognise_s=recognised - began,
        think_s=thought - recognised,
        voice_s=ready - thought,
        cpu_s=time.process_time() - cpu,
    )


def _detect_cpu_s(detector: VoiceDetector) -> float:
    """CPU seconds that the voice detector takes for each second of a call."""
    import time

    from asterisk_agent.audio import LINE_RATE_HZ

    frames = 5 * LINE_RATE_HZ // detector.frame_samples
    began = time.process_time()
    for _ in range(frames):
        detector.probability(bytes(2 * detector.frame_samples))
    return (time.process_time() - began) / (frames * detector.frame_samples / LINE_RATE_HZ)


def _lines(result: dict[str, Any]) -> list[str]:
    median_s = result["median_s"]
    return [
        f"recognise a question     {median_s['recognise']:.2f} s",
        f"find the answer          {median_s['think']:.2f} s",
        f"speak its first sentence {median_s['voice']:.2f} s",
        f"processor time           {result['cpu_s_per_turn']:.2f} s a turn, "
        f"{result['cpu_s_per_call_minute']:.1f} s a call minute, of {result['cores']} cores",
        "",
        f"This machine carries about {result['calls']} calls at once. In agent.yaml:",
        f"limits: {{calls: {result['calls']}}}",
    ]
