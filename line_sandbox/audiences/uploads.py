"""Reads the IDs that a request uploads to an audience.

Source: LINE Messaging API reference, "Create audience for uploading user IDs (by file)".
"""

from __future__ import annotations

import email.parser
import email.policy
from typing import TYPE_CHECKING

from line_core.ids import is_line_id
from line_sandbox.foundation.api_errors import AudienceErrorResponse, UnsupportedMediaType
from line_sandbox.foundation.uuid_format import is_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.http.request import HttpRequest
    from line_sandbox.users.state import Users

_INVALID_FORMAT = "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT"
_FILE_TYPES = ("text/plain", "application/octet-stream")


def resolve_ids(users: Users, ids: Sequence[str], *, is_ifa: bool, max_ids: int) -> tuple[set[int], int]:
    """Look up uploaded IDs.

    Args:
        users: The users that the channel knows.
        ids: User IDs or, with `is_ifa`, advertising identifiers (IFAs).
        is_ifa: Whether the audience contains IFAs.
        max_ids: Maximum number of IDs in a request.

    Returns:
        The numbers of known users, and the number of other IDs.

    Raises:
        AudienceErrorResponse: There are too many IDs, or one has the wrong format.
    """
    if len(ids) > max_ids:
        code = "UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS"
        raise AudienceErrorResponse("too many audience ids", code, "audiences")
    for upload_id in ids:
        if not (is_uuid(upload_id) if is_ifa else is_line_id(upload_id)):
            raise AudienceErrorResponse("Invalid audience id format", _INVALID_FORMAT, "audiences")
    if is_ifa:
        return set(), len(set(ids))
    numbers = [users.number_of(line_id) for line_id in set(ids)]
    known = {number for number in numbers if number is not None}
    return known, len(numbers) - len(known)


def read_upload(request: HttpRequest) -> tuple[dict[str, str], list[str]]:
    """Parse a multipart form with a file of one ID per line.

    Returns:
        The form's other fields, and the IDs.

    Raises:
        AudienceErrorResponse: The file is missing or is not UTF-8 text.
        UnsupportedMediaType: The content type of the request or of the file is wrong.
    """
    content_type = request.header(b"content-type") or ""
    if not content_type.lower().startswith("multipart/form-data"):
        raise UnsupportedMediaType(content_type.partition(";")[0])
    header = f"Content-Type: {content_type}\r\n\r\n".encode()
    form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(header + request.body)
    fields: dict[str, str] = {}
    file: bytes | None = None
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        if name == "file":
            if part.get_content_type() not in _FILE_TYPES:
                raise UnsupportedMediaType(part.get_content_type())
            file = content
        else:
            fields[str(name)] = content.decode("utf-8", "replace").strip()
    if file is None:
        raise AudienceErrorResponse("no valid audience ids", "UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS", "file")
    try:
        ids = file.decode("utf-8-sig").split()
    except UnicodeDecodeError:
        raise AudienceErrorResponse(_INVALID_FORMAT, _INVALID_FORMAT, "file") from None
    return fields, ids
