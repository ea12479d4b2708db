"""``hear`` and ``say``: the recogniser and the voice by themselves, without a PBX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.errors import AgentError

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Engines

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000
WavFile = Annotated[Path, typer.Argument(metavar="FILE.wav", show_default=False)]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="What to say.", show_default=False)]
Rate = Annotated[
    int | None,
    typer.Option(
        "--rate",
        metavar="HZ",
        min=MIN_RATE_HZ,
        max=MAX_RATE_HZ,
        help="Samples a second; 8000 as on a telephone line. The voice's own unless given.",
    ),
]


@app.command()
@reports_errors
def hear(file: WavFile, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Write down what is said in a recording."""
    from asterisk_agent.audio import duration_s, read_wav, resample
    from asterisk_agent.engines.base import RECOGNISER_RATE_HZ
    from asterisk_agent.engines.loader import load_recognizer

    pcm, rate_hz = read_wav(file)
    engines, language = _settings(config)
    recogniser = load_recognizer(engines.stt, language)
    session = recogniser.session()
    session.feed(resample(pcm, rate_hz, RECOGNISER_RATE_HZ))
    heard = session.result()
    if not as_json:
        out.print(heard.text or "(no speech)", markup=False)
        return
    seconds = {"audio": round(duration_s(pcm, rate_hz), 3), "compute": round(heard.compute_s, 3)}
    print_json(
        {
            "text": heard.text,
            "confidence": round(heard.confidence, 3),
            "engine": recogniser.name,
            "seconds": seconds,
        }
    )


@app.command()
@reports_errors
def say(
    text: Text,
    file: WavFile,
    rate: Rate = None,
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Speak a text into a recording, as a caller would hear it."""
    from asterisk_agent.audio import duration_s, resample, write_wav
    from asterisk_agent.engines.loader import load_synthesizer
    from asterisk_agent.engines.worker import now_s
    from asterisk_agent.speech import speakable

    engines, language = _settings(config)
    voice = load_synthesizer(engines.tts)
    began = now_s()
    pcm = b"".join(voice.synthesize(speakable(text, language)))
    compute_s = now_s() - began
    if not pcm:
        raise AgentError("there is nothing to say in that text", hint="give at least one word")
    rate_hz = rate or voice.rate_hz
    pcm = resample(pcm, voice.rate_hz, rate_hz)
    try:
        file.open("wb").close()  # wave's own writer trips over a file that it cannot open
        write_wav(file, pcm, rate_hz)
    except OSError as error:
        raise AgentError(
            f"{file}: {error.strerror}", hint="give a file that can be written"
        ) from error
    seconds = {"audio": round(duration_s(pcm, rate_hz), 3), "compute": round(compute_s, 3)}
    if as_json:
        print_json(
            {"file": str(file), "rate_hz": rate_hz, "engine": voice.name, "seconds": seconds}
        )
    else:
        out.print(f"{file}: {seconds['audio']:.1f} s at {rate_hz} Hz", markup=False)


def _settings(directory: Path) -> tuple[Engines, str]:
    """The engines and the language that a configuration names.

    Without a configuration in the usual place, what comes without one: these two commands are
    for trying things out, also before there is any.
    """
    from asterisk_agent.config.load import load
    from asterisk_agent.config.schema import Engines

    if directory == DEFAULT_CONFIG and not directory.exists():
        return Engines(), "en"
    config = load(directory)
    return config.engines, config.agent.language
