"""What Asterisk has loaded, held against what our files say."""

from __future__ import annotations

from asterisk_agent.cli.manager import ManagerSession
from asterisk_agent.dialplan.reading import Lines, read
from asterisk_agent.errors import AsteriskError


async def differences(session: ManagerSession, text: str) -> list[str]:
    """Each line of our contexts, and each global, that is not loaded as ``text`` has it.

    Raises AsteriskError where Asterisk does not tell.
    """
    wanted, variables = read(text)
    found = []
    for name, value in variables.items():
        (answer,) = await session.ask("GetVar", Variable=name)
        if answer.get("value") != value:
            found.append(f"{name} is {answer.get('value', '')!r}, not {value!r}")
    loaded: Lines = {}
    for context in dict.fromkeys(context for context, _, _ in wanted):
        loaded |= await _context(session, context)
    for place in sorted({*wanted, *loaded}):
        has, wants = loaded.get(place), wanted.get(place)
        if has != wants:
            context, extension, priority = place
            where = f"[{context}] {extension},{priority}"
            found.append(f"{where} is {has or 'missing'}, not {wants or 'to be there'}")
    return found


async def _context(session: ManagerSession, context: str) -> Lines:
    try:
        answer = await session.ask("ShowDialPlan", Context=context)
    except AsteriskError as error:
        if "not find" not in str(error):
            raise
        return {}
    lines: Lines = {}
    for event in answer:
        if included := event.get("includecontext"):
            lines[context, "include", included] = "include"
        elif event.get("event") == "ListDialplan":
            place = (context, event.get("extension", ""), event.get("priority", ""))
            step = event.get("application", "")
            if place[2] != "hint":
                label = event.get("extensionlabel", "")
                step = f"{label}:{step}({event.get('appdata', '')})"
            lines[place] = step
    return lines
