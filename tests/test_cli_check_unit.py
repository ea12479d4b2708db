"""What ``check`` says about the unit: the proof that nothing leaves the machine."""

from asterisk_agent.cli.check_unit import check_unit
from asterisk_agent.cli.findings import Report

GOOD = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "IPAddressDeny": "::/0 0.0.0.0/0",
    "IPAddressAllow": "127.0.0.0/8 ::1/128",
}


def told(**changes):
    report = Report()
    check_unit(report, lambda: GOOD | changes)
    return report


def test_a_unit_that_is_kept_on_this_machine_says_so():
    report = told()
    assert report.checked == [
        "the kernel lets no packet of asterisk-agent.service leave this machine"
    ]
    assert report.warnings == []


def test_other_hosts_are_named():
    report = told(IPAddressAllow="127.0.0.0/8 ::1/128 10.9.8.7/32")
    assert report.checked == [
        "the kernel keeps asterisk-agent.service on this machine and 10.9.8.7/32"
    ]


def test_a_unit_that_may_reach_everything_is_a_warning():
    (finding,) = told(IPAddressDeny="").warnings
    assert finding.problem == "nothing keeps asterisk-agent.service from other machines"
    assert "asterisk-agent install" in finding.hint


def test_a_unit_that_does_not_run_is_a_warning():
    (finding,) = told(ActiveState="failed").warnings
    assert finding.problem == "asterisk-agent.service is failed"
    assert "journalctl" in finding.hint


def test_without_a_unit_nothing_is_said():
    report = told(LoadState="not-found")
    assert (report.checked, report.warnings) == ([], [])


def test_without_systemd_nobody_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("asterisk_agent.cli.check_unit.SYSTEMD_RUNS", tmp_path / "none")
    report = Report()
    check_unit(report)
    assert (report.checked, report.warnings) == ([], [])
