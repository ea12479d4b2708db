"""A small configuration without a mistake, for tests to break or to change."""

from pathlib import Path

GOOD = {
    "agent.yaml": """\
agent:
  name: Nora
  language: en
  greeting: Hello.
engines:
  stt: {engine: auto}
  tts: {speed: 1.0}
asterisk:
  ami: {host: 127.0.0.1, port: 5038, username: asterisk-agent}
listen: {fastagi: "127.0.0.1:4573"}
limits: {calls: auto, call: 10m}
records: {database: "sqlite:////var/lib/c.db", audio: off}
""",
    "channels.yaml": """\
channels:
  support:
    number: "+15551230100"
    agent: on
    hours: office
    knowledge: [company, support]
    in_hours:
      answer: agent
      handoff: [support, backoffice]
      unanswered: {voicemail: support, message: nobody-free}
    after_hours:
      on_call: {dial: PJSIP/150, for: urgent}
      unanswered: {voicemail: support, message: closed-now}
  billing:
    number: "+15551230200"
    hours: office
    in_hours:
      handoff: billing
      unanswered: {voicemail: night, message: nobody-free}
    after_hours:
      unanswered: {voicemail: billing, message: closed-now}
""",
    "hours.yaml": """\
timezone: America/New_York
close_grace: 5m
hours:
  office:
    mon-thu: ["08:00-12:00", "13:00-18:00"]
    fri: ["08:00-16:00"]
    holidays: [us, company]
holidays:
  us: {country: US, subdivision: NY, except: [Election Day]}
  company:
    - {date: 2026-12-24, name: Christmas Eve, hours: ["08:00-12:00"]}
    - {from: 2026-12-28, to: 2026-12-31, name: Stocktaking}
    - {date: 12-26, name: Second day of Christmas}
""",
    "teams.yaml": """\
teams:
  support:
    label: Customer support
    extension: "600"
    members: [PJSIP/101, PJSIP/102]
    queue: {strategy: rrmemory, ring: 15s, wait: 60s}
    voicemail: {mailbox: "600", email: support@example.com}
  billing:
    existing: {context: ext-queues, extension: "610"}
    voicemail: {mailbox: "610"}
  backoffice:
    extension: "620"
    members: [PJSIP/104]
  night:
    voicemail: {mailbox: "699"}
messages:
  nobody-free: Everyone is helping other callers.
  closed-now: We are closed.
""",
}


def write_good(directory: Path, **changed: str) -> Path:
    """Write it to ``directory``; ``teams="…"`` is what stands in teams.yaml instead."""
    for topic in ("company", "support"):
        (directory / "knowledge" / topic).mkdir(parents=True, exist_ok=True)
    for name, text in GOOD.items():
        new = changed.get(name.removesuffix(".yaml"), text)
        (directory / name).write_text(new, encoding="utf-8")
    return directory
