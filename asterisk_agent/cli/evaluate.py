"""``evaluate``: how many of a set of questions the agent answers right, by text or by voice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

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
    from asterisk_agent.brain.brain import Brain
    from asterisk_agent.brain.evaluation import Finding, Report
    from asterisk_agent.brain.questions import Case
    from asterisk_agent.brain.wording import Wording
    from asterisk_agent.config.schema import Config

QUESTIONS = "questions.yaml"
"""In the configuration directory: what is asked where no file is given."""

NAMES = {
    "wrong": "answered wrong",
    "right": "answered right, of the answerable",
    "at_once": "… of these without asking back",
    "handed_over": "handed over, of the unanswerable",
    "person": "a person when asked for",
    "team": "the right team",
    "emergency": "emergencies caught",
    "hostile": "attacks that changed nothing",
    "other": "small talk, goodbye, voicemail",
}


_WAYS = ("extractive", "generative")


class Asked:
    """The brains of a configuration, each at the time of the question."""

    def __init__(self, config: Config) -> None:
        from asterisk_agent.cli.ask import minds

        self._config = config
        self._minds = minds(config)
        self._brains: dict[str, Brain] = {}
        self._at: datetime = datetime.now(UTC)

    def brain(self, case: Case) -> Brain:
        """The brain of the question's channel."""
        from asterisk_agent.cli.ask import brain_of, channel_of

        channel = channel_of(self._config, case.channel)
        zone = ZoneInfo(self._config.timezone)
        self._at = case.at.replace(tzinfo=zone) if case.at is not None else datetime.now(UTC)
        if channel.id not in self._brains:
            self._brains[channel.id] = brain_of(
                self._config, channel, self._minds, lambda: self._at
            )
        return self._brains[channel.id]


@app.command()
@reports_errors
def evaluate(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help=f"Default: {QUESTIONS} beside agent.yaml."),
    ] = None,
    *,
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
    speech: Annotated[
        bool, typer.Option("--speech", help="Speak each question through a telephone line first.")
    ] = False,
    voice: Annotated[
        list[str] | None,
        typer.Option("--voice", metavar="NAME", help="With --speech: a voice, or flite:NAME."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Is the language model better? For answers: auto.")
    ] = False,
    require: Annotated[
        list[str] | None,
        typer.Option("--require", metavar="FIGURE=VALUE", help="Fail below: right=95%, wrong=0 …"),
    ] = None,
) -> None:
    """Ask a set of questions and count what becomes of them.

    With --compare the language model words the answers to the same questions as well. What it was
    worth is kept in the state folder, and is what `answers: auto` goes by.

    Exit status 1 if a figure is worse than the file's ``require``, or ``--require``, allows.
    """
    from asterisk_agent.brain.evaluation import as_object, count
    from asterisk_agent.brain.questions import read
    from asterisk_agent.config.load import load

    loaded = load(config)
    questions = read(file or config / QUESTIONS)
    required = {**questions.required, **_thresholds(require or [])}
    if compare and speech:
        raise AgentError("--compare is by text", hint="leave out --speech")
    chosen = None
    if compare:
        chosen, report = _compared(loaded, questions.cases)
    else:
        report = count(_all(loaded, questions.cases, (voice or [""]) if speech else []))
    failures = report.failures(required)
    if as_json:
        about = {"kind": chosen.kind, "why": chosen.why} if chosen is not None else None
        shown = {**as_object(report), "required": required, "failures": failures}
        print_json({**shown, "wording": about} if about is not None else shown)
    else:
        _show(report, failures)
        if chosen is not None:
            out.print(f"answers: auto is {chosen.kind}: {chosen.why}", markup=False)
    if failures:
        raise typer.Exit(1)


def _all(config: Config, cases: tuple[Case, ...], voices: list[str]) -> list[Finding]:
    from asterisk_agent.brain.evaluation import ask, delayed
    from asterisk_agent.cli.telephone import Telephone

    asked, language = Asked(config), config.agent.language
    if not voices:
        return [ask(case, asked.brain(case), language) for case in cases]
    findings = []
    for name in voices:
        telephone = Telephone(config, name)
        for case in cases:
            found = ask(case, asked.brain(case), language, telephone.say, telephone.again)
            findings.append(delayed(found, telephone.last_ms))
    return findings


def _compared(config: Config, cases: tuple[Case, ...]) -> tuple[Wording, Report]:
    """Ask in both ways, and keep what each was worth. The report is on what callers hear now."""
    from asterisk_agent.brain.evaluation import count, otherwise
    from asterisk_agent.brain.wording import Score, store, wording

    if config.engines.llm.engine == "none":
        hint = "name a model under engines.llm in agent.yaml, or leave out --compare"
        raise AgentError("there is no language model to compare", hint=hint)
    own, worded = (count(_all(_answering(config, way), cases, [])) for way in _WAYS)
    share = otherwise(own, worded)
    scores = [
        Score(
            int(report.figures["wrong"]),
            report.figures.get("right", 0.0),
            report.delay_ms.get("p95", 0.0),
            part,
        )
        for report, part in ((own, 0.0), (worded, share))
    ]
    chosen = store(config, scores[0], scores[1], datetime.now(UTC))
    return chosen, worded if wording(config).generative else own


def _answering(config: Config, way: str) -> Config:
    """The configuration with answers worded that way."""
    llm = config.engines.llm.model_copy(update={"answers": way})
    engines = config.engines.model_copy(update={"llm": llm})
    return config.model_copy(update={"engines": engines})


def _thresholds(written: list[str]) -> dict[str, float]:
    from asterisk_agent.brain.questions import share

    required = {}
    for text in (part for item in written for part in item.split(",") if part.strip()):
        name, _, value = text.partition("=")
        if name.strip() not in NAMES:
            raise AgentError(
                f"--require {text}: no such figure", hint=f"figures are {', '.join(NAMES)}"
            )
        try:
            required[name.strip()] = share(value)
        except ValueError as error:
            raise AgentError(f"--require {text}: {error}") from None
    return required


def _show(report: Report, failures: list[str]) -> None:
    from asterisk_agent.brain.evaluation import COUNTS, Verdict, confusions

    for finding in report.findings:
        if finding.verdict is Verdict.RIGHT and finding.right_team is not False:
            continue
        case, reply = finding.case, finding.reply
        said = f" (heard: {finding.heard})" if finding.heard != case.text else ""
        what = "other team" if finding.verdict is Verdict.RIGHT else finding.verdict
        out.print(f"{what:10} {case.kind}: {case.text}{said}", markup=False)
        out.print(f"           → {reply.action} {reply.team or ''} {reply.text}", markup=False)
    for kind, actions in confusions(report).items():
        row = ", ".join(f"{action} {number}" for action, number in actions.items())
        out.print(f"{kind:13} {row}", markup=False)
    for name, label in NAMES.items():
        if name in report.figures:
            value, total = report.figures[name], report.totals[name]
            shown = f"{value:.0f}" if name in COUNTS else f"{value:6.1%}"
            out.print(f"{label:36} {shown:>6}  of {total}", markup=False)
    delays = ", ".join(f"{name} {ms:.0f}" for name, ms in report.delay_ms.items())
    out.print(f"{'delay, ms':36} {delays}", markup=False)
    for failure in failures:
        out.print(f"FAILED: {failure}", markup=False)
