"""The bill of materials, read back by CycloneDX's own library, and the page of licences."""

import json
import re
from pathlib import Path

import pytest
from cyclonedx.model.bom import Bom

from asterisk_agent.engines import catalogue
from asterisk_agent.sandbox import locks, sbom

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def document():
    return sbom.document(ROOT)


def part(document, name):
    (found,) = [part for part in document["components"] if part["name"] == name]
    return found


def test_cyclonedx_reads_it(document):
    read = Bom.from_json(data=json.loads(json.dumps(document)))
    assert len(read.components) == len(document["components"])
    assert read.metadata.component.name == "asterisk-call-agent"
    assert read.validate()


def test_every_locked_package_is_in_it_with_its_hashes(document):
    locked = locks.read(ROOT, locks.PRODUCT, locks.DEVELOPMENT)
    packages = {
        one["name"]: one for one in document["components"] if ":pypi/" in one.get("purl", "")
    }
    assert packages.keys() == locked.keys()
    for name, entry in locked.items():
        (reference,) = packages[name]["externalReferences"]
        hashes = {one["content"] for one in reference["hashes"]}
        assert hashes
        assert hashes <= set(re.findall(r"[0-9a-f]{64}", entry))
        assert packages[name]["licenses"]
    assert part(document, "vosk")["scope"] == "required"
    assert part(document, "pytest")["scope"] == "excluded"


def test_models_and_vendored_files_are_in_it(document):
    for model in catalogue.read().models.values():
        found = part(document, model.id)
        assert found["type"] == "machine-learning-model"
        assert found["licenses"] == [{"license": {"id": model.licence}}]
        hashes = [one["hashes"][0]["content"] for one in found["components"]]
        expected = [entry.sha256 for entry in model.files.values()]
        assert hashes == (expected or [model.archive.sha256])
    htmx = part(document, "htmx.org")
    assert re.fullmatch(r"2\.\d+\.\d+", htmx["version"])
    assert part(document, "axe-core")["version"]


def test_who_needs_whom(document):
    needs = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    assert {"vosk", "psycopg", "uvicorn"} <= set(needs["asterisk-call-agent"])
    assert "markupsafe" in needs["jinja2"]
    assert all(name in needs for names in needs.values() for name in names)


def test_of_two_locked_versions_the_installed_ones_hashes_are_taken():
    entry = "a==1 ; x \\\n    --hash=sha256:00\na==2 ; y \\\n    --hash=sha256:11\n"
    assert "00" not in sbom._of_version(entry, "2")
    assert "11" in sbom._of_version(entry, "2")


def test_the_committed_page_of_licences_is_true():
    told = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    assert told == sbom.page(ROOT), "run: scripts/sbom --licences > docs/licences.md"
