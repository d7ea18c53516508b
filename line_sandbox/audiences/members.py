"""Ids that are uploaded into audiences, as JSON or as a file.

Source: LINE Messaging API reference, "Create audience for uploading user IDs (by file)".
"""

from __future__ import annotations

import email.parser
import email.policy
import re
from typing import TYPE_CHECKING

from line_core.ids import is_line_id
from line_sandbox.foundation.api_errors import AudienceErrorResponse, UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.http.request import HttpRequest
    from line_sandbox.users.state import Users

_INVALID = "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT"
_IFA = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def sort_ids(users: Users, ids: Sequence[str], *, is_ifa: bool, most: int) -> tuple[set[int], int]:
    """Tell people whom the channel knows from other ids.

    Returns:
        The numbers of the people, and how many other ids there are.

    Raises:
        AudienceErrorResponse: There are too many, or one is no id.
    """
    if len(ids) > most:
        raise AudienceErrorResponse("too many audience ids", "UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS", "audiences")
    for one in ids:
        if not (_IFA.match(one) if is_ifa else is_line_id(one)):
            raise AudienceErrorResponse("Invalid audience id format", _INVALID, "audiences")
    if is_ifa:
        return set(), len(set(ids))
    numbers = [users.number_of(one) for one in set(ids)]
    people = {number for number in numbers if number is not None}
    return people, len(numbers) - len(people)


def read_file(request: HttpRequest) -> tuple[dict[str, str], list[str]]:
    """The fields of a multipart form, and the ids in its file, one a line.

    Raises:
        AudienceErrorResponse: There is no file, or it is not text.
        UnsupportedMediaType: It is another kind of request, or of file.
    """
    content_type = request.header(b"content-type") or ""
    if not content_type.lower().startswith("multipart/form-data"):
        raise UnsupportedMediaType(content_type.partition(";")[0])
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    fields: dict[str, str] = {}
    file: bytes | None = None
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        if name == "file":
            if part.get_content_type() not in ("text/plain", "application/octet-stream"):
                raise UnsupportedMediaType(part.get_content_type())
            file = content
        else:
            fields[str(name)] = content.decode("utf-8", "replace").strip()
    if file is None:
        raise AudienceErrorResponse("no valid audience ids", "UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS", "file")
    try:
        lines = file.decode("utf-8-sig").split()
    except UnicodeDecodeError:
        raise AudienceErrorResponse(_INVALID, _INVALID, "file") from None
    return fields, lines
