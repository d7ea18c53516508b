"""The root of the project's error tree.

Every error that a user can cause or fix derives from `LineError`. Any other exception that ends a program is a defect
and keeps its traceback.
"""

from __future__ import annotations

from typing import ClassVar


class LineError(Exception):
    """An error that a user can cause or fix. Its text is one line for the log."""

    exit_code: ClassVar[int] = 1
    """Exit code of a program that the error ends."""

    def __init__(self, message: str, *, setting: str | None = None) -> None:
        """Compose the text.

        Args:
            message: One line, without secrets.
            setting: Name of the setting that fixes the error.
        """
        super().__init__(f"{message} (setting: {setting})" if setting else message)
        self.setting = setting


class SettingError(LineError):
    """A setting is missing or invalid."""


class StoreError(LineError):
    """The store cannot be opened, read or written."""

    def __init__(self, message: str) -> None:
        super().__init__(message, setting="store_url")
