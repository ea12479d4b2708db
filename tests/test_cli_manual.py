"""The manual page: made from the commands, and the one that is shipped is up to date."""

from pathlib import Path

from asterisk_agent.cli import manual

SHIPPED = Path(__file__).parent.parent / "docs" / "asterisk-agent.1"


def test_the_shipped_page_is_that_of_the_commands():
    assert SHIPPED.read_text(encoding="utf-8") == manual.page(), "run scripts/man"


def test_every_command_and_option_is_there():
    page = manual.page()
    for words in (".SS calls erase", ".SS stats", "\\-\\-caller NUMBER", ".SS channels\n"):
        assert words in page
    assert page.startswith(".TH ASTERISK-AGENT 1")
