"""The configuration files of a private Asterisk, as text.

Everything listens on loopback, nothing is loaded that a call to the agent does not need, and a
call from any SIP phone arrives as if from a trunk.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
AMI_USERNAME = "asterisk-agent"

MODULES = """
app_audiosocket app_bridgewait app_chanspy app_db app_dial app_directed_pickup app_echo app_exec
app_milliwatt app_mixmonitor app_originate app_playback app_playtones app_queue app_read app_record
app_sayunixtime app_senddtmf app_softhangup app_stack app_system app_transfer app_userevent
app_verbose app_voicemail app_waitforsilence app_while
bridge_* chan_audiosocket chan_bridge_media chan_pjsip
codec_a_mu codec_alaw codec_g722 codec_resample codec_ulaw
format_gsm format_pcm format_sln format_wav format_wav_gsm
func_* pbx_config pbx_spool
res_agi res_audiosocket res_clioriginate res_convert res_limit
res_manager_devicestate res_musiconhold res_mutestream res_pjproject res_rtp_asterisk
res_sorcery_* res_speech res_timing_timerfd
res_pjsip res_pjsip_acl res_pjsip_authenticator_digest res_pjsip_caller_id res_pjsip_diversion
res_pjsip_dlg_options res_pjsip_dtmf_info res_pjsip_empty_info res_pjsip_endpoint_identifier_*
res_pjsip_header_funcs res_pjsip_logger res_pjsip_messaging res_pjsip_nat
res_pjsip_outbound_authenticator_digest res_pjsip_path res_pjsip_pubsub res_pjsip_refer
res_pjsip_registrar res_pjsip_rfc3326 res_pjsip_sdp_rtp res_pjsip_session
"""
"""What is loaded, as patterns. What a version of Asterisk lacks is left out."""
NEVER = frozenset(
    (
        "func_aes",
        "func_curl",
        "func_odbc",
        "func_realtime",
        "func_speex",
        "func_enum",
        "func_srv",
        "res_sorcery_realtime",
    )
)
EMPTY = (
    "acl.conf",
    "ccss.conf",
    "cel.conf",
    "features.conf",
    "pjproject.conf",
    "queuerules.conf",
    "stasis.conf",
    "udptl.conf",
)

US_TONES = """
[general]
country=us
[us]
description = United States / North America
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
callwaiting = 440/300,0/10000
dialrecall = !350+440/100,!0/100,!350+440/100,!0/100,!350+440/100,!0/100,350+440
record = 1400/500,0/15000
info = !950/330,!1400/330,!1800/330,0
stutter = !350+440/100,!0/100,!350+440/100,!0/100,!350+440/100,!0/100,350+440
"""


@dataclass(frozen=True, slots=True)
class Directories:
    """Where one private Asterisk keeps what it writes, and reads its configuration from."""

    etc: Path
    data: Path
    lib: Path
    spool: Path
    run: Path
    log: Path

    def all(self) -> tuple[Path, ...]:
        """Every one of them."""
        return (self.etc, self.data, self.lib, self.spool, self.run, self.log)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one private Asterisk shall be.

    ``members`` maps the user part of each phone that may register to its password. ``generated``
    is a directory with ``extensions.conf``, ``queues.conf`` and ``voicemail.conf`` to include.
    ``moving_clock``: its clock may be put forward, which may not throw out the phones.
    """

    directories: Directories
    modules: Path
    sip_port: int
    ami_port: int
    ami_secret: str
    members: Mapping[str, str] = field(default_factory=dict)
    generated: Path | None = None
    moving_clock: bool = False


def files(plan: Plan) -> dict[str, str]:
    """Every configuration file by its name."""
    return {
        # Asterisk reports an error for each of these that is missing.
        **dict.fromkeys(EMPTY, ""),
        "asterisk.conf": _asterisk(plan.directories, plan.modules),
        "modules.conf": _modules(plan.modules),
        # A busy machine writes late; with more than its usual 1,000 waiting, lines are thrown away.
        "logger.conf": (
            "[general]\nlogger_queue_limit=100000\n"
            "[logfiles]\nfull => notice,warning,error,verbose,dtmf\n"
        ),
        "pjsip.conf": _pjsip(plan),
        "rtp.conf": "[general]\nrtpstart=10000\nrtpend=19998\nicesupport=no\n",
        "manager.conf": _manager(plan),
        "http.conf": "[general]\nenabled=no\n",
        "cdr.conf": "[general]\nenable=no\n",
        "indications.conf": US_TONES.lstrip(),
        "musiconhold.conf": f"[default]\nmode=files\ndirectory={plan.directories.data / 'moh'}\n",
        "extensions.conf": _extensions(plan),
        "queues.conf": "[general]\npersistentmembers=no\nautofill=yes\n" + _include(plan, "queues"),
        "voicemail.conf": (
            "[general]\nformat=wav\nattach=no\nmailcmd=/bin/true\nmaxsilence=4\n"
            "silencethreshold=128\n" + _include(plan, "voicemail")
        ),
    }


def module_names(directory: Path) -> list[str]:
    """The modules to load, of those that are there."""
    present = sorted(path.stem for path in directory.glob("*.so"))
    return [
        name
        for name in present
        if any(fnmatch.fnmatch(name, pattern) for pattern in MODULES.split()) and name not in NEVER
    ]


def _include(plan: Plan, name: str) -> str:
    if plan.generated is None:
        return ""
    return f'#include "{plan.generated / name}.conf"\n'


def _asterisk(where: Directories, modules: Path) -> str:
    return f"""[directories]
astetcdir => {where.etc}
astmoddir => {modules}
astvarlibdir => {where.lib}
astdbdir => {where.lib}
astkeydir => {where.lib}
astdatadir => {where.data}
astagidir => {where.lib / "agi-bin"}
astspooldir => {where.spool}
astrundir => {where.run}
astlogdir => {where.log}
astcachedir => {where.lib}

[options]
verbose = 3
timestamp = yes
dontwarn = yes
defaultlanguage = en
"""


def _modules(directory: Path) -> str:
    loads = "".join(f"load={name}.so\n" for name in module_names(directory))
    return f"[modules]\nautoload=no\n{loads}"


def _manager(plan: Plan) -> str:
    return f"""[general]
enabled=yes
webenabled=no
bindaddr={HOST}
port={plan.ami_port}

[{AMI_USERNAME}]
secret={plan.ami_secret}
deny=0.0.0.0/0.0.0.0
permit=127.0.0.1/255.255.255.255
read=call,agent,user
write=call,reporting,user,system
"""


ENDPOINT = f"""disallow=all
allow=ulaw,alaw,g722,slin16
direct_media=no
rtp_symmetric=yes
force_rport=yes
bind_rtp_to_media_address=yes
media_address={HOST}
dtmf_mode=rfc4733
"""


def _pjsip(plan: Plan) -> str:
    head = f"""[global]
type=global
user_agent=asterisk-agent sandbox
endpoint_identifier_order=username,anonymous

[loopback]
type=transport
protocol=udp
bind={HOST}:{plan.sip_port}

; Whoever is not a phone of ours is the public network: the call comes in as from a trunk.
[anonymous]
type=endpoint
context=from-trunk
trust_id_inbound=yes
{ENDPOINT}"""
    # Ten years, where a clock that is put forward would end a registration.
    lasting = "minimum_expiration=315360000\nmaximum_expiration=315360000\n"
    aor = lasting if plan.moving_clock else ""
    return head + "".join(_phone(user, word, aor) for user, word in plan.members.items())


def _phone(user: str, password: str, aor: str) -> str:
    return f"""
[{user}]
type=aor
max_contacts=1
remove_existing=yes
{aor}
[{user}]
type=auth
auth_type=userpass
username={user}
password={password}

[{user}]
type=endpoint
context=from-phones
aors={user}
auth={user}
callerid="Phone {user}" <{user}>
rewrite_contact=yes
{ENDPOINT}"""


def _extensions(plan: Plan) -> str:
    entry = "include => asterisk-agent\n" if plan.generated else ""
    stray = "include => asterisk-agent-unknown\n" if plan.generated else ""
    features = "include => agent-features\n" if plan.generated else ""
    dials = "".join(f"exten => {user},1,Dial(PJSIP/{user},30)\n" for user in plan.members)
    return f"""[general]
static=yes
writeprotect=yes

[from-trunk]
{entry}{stray}
[from-phones]
{dials}{entry}{features}
{_include(plan, "extensions")}"""
