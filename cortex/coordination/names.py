"""What projects, agents, steps, keys and artifacts may be called. Pure.

Names become tokens of subjects. They are escaped there, so that nothing in them can reach another
subject; what is refused here is what people could not read or type again.
"""

from cortex.coordination.errors import NameRefusedError
from nervous_system.errors import InvalidEventError
from nervous_system.payloads import BROADCAST
from nervous_system.subjects import escape_token

MAX_NAME_BYTES = 400
"""Longest name as a token: four of them make a subject."""
RESERVED = "_"
"""Names that begin so are ours."""


def project_name(text: str) -> str:
    """Return `text` if a project can be called so.

    Raises:
        NameRefusedError: it cannot.
    """
    return _checked("a project", text)


def agent_name(text: str) -> str:
    """Return `text` if an agent can be called so.

    Raises:
        NameRefusedError: it cannot.
    """
    return _checked("an agent", text)


def recipient_name(text: str) -> str:
    """Return `text` if a message can be sent there: an agent, or everybody.

    Raises:
        NameRefusedError: it cannot.
    """
    return text if text == BROADCAST else agent_name(text)


def step_name(text: str) -> str:
    """Return the step that `text` names: lower case, `-` for each dot.

    Raises:
        NameRefusedError: no step can be called so.
    """
    if "/" in text:
        raise NameRefusedError(what="a step", name=text, reason="it holds a slash; use a dash")
    return _checked("a step", text.lower().replace(".", "-"))


def key_name(text: str) -> str:
    """Return `text` if a value can be kept under it: a path of names with dots between them.

    Raises:
        NameRefusedError: it cannot.
    """
    checked = _checked("a value", text)
    if not all(checked.split(".")):
        raise NameRefusedError(what="a value", name=text, reason="nothing stands between two dots")
    return checked


def artifact_name(text: str) -> str:
    """Return `text` if an artifact can be called so.

    Raises:
        NameRefusedError: it cannot.
    """
    return _checked("an artifact", text)


def _checked(what: str, text: str) -> str:
    reason = _reason(text)
    if reason:
        raise NameRefusedError(what=what, name=text, reason=reason)
    return text


def _reason(text: str) -> str:
    if not text:
        return "it is empty"
    if text.startswith(RESERVED):
        return "names that begin with _ are reserved"
    if not text.isprintable() or text != text.strip():
        return "it holds what cannot be seen"
    try:
        size = len(escape_token(text))
    except InvalidEventError as error:
        return error.reason
    return f"{size} bytes as a token, at most {MAX_NAME_BYTES}" if size > MAX_NAME_BYTES else ""
