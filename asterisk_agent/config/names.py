"""Names that people choose and Asterisk reads: ids, numbers, devices, contexts, addresses.

Whatever reaches a generated Asterisk file is held to a narrow alphabet here, and nowhere else.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from asterisk_agent.config.scalars import matching, unexpected

_PUNCTUATION = re.compile(r"[\s().\-/]")

Id = Annotated[
    str,
    matching(
        r"[a-z][a-z0-9-]{0,30}",
        "an id of up to 31 lower-case letters, digits and hyphens that begins with a letter",
    ),
]
TeamId = Annotated[
    Id,
    # h, t, i, … are extensions with a meaning of their own, and teams become extensions.
    matching(r".*[a-z0-9].*[a-z0-9].*", "an id of more than one letter"),
]
Label = Annotated[
    str,
    matching(
        r"[^\W_](?:[\w .&/+-]{0,58}[\w.])?",
        "up to 60 letters, digits, spaces and . & / + - _ that begin with a letter or digit",
    ),
]
Number = Annotated[
    str,
    matching(
        r"\+?[0-9]{1,20}",
        "a phone number of up to 20 digits, with or without + in front",
        lambda text: f"write {_PUNCTUATION.sub('', text)}" if _PUNCTUATION.search(text) else "",
    ),
]
Extension = Annotated[str, matching(r"[0-9*#]{1,20}", "an extension such as 600")]
Member = Annotated[
    str,
    matching(
        r"[A-Za-z][A-Za-z0-9]{1,15}/[A-Za-z0-9][A-Za-z0-9_.+@/-]{0,79}",
        "a device such as PJSIP/101",
        lambda text: f"write PJSIP/{text}" if re.fullmatch(r"[A-Za-z0-9]+", text) else "",
    ),
]
MailboxNumber = Annotated[str, matching(r"[0-9]{1,20}", "a mailbox of up to 20 digits")]
Email = Annotated[
    str,
    matching(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}", "an address such as a@example.com"),
]
Context = Annotated[str, matching(r"[A-Za-z0-9_-]{1,79}", "a dialplan context such as ext-queues")]
TargetExtension = Annotated[str, matching(r"[A-Za-z0-9*#+]{1,40}", "an extension such as 610")]
Sound = Annotated[
    str,
    matching(
        r"/?[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*",
        "a sound file without its ending, such as custom/closed",
        lambda text: f"write {text.rpartition('.')[0]}" if re.search(r"\w\.\w+$", text) else "",
    ),
]
Topic = Annotated[
    str,
    matching(
        r"(?!.*\.\.)[^\W][\w .-]*(?:/[^\W][\w .-]*)*",
        "a folder or file under knowledge/, such as company",
    ),
]
Language = Annotated[
    str, matching(r"[a-z]{2,3}(?:-[A-Z]{2})?", "a language code such as en or en-GB")
]
ModelName = Annotated[
    str, matching(r"[\w./~+ -]{1,255}", "a name from the catalogue of models, or a path")
]
UserName = Annotated[str, matching(r"[A-Za-z0-9_.-]{1,64}", "a name of letters, digits, . _ and -")]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. ``str()`` gives back what is written: ``127.0.0.1:4573``, ``[::1]:4573``."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine gets there."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def endpoint(value: object) -> Address:
    """An address as written. Raises PydanticCustomError."""
    if isinstance(value, Address):
        return value
    written = re.fullmatch(r"(.+):([0-9]{1,5})", value) if isinstance(value, str) else None
    if not written or not 1 <= int(written[2]) <= 65535:
        raise unexpected("an address and port such as 127.0.0.1:4573", value)
    return Address(_host(written[1].removeprefix("[").removesuffix("]")), int(written[2]))


def _host(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", name):
            return name
        raise unexpected("an IP address or a host name", name) from None


Host = Annotated[str, AfterValidator(_host)]
Endpoint = Annotated[Address, BeforeValidator(endpoint)]


def _network(value: object) -> str:
    """An address or a network of addresses as Python writes it. Raises PydanticCustomError."""
    try:
        return str(ipaddress.ip_network(str(value)))
    except ValueError:
        raise unexpected("an IP address, or a network such as 10.0.0.0/24", value) from None


Network = Annotated[str, BeforeValidator(_network)]
