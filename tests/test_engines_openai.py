"""The client for OpenAI-compatible servers, against a real HTTP server on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from brain_fakes import BrokenModel, ScriptedModel

from asterisk_agent.brain.answer import compose
from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.languages import language
from asterisk_agent.brain.question import Question
from asterisk_agent.config.schema import Llm
from asterisk_agent.engines.loader import load_model
from asterisk_agent.engines.openai import Breaker, OpenAiModel, WithFallback
from asterisk_agent.errors import ConfigError, EngineError

Script = Callable[[BaseHTTPRequestHandler], None]
ASKED = [{"role": "user", "content": "How much?"}]


class Server:
    """Answers every request with ``script``; keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.script: Script = speaks("It costs ", "$89.")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outer.asked.append(json.loads(self.rfile.read(length)))
                outer.keys.append(self.headers["Authorization"])
                outer.script(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def sends(*lines: str, status: int = 200, slow_s: float = 0.0) -> Script:
    def script(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.end_headers()
        try:
            for line in lines:
                handler.wfile.write(line.encode())
                handler.wfile.flush()
                time.sleep(slow_s)
        except OSError:
            pass  # the client has had enough

    return script


def speaks(*pieces: str, slow_s: float = 0.0) -> Script:
    events = [json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in pieces]
    role = json.dumps({"choices": [{"delta": {"role": "assistant"}}]})
    lines = [f"data: {event}\n\n" for event in (role, *events)]
    return sends(": hello\n\n", *lines, "data: [DONE]\n\n", slow_s=slow_s)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def model(server: Server) -> Iterator[OpenAiModel]:
    made = OpenAiModel(server.url, "big", api_key="k1", deadline_s=0.6)
    yield made
    made.close()


def said(model: OpenAiModel | WithFallback) -> str:
    return "".join(model.generate(ASKED, max_tokens=20))


def test_an_answer_in_pieces(server: Server, model: OpenAiModel) -> None:
    assert list(model.generate(ASKED, max_tokens=20)) == ["It costs ", "$89."]
    (asked,) = server.asked
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("big", 20, 0)
    assert asked["messages"] == ASKED
    assert server.keys == ["Bearer k1"]


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 30, "completion_tokens": 4, "total_tokens": 34}, 34),
        ({"total_tokens": -5}, 0),
        ({"total_tokens": "many"}, 0),
        (None, 0),
    ],
)
def test_the_server_tells_the_tokens(
    server: Server, model: OpenAiModel, usage: Any, tokens: int
) -> None:
    said_it = json.dumps({"choices": [{"delta": {"content": "$89."}}], "usage": None})
    last = json.dumps({"choices": [], "usage": usage})
    server.script = sends(f"data: {said_it}\n\n", f"data: {last}\n\n", "data: [DONE]\n\n")
    assert said(model) == "$89."
    assert model.tokens == tokens
    assert server.asked[0]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    "script",
    [
        sends(status=500),
        sends(status=302),
        sends("data: {not json\n\n"),
        sends('data: {"choices": 5}\n\n'),
        sends('data: {"error": "no"}\n\n'),
        sends("data: " + "x" * 200_000),
        speaks("x" * 21_000),
        speaks("a", "b", "c", "d", slow_s=0.3),
        sends("", slow_s=2.0),
    ],
)
def test_whatever_the_server_does_there_is_one_error(
    server: Server, model: OpenAiModel, script: Script
) -> None:
    server.script = script
    with pytest.raises(EngineError):
        said(model)


def test_an_answer_that_just_ends_is_one(server: Server, model: OpenAiModel) -> None:
    server.script = sends('data: {"choices": []}\n\n', 'data: {"choices": [{"delta": {}}]}')
    assert said(model) == ""


def test_a_server_that_failed_is_left_alone(server: Server) -> None:
    now = [100.0]
    model = OpenAiModel(server.url, "big", clock=lambda: now[0])
    server.script = sends(status=503)
    for _ in range(2):
        with pytest.raises(EngineError, match="HTTP 503"):
            said(model)
    server.script = speaks("Yes.")
    with pytest.raises(EngineError, match="left alone"):
        said(model)
    assert len(server.asked) == 2
    now[0] += 31
    assert said(model) == "Yes."
    assert said(model) == "Yes."
    model.close()


def test_after_a_rest_only_one_may_try() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0], failures=1, rest_s=10)
    breaker.failed()
    now[0] = 11
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.worked()
    assert breaker.allows()


def test_who_stops_listening_is_no_failure(server: Server, model: OpenAiModel) -> None:
    for _ in range(3):
        assert list(model.generate(ASKED, max_tokens=5, cancelled=lambda: True)) == []
        pieces = model.generate(ASKED, max_tokens=5)
        next(iter(pieces))
        pieces.close()  # type: ignore[attr-defined]
    assert model.breaker.allows()


def test_nobody_there() -> None:
    gone = OpenAiModel("http://127.0.0.1:9/v1", "big")
    with pytest.raises(EngineError, match="no answer"):
        said(gone)
    assert said(WithFallback(gone, ScriptedModel("It costs $89."))) == "It costs $89."
    with pytest.raises(EngineError, match="out of memory"):
        said(WithFallback(gone, BrokenModel("")))
    gone.close()


def test_the_first_models_answer_is_taken_where_there_is_one(model: OpenAiModel) -> None:
    assert said(WithFallback(model, ScriptedModel("no"))) == "It costs $89."


PASSAGE = Passage("A visit costs $89. That includes travel.", "Call-out fee", "p.md")
EN = language("en")


@pytest.mark.parametrize(
    ("pieces", "spoken"),
    [
        (("A visit ", "costs $89."), "A visit costs $89."),
        (("A visit ", "costs $98."), PASSAGE.text),
        (("A visit is free.",), PASSAGE.text),
    ],
)
def test_the_gate_is_the_same(
    server: Server, model: OpenAiModel, pieces: tuple[str, ...], spoken: str
) -> None:
    server.script = speaks(*pieces)
    question = Question.read("how much is a visit", EN)
    assert compose(question, PASSAGE, EN, model, lambda: 0.0).text == spoken


def test_from_the_configuration(server: Server, tmp_path: Path) -> None:
    key = tmp_path / "llm.key"
    key.write_text("k2\n")
    key.chmod(0o600)
    llm = Llm(engine="openai", url=server.url, model="big", api_key_file="llm.key")
    made = load_model(llm, tmp_path)
    assert isinstance(made, OpenAiModel)
    assert said(made) == "It costs $89."
    assert server.keys == ["Bearer k2"]
    made.close()
    with pytest.raises(ConfigError, match="server's API key"):
        load_model(llm, tmp_path / "elsewhere")


@pytest.mark.parametrize("settings", [{"engine": "openai"}, {"url": "http://a/v1"}])
def test_a_server_needs_its_url(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="url"):
        Llm.model_validate(settings)
