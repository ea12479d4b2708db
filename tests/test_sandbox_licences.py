"""Licences of what we depend on: each known, each one that goes with ours."""

from email.message import Message
from pathlib import Path

import pytest

from asterisk_agent.engines import catalogue
from asterisk_agent.sandbox import licences, locks

ROOT = Path(__file__).parent.parent
PACKAGES = locks.read(ROOT, locks.PRODUCT, locks.DEVELOPMENT)


def test_every_package_has_a_licence_that_goes_with_ours():
    assert licences.problems(PACKAGES) == []


def test_every_model_has_a_licence_that_goes_with_ours():
    unfit = [
        model.id
        for model in catalogue.read().models.values()
        if not licences.is_compatible(model.licence)
    ]
    assert unfit == []


def test_nothing_is_stated_of_packages_that_are_not_here():
    assert licences.STATED.keys() <= PACKAGES.keys()


def says(monkeypatch, **headers):
    message = Message()
    for name, values in headers.items():
        for value in [values] if isinstance(values, str) else values:
            message[name.replace("_", "-")] = value
    monkeypatch.setattr(licences, "metadata", lambda _: message)


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ({"License_Expression": "MIT"}, "MIT"),
        ({"License_Expression": "mit"}, "MIT"),
        ({"License": "Apache-2.0"}, "Apache-2.0"),
        ({"License": "All rights reserved"}, None),
        ({"License": "MIT " * 100}, None),
        ({"Classifier": "License :: OSI Approved :: ISC License (ISCL)"}, "ISC"),
        ({"License": "UNKNOWN", "Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, None),
        (
            {
                "Classifier": [
                    "License :: OSI Approved :: MIT License",
                    "License :: Other/Proprietary License",
                ]
            },
            None,
        ),
        ({}, None),
    ],
)
def test_a_licence_is_read_where_it_is_plain(monkeypatch, headers, licence):
    says(monkeypatch, **headers)
    assert licences.licence_of("new-package") == licence


def test_a_new_dependency_is_noticed_whose_licence_is_unknown_or_unfit(monkeypatch):
    says(monkeypatch, License="see the file")
    (problem,) = licences.problems(["new-package"])
    assert problem.startswith("new-package: no licence that could be read. Hint: ")
    says(monkeypatch, License_Expression="GPL-2.0-only")
    assert licences.problems(["new-package"]) == [
        "new-package: GPL-2.0-only does not go with GPL-3.0-or-later"
    ]
    monkeypatch.undo()
    assert "no licence" in licences.problems(["a-package-that-is-not-installed"])[0]


@pytest.mark.parametrize(
    ("expression", "goes"),
    [
        ("MIT AND GPL-2.0-only", False),
        ("MIT OR GPL-2.0-only", True),
        ("(MIT OR SSPL-1.0) AND Apache-2.0", True),
        ("CC-BY-NC-4.0", False),
        ("Apache-2.0 WITH LLVM-exception", False),  # fit, but nothing here needs it known
        ("nonsense", False),
        ("", False),
    ],
)
def test_expressions_are_taken_as_they_are_meant(expression, goes):
    assert licences.is_compatible(expression) is goes
