"""Lines of Asterisk's files: found, added and taken away, whatever the file is like."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.errors import InstallError
from asterisk_agent.install.lines import added, included, includes, lines, removed, setting

ETC = Path("/etc/asterisk")
OURS = ETC / "agent" / "extensions.conf"


@pytest.mark.parametrize(
    "text",
    [
        b"#include /etc/asterisk/agent/extensions.conf\n",
        b'#include "agent/extensions.conf"\n',
        b"#include <agent/extensions.conf> ; ours\n",
        b"  #TryInclude agent/extensions.conf\r\n",
        b"[x]\n# include agent/*.conf",
        b";-- off --;\n#include agent/extensions.conf\n",
        b";-- off --; #include agent/extensions.conf\n",
        b";--- a rule ---\n#include agent/extensions.conf\n",
    ],
)
def test_a_line_that_is_there_is_found(text):
    assert includes(text, OURS, ETC)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b";#include agent/extensions.conf\n",
        b"#include agent/extensions.conf.old\n",
        b"#exec agent/extensions.conf\n",
        b";--\n#include agent/extensions.conf\n--;\n",
        b";-- a ;-- b --;\n#include agent/extensions.conf\n--;\n",
        b"include => agent/extensions.conf\n",
    ],
)
def test_what_is_no_such_line_is_not(text):
    assert not includes(text, OURS, ETC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", b'#tryinclude "%s" ; added by asterisk-agent install\n'),
        (b"[x]\n", b'[x]\n#tryinclude "%s" ; added by asterisk-agent install\n'),
        (b"[x]", b'[x]\n#tryinclude "%s" ; added by asterisk-agent install\n'),
        (b"[x]\r\ny=1", b'[x]\r\ny=1\r\n#tryinclude "%s" ; added by asterisk-agent install\r\n'),
        (b"\xff\x00", b'\xff\x00\n#tryinclude "%s" ; added by asterisk-agent install\n'),
    ],
)
def test_the_line_is_added_in_the_files_own_manner(text, expected):
    assert added(text, OURS) == expected % str(OURS).encode()


def test_no_line_is_added_inside_a_comment():
    with pytest.raises(InstallError, match=r"begins in line 2 \(;--\) never ends") as caught:
        added(b"[x]\n;-- old things\n[y]\n", OURS)
    assert "--;" in caught.value.hint


@given(st.binary(max_size=200))
def test_what_was_added_can_be_found_and_taken_away(text):
    try:
        longer = added(text, OURS)
    except InstallError:
        return
    assert includes(longer, OURS, ETC)
    shorter = removed(longer, OURS, ETC)
    assert not includes(shorter, OURS, ETC) or b"*" in text or b"?" in text or b"[" in text
    if not includes(text, OURS, ETC):
        assert shorter.removesuffix(b"\n").removesuffix(b"\r") in (
            text,
            text.removesuffix(b"\n").removesuffix(b"\r"),
        )


@given(st.binary(max_size=300))
def test_nothing_of_a_file_is_lost_in_its_lines(text):
    assert b"".join(line.raw for line in lines(text)) == text


def test_only_our_line_is_taken():
    text = added(b"#include agent/extensions.conf.mine\n[x]\n", OURS) + b"exten => 1,1,Hangup()\n"
    expected = b"#include agent/extensions.conf.mine\n[x]\nexten => 1,1,Hangup()\n"
    assert removed(text, OURS, ETC) == expected


def test_asterisk_may_have_written_our_line_in_its_own_words():
    assert removed(b'[x]\n#include "agent/extensions.conf"\n', OURS, ETC) == b"[x]\n"


def test_settings_are_read_as_asterisk_does():
    text = (
        b"[general]\nport=1\n;port=2\nport => 3 ; three\n[other]\nport=4\n[general](+)\nPort = 5\n"
    )
    assert setting(text, "general", "port") == "5"
    assert setting(text, "other", "port") == "4"
    assert setting(text, "general", "enabled") is None
    assert list(included(b'#include "a.conf"\n#tryinclude b.conf\n')) == ["a.conf", "b.conf"]
