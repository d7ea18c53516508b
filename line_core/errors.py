"""The root of the project's error tree.

Everything a user can cause or mend derives from `LineError`; its text is one line that says what happened and, where a
setting mends it, names that setting. Anything else that escapes a program is a defect and keeps its traceback.
"""

from __future__ import annotations


class LineError(Exception):
    """Something a user can cause or mend; the text is one line for the log."""

    def __init__(self, message: str, *, setting: str | None = None) -> None:
        """Say what happened.

        Args:
            message: What happened, in one line, without secrets.
            setting: The setting that mends it, by name.
        """
        super().__init__(f"{message} (setting: {setting})" if setting else message)
        self.setting = setting


class SettingError(LineError):
    """A setting is missing or wrong."""


class StoreError(LineError):
    """The store cannot be opened, read or written."""

    def __init__(self, message: str) -> None:
        """Say what happened; the setting is always `store_url`."""
        super().__init__(message, setting="store_url")
