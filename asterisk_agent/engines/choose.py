"""From the configuration's words to models of the catalogue and folders on this machine."""

from __future__ import annotations

from pathlib import Path

from asterisk_agent.config.paths import models_directory
from asterisk_agent.config.schema import Config, Stt
from asterisk_agent.engines import catalogue
from asterisk_agent.engines.catalogue import Catalogue, Model, State
from asterisk_agent.errors import EngineError


def models_for(config: Config, known: Catalogue) -> list[tuple[Model, ...]]:
    """What a configuration needs from the catalogue; each a list of alternatives, best first.

    Models that it names by a path are the operator's own affair.
    """
    engines, language = config.engines, config.agent.language
    named = [engines.tts.voice]
    if engines.llm.engine == "llama":
        named.insert(0, engines.llm.model)
    wanted: list[tuple[Model, ...]] = [(known[name],) for name in named if not is_path(name)]
    if engines.stt.model is None:
        wanted.insert(0, recognisers(engines.stt, language, known))
    elif not is_path(engines.stt.model):
        wanted.insert(0, (known[engines.stt.model],))
    wanted.insert(0, known.default("vad", language))
    wanted.append(known.default("embed", language))
    return [alternatives for alternatives in wanted if alternatives]


def recognisers(stt: Stt, language: str, known: Catalogue) -> tuple[Model, ...]:
    """The models that ``stt`` allows for a language, best first."""
    if stt.engine == "auto":
        return known.default("stt", language)
    return known.candidates(stt.engine, language)


def detector_folder() -> Path:
    """The folder of the voice detector's model. Raises EngineError where it is not installed."""
    return folder_of(catalogue.read().default("vad", catalogue.ANY)[0].id)


def recogniser_folder(stt: Stt, language: str) -> tuple[str, Path]:
    """The engine's name and the folder of the model to hear with.

    ``auto`` takes what is installed, in the catalogue's order of preference. Raises EngineError
    where nothing is.
    """
    known, root = catalogue.read(), models_directory()
    if stt.model is not None:
        return _engine_of(stt, known), folder_of(stt.model)
    candidates = recognisers(stt, language, known)
    if not candidates:
        raise EngineError(
            f"the catalogue has no model of {stt.engine} for the language {language!r}",
            hint="set engines.stt.model in agent.yaml to the folder of one, or engine: whisper",
        )
    for model in candidates:
        if catalogue.status(model, root).state is State.INSTALLED:
            return model.engine, root / model.id
    return candidates[-1].engine, folder_of(candidates[-1].id)


def second_embedders(language: str) -> list[Model]:
    """The installed models that can be asked for meaning beside the first, the best one first."""
    known, root = catalogue.read(), models_directory()
    found = (m for m in known.models.values() if m.kind == "embed" and m.speaks(language))
    return [m for m in found if catalogue.status(m, root).state is State.INSTALLED]


def missing_embedder(language: str) -> tuple[str, ...]:
    """The name of a model that finds more than what is installed; () where there is none."""
    best, has = catalogue.read().default("embed", language)[:1], second_embedders(language)[:1]
    return tuple(model.id for model in best if list(best) != has)


def _engine_of(stt: Stt, known: Catalogue) -> str:
    if stt.engine != "auto":
        return stt.engine
    if stt.model is not None and not is_path(stt.model):
        return known[stt.model].engine
    raise EngineError(
        f"engines.stt: a model given by its path ({stt.model}) needs its engine named",
        hint="write engine: vosk or engine: whisper beside it in agent.yaml",
    )


def folder_of(name: str) -> Path:
    """The folder of an installed model, or the path that ``name`` is.

    Raises EngineError, naming the command that mends it, where it is missing or broken.
    """
    if is_path(name):
        path = Path(name).expanduser()
        if not path.exists():
            raise EngineError(f"model {path}: no such file or folder", hint="see agent.yaml")
        return path
    root = models_directory()
    status = catalogue.status(catalogue.read()[name], root)
    if status.state is not State.INSTALLED:
        problem = ": ".join((status.state, *status.problems[:1]))
        raise EngineError(f"model {name} is {problem} in {root}", hint=pull_hint(name))
    return root / name


def pull_hint(name: str) -> str:
    """The command that fetches or repairs a model."""
    return f"run: asterisk-agent models pull {name}"


def is_path(name: str) -> bool:
    """Whether a configured model is a path rather than a name of the catalogue."""
    return "/" in name
