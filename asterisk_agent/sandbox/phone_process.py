"""One SIP phone in a process of its own, moved by JSON lines.

pjsua2 allows one endpoint per process and wants its calls from one thread; ``sandbox.phone`` is
the driver. Commands come on standard input, ``{"id", "do", …}``, and are answered with
``{"reply": id}`` or ``{"reply": id, "error"}``; events are ``{"event", "at", …}``, ``at`` being
CLOCK_MONOTONIC, which all processes of a machine share. Every 20 ms of a call is one ``audio``
event with what was heard and what was said, base64 PCM, empty for silence.

Everything happens on the main thread, except that PJSIP's clock thread asks for and delivers
audio, and that standard input and output have a thread each.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

import pjsua2 as pj

from asterisk_agent.sandbox.phone_audio import FRAME_S, Ear, Message, Mouth, Output
from asterisk_agent.sandbox.processes import put_first
from asterisk_agent.sandbox.sip_text import headers_of, party

GOODBYE_LIMIT_S = 1.0
"""How long the far end has to confirm that the call, or the registration, is over."""


class PhoneCall(pj.Call):  # type: ignore[misc]
    """One call's events."""

    def __init__(self, phone: SipPhone, account: pj.Account, call_id: int) -> None:
        super().__init__(account, call_id)
        self._phone = phone
        self._rang = False

    def onCallState(self, _prm: Any) -> None:
        """Report ringing, connected and disconnected."""
        info = self.getInfo()
        event = self._phone.output.event
        if info.state == pj.PJSIP_INV_STATE_EARLY and info.role == pj.PJSIP_ROLE_UAC:
            if not self._rang:
                event("ringing", code=info.lastStatusCode)
            self._rang = True
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            event("connected")
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            event("disconnected", code=info.lastStatusCode, reason=info.lastReason)
            self._phone.ended(self)

    def onCallMediaState(self, _prm: Any) -> None:
        """Connect mouth and ear to the call's audio, each time it is negotiated."""
        info = self.getInfo()
        for index, media in enumerate(info.media):
            live = media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
            if media.type == pj.PJMEDIA_TYPE_AUDIO and live:
                audio = self.getAudioMedia(index)
                self._phone.ear.startTransmit(audio)
                audio.startTransmit(self._phone.ear)
                early = info.state < pj.PJSIP_INV_STATE_CONNECTING
                self._phone.output.event("media", early=early)

    def onDtmfDigit(self, prm: Any) -> None:
        """Report a key that the far end pressed."""
        self._phone.output.event("dtmf", digit=prm.digit)


class PhoneAccount(pj.Account):  # type: ignore[misc]
    """Registration and incoming calls."""

    def __init__(self, phone: SipPhone) -> None:
        super().__init__()
        self._phone = phone
        self.registers = False
        """Whether the registrar knows us now."""

    def onRegState(self, prm: Any) -> None:
        """Report the registrar's answer."""
        self.registers = self.getInfo().regIsActive
        self._phone.output.event("registered", code=prm.code, reason=prm.reason)

    def onIncomingCall(self, prm: Any) -> None:
        """Ring, or be busy."""
        self._phone.incoming(PhoneCall(self._phone, self, prm.callId), prm.rdata.wholeMsg)


class SipPhone:
    """The phone: one account, at most one call."""

    def __init__(self, settings: Message) -> None:
        self.output = Output()
        self.mouth = Mouth(self.output)
        self._rate_hz = settings["rate_hz"]
        self.endpoint = self._endpoint(settings)
        self.ear = Ear(self._rate_hz, self.mouth, self.output)
        self.account: PhoneAccount | None = None
        self.call: PhoneCall | None = None
        self._finished: list[PhoneCall] = []
        self._auto_answer_s: float | None = None
        self._answer_at: float | None = None

    def _endpoint(self, settings: Message) -> pj.Endpoint:
        endpoint = pj.Endpoint()
        endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.level = 4 if settings["log"] else 0
        config.logConfig.consoleLevel = 0
        config.logConfig.filename = settings["log"]
        config.uaConfig.threadCnt = 0
        config.uaConfig.userAgent = "asterisk-agent test phone"
        config.medConfig.clockRate = self._rate_hz
        config.medConfig.sndClockRate = self._rate_hz
        config.medConfig.audioFramePtime = int(FRAME_S * 1000)
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        config.medConfig.quality = 3
        endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.port = 0
        transport.boundAddress = "127.0.0.1"
        endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        endpoint.libStart()
        endpoint.audDevManager().setNullDev()
        for codec in endpoint.codecEnum2():
            wanted = codec.codecId.rsplit("/", 1)[0] in settings["codecs"]
            endpoint.codecSetPriority(codec.codecId, 255 if wanted else 0)
        return endpoint

    # Commands: the public methods below are called with the fields of a command.

    def identify(self, uri: str, registrar: str, user: str, password: str) -> None:
        """Be ``uri``; register with ``registrar`` unless that is empty."""
        config = pj.AccountConfig()
        config.idUri = uri
        config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
        config.mediaConfig.transportConfig.port = 0
        if registrar:
            config.regConfig.registrarUri = registrar
            config.regConfig.timeoutSec = 300
            config.sipConfig.authCreds.append(
                pj.AuthCredInfo("digest", "*", user, pj.PJSIP_CRED_DATA_PLAIN_PASSWD, password)
            )
        self.account = PhoneAccount(self)
        self.account.create(config, True)

    def dial(self, uri: str, headers: dict[str, str]) -> None:
        """Call ``uri``."""
        if self.call is not None:
            raise RuntimeError("already in a call")
        self.call = PhoneCall(self, self.account, pj.PJSUA_INVALID_ID)
        parameters = pj.CallOpParam(True)
        for name, value in headers.items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            parameters.txOption.headers.append(header)
        try:
            self.call.makeCall(uri, parameters)
        except pj.Error:
            self.call = None
            raise

    def auto_answer(self, after_s: float | None) -> None:
        """Answer calls by itself after so many seconds; None: leave them ringing."""
        self._auto_answer_s = after_s

    def answer(self, code: int) -> None:
        """Answer the ringing call with this status."""
        parameters = pj.CallOpParam()
        parameters.statusCode = code
        self._current().answer(parameters)

    def hangup(self) -> None:
        """End the call."""
        self._current().hangup(pj.CallOpParam())

    def hold(self) -> None:
        """Put the far end on hold."""
        self._current().setHold(pj.CallOpParam())

    def resume(self) -> None:
        """Take the far end back."""
        parameters = pj.CallOpParam(True)
        parameters.opt.flag = pj.PJSUA_CALL_UNHOLD
        self._current().reinvite(parameters)

    def transfer(self, uri: str) -> None:
        """Send the far end to another address (REFER)."""
        self._current().xfer(uri, pj.CallOpParam(True))

    def dtmf(self, digits: str) -> None:
        """Press keys (RFC 4733)."""
        self._current().dialDtmf(digits)

    def play(self, clip: int, pcm: str) -> None:
        """Say base64 PCM behind what is still to be said."""
        self.mouth.add(clip, base64.b64decode(pcm))

    def stop_playing(self) -> None:
        """Fall silent at once."""
        self.mouth.stop()

    # What PJSIP reports.

    def incoming(self, call: PhoneCall, message: str) -> None:
        """Ring for a call; a second one hears busy."""
        parameters = pj.CallOpParam()
        if self.call is not None:
            self._finished.append(call)
            parameters.statusCode = 486
            call.answer(parameters)
            return
        self.call = call
        headers = headers_of(message)
        name, uri = party(headers.get("From", ""))
        parameters.statusCode = 180
        call.answer(parameters)
        if self._auto_answer_s is not None:
            self._answer_at = time.monotonic() + self._auto_answer_s
        self.output.event("incoming", name=name, uri=uri, headers=headers)

    def ended(self, call: PhoneCall) -> None:
        """Let go of a finished call, though not inside its own callback."""
        self._finished.append(call)
        if call is self.call:
            self.call, self._answer_at = None, None
            self.mouth.stop()

    def _current(self) -> PhoneCall:
        if self.call is None:
            raise RuntimeError("no call")
        return self.call

    def turn(self) -> None:
        """Let PJSIP work for up to 10 ms, then answer the phone if it is time."""
        self.endpoint.libHandleEvents(10)
        self._finished.clear()
        if self._answer_at is not None and time.monotonic() >= self._answer_at:
            self._answer_at = None
            if self.call is not None:
                self.answer(200)

    def close(self) -> None:
        """Hang up, unregister, and send what is left to report."""
        self.endpoint.hangupAllCalls()
        if self.account is not None and self.account.registers:
            self.account.setRegistration(False)
        deadline = time.monotonic() + GOODBYE_LIMIT_S
        while time.monotonic() < deadline and self._is_busy():
            self.turn()
        self.call = None
        # Everything was said: PJSIP would wait two seconds more to say it again.
        self.endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)
        self.output.close()

    def _is_busy(self) -> bool:
        return self.call is not None or (self.account is not None and self.account.registers)


def run(phone: SipPhone, commands: SimpleQueue[Message | None]) -> None:
    """Carry out commands until there are no more."""
    actions: dict[str, Callable[..., None]] = {
        name: getattr(phone, name)
        for name in (
            "identify", "dial", "auto_answer", "answer", "hangup", "hold", "resume", "transfer",
            "dtmf", "play", "stop_playing",
        )
    }  # fmt: skip
    while True:
        phone.turn()
        try:
            command = commands.get_nowait()
        except Empty:
            continue
        if command is None:
            return
        number, name = command.pop("id"), command.pop("do")
        try:
            actions[name](**command)
        except pj.Error as error:
            phone.output.send({"reply": number, "error": f"{name}: {error.reason}"})
        except RuntimeError as error:
            phone.output.send({"reply": number, "error": f"{name}: {error}"})
        else:
            phone.output.send({"reply": number})


def main() -> None:
    """Read the settings from the first line, then be a phone until standard input ends."""
    # What this phone records is the measure of the others: it may not itself be late.
    put_first(os.getpid())
    phone = SipPhone(json.loads(sys.stdin.readline()))
    phone.output.event("ready")
    commands: SimpleQueue[Message | None] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            commands.put(json.loads(line))
        commands.put(None)

    threading.Thread(target=read, name="input", daemon=True).start()
    run(phone, commands)
    phone.close()
    # PJSIP's objects must not be collected after their library is gone.
    os._exit(0)


if __name__ == "__main__":
    main()
