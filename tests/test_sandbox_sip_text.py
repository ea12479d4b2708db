import pytest

from asterisk_agent.sandbox.sip_text import headers_of, party

INVITE = (
    "INVITE sip:101@127.0.0.1 SIP/2.0\r\n"
    'From: "Support: \\"Ann\\"" <sip:+1555@127.0.0.1>;tag=1\r\n'
    "X-Long: one\r\n  two\r\n"
    "Via: first\r\nVia: second\r\n"
    "\r\nv=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"
)


def test_headers_by_name_unfolded_and_without_the_body():
    headers = headers_of(INVITE)
    assert list(headers) == ["From", "X-Long", "Via"]
    assert headers["X-Long"] == "one two"
    assert headers["Via"] == "first"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"Ann Baker" <sip:1@h>;tag=x', ("Ann Baker", "sip:1@h")),
        ('"a \\"b\\" c" <sip:1@h>', ('a "b" c', "sip:1@h")),
        ("Ann <sip:1@h>", ("Ann", "sip:1@h")),
        ("<sip:1@h>", ("", "sip:1@h")),
        ("sip:1@h;tag=x", ("", "sip:1@h")),
        ("", ("", "")),
    ],
)
def test_party(value, expected):
    assert party(value) == expected
