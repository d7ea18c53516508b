"""Options that several commands of `target-line-admin` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from line_core.store import Store, open_store
from target_line.admin.listings import providers_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_line.target import TargetLine

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="table: for a terminal; jsonl: one JSON object per line, for programs.",
)
config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="JSON file with the settings of target-line. Settings in environment variables take precedence.",
)


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """The options of the command group."""

    store_url: str
    channel: str
    provider: str
    explicit: Mapping[str, str]
    """Those of them that do not have their default value, by name."""

    def open_store(self) -> Store:
        """Open the store.

        Raises:
            StoreError: The store cannot be opened, or there is none.
        """
        return open_store(self.store_url, create=False)

    def provider_of(self, store: Store) -> str:
        """Return the provider: the option; without it, the only one of the store; else the default."""
        if "provider" in self.explicit:
            return self.provider
        providers = providers_in(store)
        return providers[0] if len(providers) == 1 else self.provider

    def target(self, config_path: Path | None) -> TargetLine:
        """Create the target with its settings; explicit options take precedence.

        Raises:
            SettingError: The file cannot be read, or a setting is invalid.
        """
        from target_line.admin.target_config import configured_target  # noqa: PLC0415 - the SDK is slow to import

        return configured_target(config_path, self.explicit)
