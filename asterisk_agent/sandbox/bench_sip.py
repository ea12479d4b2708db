"""The caller's side of one SIP call, as text: datagrams in, datagrams out, no sockets, no clock.

As much of RFC 3261 as a call to Asterisk over loopback needs: INVITE, its answers, ACK, BYE in
both directions, and a polite answer to whatever Asterisk asks in the middle of a call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from asterisk_agent.errors import ProtocolError
from asterisk_agent.sandbox.bench_rtp import KEY_TYPE
from asterisk_agent.sandbox.sip_text import headers_of

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO"


class State(StrEnum):
    """How far the call is."""

    CALLING = "calling"
    RINGING = "ringing"
    CONNECTED = "connected"
    ENDED = "ended"


@dataclass(slots=True)
class SipCall:
    """One outgoing call from ``number`` to ``target``, an address such as ``sip:100@127.0.0.1``.

    ``token`` makes its identifiers differ from those of every other call.
    """

    number: str
    target: str
    host: str
    sip_port: int
    rtp_port: int
    token: str
    state: State = State.CALLING
    code: int = 0
    """The final answer's status, or 200 where the far end hung up."""
    media: tuple[str, int] | None = None
    """Where the far end wants its audio."""
    _to: str = ""
    _contact: str = ""
    _sequence: int = 1
    _answered: bool = field(default=False)

    def invite(self) -> bytes:
        """The first message; the same again where nobody answers it."""
        body = self._sdp()
        return self._request("INVITE", self.target, f"<{self.target}>", 1, body=body)

    def bye(self) -> bytes:
        """End the call that is connected, or is still being set up."""
        if not self._answered:
            return self._request("CANCEL", self.target, f"<{self.target}>", 1)
        self._sequence += 1
        return self._request("BYE", self._contact or self.target, self._to, self._sequence)

    def take(self, datagram: bytes) -> list[bytes]:
        """What to answer to a message. Raises ProtocolError for what is no SIP."""
        text = datagram.decode("utf-8", "replace")
        first, _, _ = text.partition("\r\n")
        headers = headers_of(text)
        if answer := re.match(r"SIP/2\.0 (\d{3})", first):
            return self._response(int(answer[1]), headers, text)
        if request := re.match(r"([A-Z]+) \S+ SIP/2\.0$", first):
            return self._asked(request[1], headers)
        raise ProtocolError(f"sip: {first[:40]!r} is no message")

    def _response(self, code: int, headers: dict[str, str], text: str) -> list[bytes]:
        cseq = re.fullmatch(r"(\d{1,9}) +([A-Z]+)", headers.get("CSeq", ""))
        if cseq is None:
            raise ProtocolError("sip: an answer to nothing")
        number, method = int(cseq[1]), cseq[2]
        if method != "INVITE":
            if method == "BYE":
                self._end(200)
            return []
        self._to = headers.get("To", self._to)
        if code < 200:
            if code > 100 and self.state is State.CALLING:
                self.state = State.RINGING
            self._read_media(text)
            return []
        if code < 300:
            self._read_media(text)
            self._contact = _address(headers.get("Contact", "")) or self.target
            if self.state is not State.ENDED:
                self.state = State.CONNECTED
            self._answered = True
            return [self._request("ACK", self._contact, self._to, number, branch=f"ack{number}")]
        self._end(code)
        return [self._request("ACK", self.target, self._to, 1)]

    def _asked(self, method: str, headers: dict[str, str]) -> list[bytes]:
        if method == "ACK":
            return []
        body = self._sdp() if method == "INVITE" else ""
        lines = ["SIP/2.0 200 OK"]
        lines += [f"{name}: {headers.get(name, '')}" for name in ("Via", "From", "To", "Call-ID")]
        lines += [f"CSeq: {headers.get('CSeq', '')}", f"Contact: <{self._ourselves()}>"]
        if method == "BYE":
            self._end(200)
        return [_message(lines, body)]

    def _end(self, code: int) -> None:
        if self.state is not State.ENDED:
            self.state, self.code = State.ENDED, code

    def _read_media(self, text: str) -> None:
        host = re.search(r"^c=IN IP4 (\S+)", text, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", text, re.MULTILINE)
        if host and port:
            self.media = host[1], int(port[1])

    def _from(self) -> str:
        return f"<sip:{self.number}@{self.host}>"

    def _more(self) -> list[str]:
        """Further headers."""
        return []

    def _ourselves(self) -> str:
        return f"sip:{self.number}@{self.host}:{self.sip_port}"

    def _sdp(self) -> str:
        return (
            f"v=0\r\no=- {self.rtp_port} 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\n"
            f"t=0 0\r\nm=audio {self.rtp_port} RTP/AVP 0 {KEY_TYPE}\r\na=rtpmap:0 PCMU/8000\r\n"
            f"a=rtpmap:{KEY_TYPE} telephone-event/8000\r\na=fmtp:{KEY_TYPE} 0-15\r\n"
            "a=ptime:20\r\na=sendrecv\r\n"
        )

    def _request(
        self, method: str, uri: str, to: str, sequence: int, *, body: str = "", branch: str = ""
    ) -> bytes:
        branch = branch or ("BYE" if method == "BYE" else "INVITE")
        return _message(
            [
                f"{method} {uri} SIP/2.0",
                f"Via: SIP/2.0/UDP {self.host}:{self.sip_port};rport"
                f";branch=z9hG4bK{self.token}{branch}",
                "Max-Forwards: 70",
                f"From: {self._from()};tag={self.token}",
                f"To: {to}",
                f"Call-ID: {self.token}@{self.host}",
                f"CSeq: {sequence} {method}",
                f"Contact: <{self._ourselves()}>",
                f"Allow: {ALLOW}",
                *self._more(),
            ],
            body,
        )


def _message(lines: list[str], body: str) -> bytes:
    if body:
        lines = [*lines, "Content-Type: application/sdp"]
    lines = [*lines, f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


def _address(header: str) -> str:
    found = re.search(r"<([^>]+)>", header)
    return found[1] if found else header.partition(";")[0].strip()
