"""The callers' clips: their band, their level, and above all where they end."""

from pathlib import Path

import numpy as np
import pytest

from asterisk_agent.audio import rms_dbfs
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench_clips import (
    FRAME,
    LEVEL_DBFS,
    ClipMaker,
    at_level,
    audible,
    join,
    telephone,
    whole_frames,
)
from asterisk_agent.sandbox.bench_script import BenchScript, Kind, read_bench_script
from asterisk_agent.sandbox.bench_sounds import sound
from asterisk_agent.sandbox.listening import AUDIBLE_DBFS

SCRIPT = Path(__file__).parent.parent / "scripts" / "bench.d" / "script.yaml"


def tone(seconds, hz=600.0, rate_hz=8000, level=6000.0):
    return level * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)


def pcm(samples):
    return samples.astype("<i2").tobytes()


def test_silence_around_a_sound_is_cut_off():
    samples = np.concatenate((np.zeros(1000), tone(0.5), np.zeros(4321)))
    found = audible(samples)
    assert len(found) == pytest.approx(4000, abs=160)
    assert rms_dbfs(pcm(found[-80:])) > AUDIBLE_DBFS


def test_what_cannot_be_heard_is_no_clip():
    with pytest.raises(SandboxError, match="nothing in it"):
        audible(np.full(8000, 20.0))


@pytest.mark.parametrize("length", [1, 159, 160, 161, 4000])
def test_a_clip_ends_where_its_last_frame_ends(length):
    found = whole_frames(np.full(length, 1000.0))
    assert len(found) % (2 * FRAME) == 0
    assert len(found) - 2 * length < 2 * FRAME
    assert np.frombuffer(found, "<i2")[-1] == 1000
    assert np.count_nonzero(np.frombuffer(found, "<i2")) == length


def test_pauses_are_where_and_as_long_as_they_should_be():
    clip, pauses = join([tone(0.5), 0.3, tone(0.25), 0.8, tone(0.1)])
    assert [round(end - start, 3) for start, end in pauses] == [0.3, 0.8]
    samples = np.frombuffer(clip, "<i2")
    for start, end in pauses:
        inside = samples[round(start * 8000) : round(end * 8000)]
        assert not inside.any()
        assert samples[round(start * 8000) - 40 : round(start * 8000)].any()
        assert samples[round(end * 8000) : round(end * 8000) + 40].any()


@pytest.mark.parametrize(
    ("band", "hz", "passes"),
    [
        ("line", 80, False),
        ("line", 300, True),
        ("line", 3000, True),
        ("line", 3900, False),
        ("handset", 150, False),
        ("handset", 2000, True),
    ],
)
def test_a_telephone_carries_its_band_only(band, hz, passes):
    mixed = tone(1, hz, 16_000) + tone(1, 1000, 16_000)
    narrow = np.frombuffer(telephone(pcm(mixed), 16_000, band), "<f8")
    spectrum = np.abs(np.fft.rfft(narrow))
    share = spectrum[round(hz)] / spectrum[1000]
    assert len(narrow) == 8000
    assert bool(share > 0.5) is passes


def test_speech_is_equally_loud_whatever_its_pauses():
    for samples in (tone(1, level=300), np.concatenate((tone(0.3, level=20_000), np.zeros(8000)))):
        assert rms_dbfs(pcm(audible(at_level(samples)))) == pytest.approx(LEVEL_DBFS, abs=0.3)


@pytest.mark.parametrize("name", ["cough", "line noise", "crackle"])
def test_sounds_are_always_the_same(name):
    assert np.array_equal(sound(name), sound(name))
    assert 0.5 < len(sound(name)) / 8000 < 2.5
    assert np.max(np.abs(sound(name))) < 60_000


def test_a_clip_is_made_once(tmp_path):
    spoken = []

    def speak(text):
        spoken.append(text)
        return pcm(tone(0.4, rate_hz=16_000)), 16_000

    script = BenchScript.model_validate(
        {
            "number": "1",
            "voices": {"joe": {"program": "piper"}},
            "lines": [
                {"id": "a", "kind": "pause", "voice": "joe", "says": ["one", 0.5, "two"]},
                {"id": "b", "kind": "disturbance", "sound": "cough"},
            ],
        }
    )
    first = list(ClipMaker(script, tmp_path, speak).clips())
    second = list(ClipMaker(script, tmp_path, speak).clips())
    assert spoken == ["one", "two"]
    assert first == second
    assert first[0].line.text == "one two"
    assert first[0].seconds == pytest.approx(1.3, abs=0.1)
    list(ClipMaker(script, tmp_path, speak, "handset").clips())
    assert len(spoken) == 4


def test_the_script_has_what_the_benchmark_promises():
    script = read_bench_script(SCRIPT)
    assert len(script.of(Kind.QUESTION)) >= 40
    assert len({line.voice for line in script.of(Kind.QUESTION)}) >= 3
    pauses = [piece for line in script.of(Kind.PAUSE) for piece in line.says if piece != str(piece)]
    assert (min(pauses), max(pauses)) == (0.3, 0.8)
    assert len(script.of(Kind.LONG)) >= 5
    assert len(script.of(Kind.DISTURBANCE)) >= 3


def test_every_fact_is_in_the_document_that_the_script_names():
    from asterisk_agent.sandbox.demo_script import missing

    knowledge = SCRIPT.parents[2] / "etc" / "knowledge"
    for line in read_bench_script(SCRIPT).lines:
        if line.hears:
            text = (knowledge / line.document).read_text(encoding="utf-8")
            assert missing(line.hears, text) == [], line.id


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a", "not a script"),
        ("number: 1", "not a script"),
        ("{number: '1', voices: {}, questions: [{id: a, says: hello}]}", "no voice"),
        ("{number: '1', voices: {}, disturbances: [{id: a}]}", "either a sound or words"),
        (
            "{number: '1', voices: {}, questions: [{id: a, sound: cough}, {id: a, sound: cough}]}",
            "comes twice",
        ),
    ],
)
def test_a_script_with_a_mistake_is_refused(tmp_path, text, reason):
    (tmp_path / "script.yaml").write_text(text)
    with pytest.raises(SandboxError, match=reason):
        read_bench_script(tmp_path / "script.yaml")
