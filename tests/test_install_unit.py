"""The unit: what it may reach and write, and that systemd understands it."""

import shutil
import subprocess
from dataclasses import replace

import pytest
from install_site import make_root, site_of

from asterisk_agent.config.schema import Address, Node
from asterisk_agent.errors import InstallError
from asterisk_agent.install.network import HOUSE_NETWORKS, allowed
from asterisk_agent.install.places import Owner
from asterisk_agent.install.unit import unit


@pytest.fixture
def site(tmp_path):
    return site_of(make_root(tmp_path))


def text_of(site, beyond=()):
    return unit(site.config, site.places, site.machine, beyond)


def changed(config, **parts):
    return config.model_copy(update=parts)


def nobody(host):
    raise OSError(f"asked for {host}")


def test_it_reaches_nothing_but_this_machine(site):
    text = text_of(site)
    assert "\nIPAddressDeny=any\nIPAddressAllow=localhost\n" in text
    assert "\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n" in text
    assert allowed(site.config, nobody) == []


def test_it_writes_its_own_folders_alone(site):
    places = site.places
    expected = f"\nReadWritePaths={places.state} {places.config} {places.dialplan}\n"
    assert "\nProtectSystem=strict\n" in text_of(site)
    assert expected in text_of(site)
    elsewhere = changed(
        site.config,
        records=site.config.records.model_copy(update={"database": "sqlite:////srv/calls/c.db"}),
    )
    assert f"{places.dialplan} /srv/calls\n" in unit(elsewhere, places, site.machine, ())


def test_it_runs_as_its_own_user_and_is_watched(site):
    machine = replace(site.machine, service=Owner("asterisk-agent", "asterisk-agent"))
    text = unit(site.config, site.places, machine, ())
    assert "\nUser=asterisk-agent\nGroup=asterisk-agent\n" in text
    assert f" run --supervise --config {site.places.config}\n" in text
    assert "\nType=notify\n" in text
    assert "\nWatchdogSec=" in text


def test_hosts_of_the_configuration_are_let_through(site):
    config = site.config
    llm = config.engines.llm.model_copy(update={"engine": "openai", "url": "http://gpu:8000/v1"})
    config = changed(
        config,
        engines=config.engines.model_copy(update={"llm": llm}),
        records=config.records.model_copy(
            update={"database": "postgresql+psycopg://a:b@10.9.8.7/calls"}
        ),
    )
    found = allowed(config, lambda host: ["192.0.2.5"], "nameserver 192.0.2.53\nsearch x\n")
    assert found == ["192.0.2.5", "192.0.2.53", "10.9.8.7"]
    assert "IPAddressAllow=localhost 192.0.2.5 192.0.2.53 10.9.8.7\n" in text_of(site, found)


def test_the_other_services_and_every_asterisk_are_let_through(site):
    nodes = {
        "left": Node(fastagi=Address("192.0.2.11", 4573), media=Address("192.0.2.11", 9092)),
        "right": Node(fastagi=Address("node-b", 4573), media=Address("192.0.2.13", 9092)),
    }
    config = changed(
        site.config,
        asterisk=site.config.asterisk.model_copy(update={"nodes": nodes}),
        listen=site.config.listen.model_copy(update={"allow": ("192.0.2.0/28", "127.0.0.1/32")}),
    )
    found = allowed(config, lambda host: ["192.0.2.12"], "nameserver 192.0.2.53\n")
    assert found == ["192.0.2.11", "192.0.2.12", "192.0.2.53", "192.0.2.13", "192.0.2.0/28"]


def test_a_console_for_the_house_is_let_through(site):
    web = site.config.listen.model_copy(update={"web": Address("0.0.0.0", 8095)})
    assert allowed(changed(site.config, listen=web), nobody) == list(HOUSE_NETWORKS)


def test_a_host_without_an_address_is_told(site):
    llm = site.config.engines.llm.model_copy(update={"engine": "openai", "url": "http://gpu/v1"})
    config = changed(site.config, engines=site.config.engines.model_copy(update={"llm": llm}))
    with pytest.raises(InstallError, match=r"engines\.llm\.url names gpu, which has no address"):
        allowed(config, nobody)


def test_a_path_that_means_something_else_to_systemd_is_refused(site):
    machine = replace(site.machine, program=("/opt/100%/asterisk-agent",))
    with pytest.raises(InstallError, match="cannot stand in a unit"):
        unit(site.config, site.places, machine, ())


def test_systemd_understands_every_line(site, tmp_path):
    """Where systemd is not installed, its own programs cannot be asked: every key is known then."""
    text = text_of(site)
    keys = {line.partition("=")[0] for line in text.splitlines() if "=" in line and line[0] != "#"}
    assert keys >= {"NoNewPrivileges", "ProtectHome", "PrivateTmp", "CapabilityBoundingSet"}
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    path = tmp_path / "asterisk-agent.service"
    path.write_text(text)
    done = subprocess.run(
        [program, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if str(path) in line]
    assert said == []
