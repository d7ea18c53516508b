"""Normalization of the text of identifiers: one spelling for all spellings of the same identifier.

Every function is idempotent: its result is its own normalization.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import idna

if TYPE_CHECKING:
    from collections.abc import Callable

WRAPPING = " \t\r\n\f\v\"'`´‘’‚“”„‹›«»<>()[]{}「」『』【】〈〉《》"  # noqa: RUF001
"""Blanks, quotes and brackets."""
_ENDS = ".,;。、"
_MAILTO = "mailto:"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_SIMPLE_EMAIL = re.compile(r"[a-z0-9][a-z0-9._%+-]*@[a-z0-9.-]*[a-z0-9]")
_FULL_STOPS = str.maketrans("。", ".")


def without_invisible_characters(text: str) -> str:
    """Return the text without Unicode format characters (Cf), such as zero-width spaces and the byte order mark."""
    if text.isascii():
        return text
    return "".join(character for character in text if unicodedata.category(character) != "Cf")


def normalized_id(text: str) -> str:
    """Return an `id` in Unicode NFC, without invisible characters and surrounding blanks."""
    if text.isascii():
        return text.strip()
    return _repeated(lambda each: unicodedata.normalize("NFC", without_invisible_characters(each)).strip(), text)


def normalized_email(text: str) -> str | None:
    """Return an email in its normal form, an empty text for a blank one, None if it is not of the form name@domain.

    Lower case; Unicode NFKC; without invisible characters, and without surrounding blanks, quotes and brackets,
    `mailto:` and a final `.` `,` `;`. The domain is in its ASCII form (IDNA 2008, UTS 46). `ß` is not `ss`.
    """
    if _SIMPLE_EMAIL.fullmatch(simple := text.lower()):
        return simple  # nearly all emails
    email = _repeated(_email_step, text)
    if not email:
        return ""
    if not _EMAIL.fullmatch(email):
        return None
    if email.isascii():
        return email
    name, _, domain = email.partition("@")
    domain = domain.translate(_FULL_STOPS)
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        return None
    return f"{name}@{ascii_domain}"


def normalized_line_id(text: str) -> str:
    """Return a LINE ID without surrounding blanks and invisible characters."""
    return without_invisible_characters(text).strip()


def _email_step(text: str) -> str:
    email = text if text.isascii() else unicodedata.normalize("NFKC", without_invisible_characters(text))
    email = email.lower().strip(WRAPPING).removeprefix(_MAILTO).rstrip(_ENDS)
    return email.strip()


def _repeated(step: Callable[[str], str], text: str) -> str:
    """Apply a step until it changes nothing: wrappings can be nested, and one step can make another necessary."""
    while (result := step(text)) != text:
        text = result
    return result
