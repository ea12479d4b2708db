"""The exceptions this package raises on purpose. Each one tells the operator what to do."""


class AgentError(Exception):
    """Something the operator, or a peer, got wrong.

    ``str(error)`` is the problem in one line; ``error.hint`` is the remedy, or empty.
    """

    def __init__(self, problem: str, *, hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint

    @property
    def message(self) -> str:
        """The problem, and the hint where there is one, in one line."""
        return f"{self}. Hint: {self.hint}" if self.hint else str(self)


class ConfigError(AgentError):
    """The configuration is not usable. ``problems`` lists every mistake found, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class EngineError(AgentError):
    """A model or engine is missing, broken, or failed at its work."""


class ModelError(EngineError):
    """A model cannot be fetched, or its files are not what the catalogue says."""


class ProtocolError(AgentError):
    """A peer sent bytes that its protocol does not allow. The connection ends."""


class AsteriskError(AgentError):
    """Asterisk cannot be reached, or refused what we asked."""


class SandboxError(AgentError):
    """The private Asterisk, or the scripted phone, could not do what was asked."""


class InstallError(AgentError):
    """The installation, or its removal, cannot go on. What was done is on record."""
