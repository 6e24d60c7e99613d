"""Forms, in which clients send a query and its parameters when these are long; pure."""

from email.message import Message

from infrastructure.history.owner.outcome import BAD_ARGUMENTS, our_error


def form_fields(content_type: str, body: bytes | bytearray) -> dict[str, str] | None:
    """Return the fields of a multipart form by name; None: the body is none.

    Raises:
        EngineError: the form cannot be read, or has files, which would be external tables.
    """
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() != "multipart/form-data":
        return None
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise our_error(BAD_ARGUMENTS, "a form without a boundary")
    edge = b"\r\n--" + boundary.encode()
    fields: dict[str, str] = {}
    # What precedes the first edge belongs to no part, what follows the last one neither.
    for part in (b"\r\n" + bytes(body)).split(edge)[1:]:
        if part.startswith(b"--"):
            return fields
        name, content = _field(part)
        fields[name] = content
    raise our_error(BAD_ARGUMENTS, "a form without an end")


def _field(part: bytes) -> tuple[str, str]:
    head, separator, content = part.partition(b"\r\n\r\n")
    header = Message()
    for line in head.decode(errors="replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            header["Content-Disposition"] = value.strip()
    field = header.get_param("name", header="content-disposition")
    if not separator or not isinstance(field, str):
        raise our_error(BAD_ARGUMENTS, "a part of a form without a name")
    if header.get_filename() is not None:
        raise our_error(BAD_ARGUMENTS, f"external table {field}: not supported")
    return field, content.decode(errors="replace")
