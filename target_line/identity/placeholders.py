"""Placeholders: values that stand for a missing id or email. They would merge strangers into one person."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from target_line.identity.normalization import WRAPPING, without_invisible_characters

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACEHOLDER_WORDS = (
    *("null", "none", "nil", "nan", "na", "n/a", "void", "undefined", "unknown", "unset", "not set", "empty", "blank"),
    *("missing", "unspecified", "not specified", "not available", "not applicable", "not provided", "not found"),
    *("invalid", "error", "tbd", "tba", "todo", "true", "false", "[object Object]", "not_authenticated"),
    *("unauthenticated", "unidentified", "unassigned", "anonymous", "anonymized", "anonymised", "deleted", "removed"),
    *("redacted", "guest", "dummy", "sample", "test", "testing", "asdf", "qwerty", "no name", "no user"),
    *("no id", "no email", "no mail", "id", "email", "line_id", "user_id", "customer_id", "distinct_id"),
    *("未設定", "未登録", "未入力", "未記入", "未定", "不明", "なし", "無し", "無", "該当なし", "該当無し", "匿名"),
    *("ゲスト", "テスト", "ダミー", "名無し", "削除済み", "退会済み", "未知", "无", "未設置", "未设置", "不詳", "訪客"),
    *("ไม่มี", "ไม่ระบุ", "ไม่ทราบ", "tidak ada", "tidak diketahui"),
    *("nulo", "nenhum", "desconhecido", "indefinido", "vazio", "anônimo", "convidado", "teste", "não informado"),
    *("test@test.com", "test@example.com", "none@none.com", "no@email.com", "noemail@noemail.com", "a@a.com"),
)
"""The default of the setting `junk_identifiers`."""

_NOT_WORD = re.compile(r"[\W_]+")
_DIGIT = re.compile(r"\d")
# \N is the null of MySQL and PostgreSQL dumps, -1 that of programs, and the words after # are errors of spreadsheets.
_EXACT = re.compile(r"\\n|#(n/a|ref!|value!|name\?|div/0!|num!|null!|getting_data)|x{2,}")
_MINUS_ONE = re.compile(r"-1(\.0*)?")
_NONZERO_DIGIT = re.compile("[1-9]")
_ZEROS = re.compile(r"(urnuuid)?(0x)?0+|f{32}")
_UNATTENDED = ("noreply", "donotreply")
_MAX_LABELS = 1000
"""Domains whose result is remembered."""
_ONE_LETTER = re.compile(r"(.)\1*@\1+(\..*)?")


class Placeholders:
    r"""The words of the setting `junk_identifiers`, and built-in patterns.

    Values are compared after Unicode NFKC, without case, and without surrounding quotes, brackets and blanks. In values
    without digits, punctuation does not count either: `N.A.` is `n/a`, and `c-1` is not `c1`.

    The patterns: nothing but punctuation; nothing but zeros and punctuation (also as a UUID) and the UUID of 32 f;
    `-1`, `\\N`, `xxx`, errors of spreadsheets such as `#REF!`; emails with a placeholder as name and as domain, with
    any ending; emails of one repeated letter (`x@x.com`); `noreply@`, `no-reply@` and `donotreply@` of any domain.
    """

    def __init__(self, words: Iterable[str] = PLACEHOLDER_WORDS) -> None:
        self._exact: set[str] = set()
        self._words: set[str] = set()
        self._labels: dict[str, bool] = {}
        for word in words:
            text = _folded(word)
            self._exact.add(text)
            if not _DIGIT.search(text) and "@" not in text:
                self._words.add(_letters(text))
        self._words.discard("")

    def match(self, value: str) -> bool:
        """Return whether a text is a placeholder. It may be an email."""
        text = value.casefold() if value[:1].isalnum() and value[-1:].isalnum() and value.isascii() else _folded(value)
        if text in self._exact:
            return True
        name, _, domain = text.partition("@")
        if domain and name:
            return self._matches_email(name, domain)
        if _NONZERO_DIGIT.search(text):  # nearly all ids
            return text.startswith("-1") and _MINUS_ONE.fullmatch(text) is not None
        return _EXACT.fullmatch(text) is not None or self._matches_word(text)

    def _matches_word(self, text: str) -> bool:
        letters = _letters(text)
        return not letters or letters in self._words or _ZEROS.fullmatch(letters) is not None

    def _matches_email(self, name: str, domain: str) -> bool:
        if name[0] == domain[0] and _ONE_LETTER.fullmatch(f"{name}@{domain}"):
            return True
        label = domain.partition(".")[0]
        matches = self._labels.get(label)
        if matches is None:
            matches = self._matches_word(label)
            if len(self._labels) < _MAX_LABELS:
                self._labels[label] = matches
        if matches and self._matches_word(name):
            return True
        return name[0] in "nd" and _letters(name.partition("+")[0]) in _UNATTENDED


def _folded(value: str) -> str:
    text = value if value.isascii() else unicodedata.normalize("NFKC", without_invisible_characters(value))
    return text.casefold().strip(WRAPPING)


def _letters(text: str) -> str:
    return _NOT_WORD.sub("", text)
