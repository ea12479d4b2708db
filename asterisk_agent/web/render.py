"""Templates. Whatever stands in them is escaped, callers' words above all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from asterisk_agent.web import plots, shown

HERE = Path(__file__).parent
STATIC = HERE / "static"


class Renderer:
    """Makes HTML."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(shown.FILTERS)
        self._templates.globals.update(static=static, now=now, plots=plots)

    def page(self, template: str, **values: Any) -> str:
        """A template as text."""
        return self._templates.get_template(template).render(values)

    def call(self, call: Mapping[str, Any]) -> str:
        """What changes of a call under way."""
        return self.page("live_call.html", call=call)


@cache
def static(name: str) -> str:
    """The address of a file that never changes under the same address."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
