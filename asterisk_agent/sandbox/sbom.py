"""``scripts/sbom``: what this program is made of, as CycloneDX JSON, or its licences as a page.

Python packages with the hashes that are locked, vendored files, and the models of the catalogue.
What a wheel has compiled into it (llama.cpp, espeak-ng, PJSIP, …) is part of that package.
"""

from __future__ import annotations

import argparse
import configparser
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from asterisk_agent.engines import catalogue
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import locks
from asterisk_agent.sandbox.licences import licence_of

OURS = "GPL-3.0-or-later"
VENDORED = (
    ("htmx.org", "asterisk_agent/web/static/htmx.min.js", r'version:"([\d.]+)"', "0BSD", True),
    ("axe-core", "tests/data/axe/axe.min.js", r"axe v([\d.]+)", "MPL-2.0", False),
)
"""Name, file, where the file says its version, licence, whether the service needs it."""
Part = dict[str, Any]


def document(root: Path) -> Part:
    """The bill of materials of the clone at ``root``. Raises SandboxError."""
    product, tests = locks.read(root, locks.PRODUCT), locks.read(root, locks.DEVELOPMENT)
    parts = [
        *_packages(product, needed=True),
        *_packages(tests, needed=False),
        *_vendored(root),
        *_models(),
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _ours(root)},
        "components": parts,
        "dependencies": [*_needs(root, {**product, **tests})],
    }


def _ours(root: Path) -> Part:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string((root / "setup.cfg").read_text(encoding="utf-8"))
    about = parser["metadata"]
    return {
        "type": "application",
        "bom-ref": about["name"],
        "name": about["name"],
        "version": about["version"],
        "licenses": _licences(OURS),
    }


def _licences(expression: str | None) -> list[Part]:
    if expression is None:
        return []
    whole = re.search(r"[ (]", expression)
    return [{"expression": expression} if whole else {"license": {"id": expression}}]


def _packages(entries: locks.Entries, *, needed: bool) -> Iterator[Part]:
    for name, entry in entries.items():
        version = distribution(name).version
        purl = f"pkg:pypi/{name}@{version}"
        yield {
            "type": "library",
            "bom-ref": name,
            "name": name,
            "version": version,
            "scope": "required" if needed else "excluded",
            "purl": purl,
            "licenses": _licences(licence_of(name)),
            "externalReferences": [
                {
                    "type": "distribution",
                    "url": purl,
                    "comment": "any of the files that carry this version",
                    "hashes": _hashes(_of_version(entry, version)),
                }
            ],
        }


def _of_version(entry: str, version: str) -> str:
    """The part of a lock file's entry that is about one version."""
    parts = re.split(r"(?m)^(?=[a-z0-9])", entry)
    return next((part for part in parts if version in locks.pinned(part)), "")


def _hashes(text: str) -> list[Part]:
    return [{"alg": "SHA-256", "content": found} for found in re.findall(r"[0-9a-f]{64}", text)]


def _vendored(root: Path) -> Iterator[Part]:
    for name, file, says, licence, needed in VENDORED:
        path = root / file
        version = re.search(says, path.read_text(encoding="utf-8"))
        yield {
            "type": "library",
            "bom-ref": name,
            "name": name,
            "version": version[1] if version else "",
            "scope": "required" if needed else "excluded",
            "purl": f"pkg:npm/{name}@{version[1] if version else ''}",
            "hashes": _hashes(catalogue.sha256_of(path)),
            "licenses": _licences(licence),
        }


def _models() -> Iterator[Part]:
    """Models are data beside the program, chosen and fetched by the operator: optional."""
    for model in catalogue.read().models.values():
        files: dict[str, catalogue.Entry] = dict(model.files)
        if model.archive is not None:
            files["archive"] = model.archive
        yield {
            "type": "machine-learning-model",
            "bom-ref": f"model:{model.id}",
            "name": model.id,
            "scope": "optional",
            "licenses": _licences(model.licence),
            "components": [
                {
                    "type": "file",
                    "bom-ref": f"model:{model.id}/{name}",
                    "name": name,
                    "hashes": _hashes(entry.sha256),
                }
                for name, entry in files.items()
            ],
        }


def _needs(root: Path, entries: Mapping[str, str]) -> Iterator[Part]:
    """Who needs whom, of the packages that are locked."""
    wanted = locks.requirements(root / "setup.cfg", *locks.PRODUCT_EXTRAS)
    yield {"ref": _ours(root)["bom-ref"], "dependsOn": _known(wanted, entries)}
    for name in entries:
        yield {"ref": name, "dependsOn": _known(distribution(name).requires or (), entries)}


def _known(lines: Sequence[str], entries: Mapping[str, str]) -> list[str]:
    found = (Requirement(line) for line in lines)
    names = (str(canonicalize_name(one.name)) for one in found if _applies(one))
    return sorted({name for name in names if name in entries})


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def page(root: Path) -> str:
    """The licences as a page of documentation."""
    lines = [
        "# Licences",
        "",
        "Of everything that `scripts/setup` installs, as each package states it; written by "
        "`scripts/sbom --licences`. All of them go with GPL-3.0-or-later, under which "
        "asterisk_agent stands; `scripts/check` fails where a package's licence does not, or is "
        "not known. Models are data: the licence is that of their authors.",
    ]
    found = document(root)["components"]
    for title, chosen in (
        ("The service", [part for part in found if part["scope"] == "required"]),
        ("Models", [part for part in found if part["scope"] == "optional"]),
        ("Tests and checks", [part for part in found if part["scope"] == "excluded"]),
    ):
        lines += ["", f"## {title}", "", "| name | licence |", "| --- | --- |"]
        lines += [f"| {part['name']} | {_said(part)} |" for part in chosen]
    return "\n".join(lines) + "\n"


def _said(part: Part) -> str:
    return (
        " ".join(str(one.get("expression") or one["license"]["id"]) for one in part["licenses"])
        or "unknown"
    )


def main(arguments: Sequence[str], root: Path) -> int:
    """Print the bill of materials, or the page of licences."""
    parser = argparse.ArgumentParser(prog="scripts/sbom", description=__doc__)
    parser.add_argument("--licences", action="store_true", help="the licences, as Markdown")
    chosen = parser.parse_args(arguments)
    try:
        text = page(root) if chosen.licences else json.dumps(document(root), indent=1) + "\n"
    except SandboxError as error:
        print(f"sbom: {error.message}", file=sys.stderr)
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parents[2]))
