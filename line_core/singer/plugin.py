"""Base class of tap and target: errors that a user can correct end a run with one line in the log.

The SDK logs a traceback for every error, and its validation messages repeat the values of settings, including secrets.

Settings are validated with jsonschema, which the SDK extends to fill in defaults. Records and messages are validated
with jsonschema-rs, because they are many and it is much faster.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import requests
import simplejson  # type: ignore[import-untyped]  # the SDK reads JSON files with it
from jsonschema import Draft202012Validator
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigurationError, MappingError, SyncError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import PluginBase, SingerCommand
from singer_sdk.typing import extend_validator_with_defaults

from line_core.errors import LineError, SettingError
from line_core.singer.setting_errors import setting_error_from
from line_core.singer.setting_values import convert_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

_EXIT_CODE = 1
_SettingsValidator = extend_validator_with_defaults(Draft202012Validator)


class OneLineCommand(SingerCommand):
    """The SDK's command, except that an error that a user can correct is one line in the log, with its exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run the command. When the next program of the pipe has ended, log it; click would exit silently."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            self._exit("the reader of this program's output has ended")

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's signature
        """Parse the arguments and run the command. An error that a user cannot correct keeps its traceback."""
        try:
            return super().main(*args, **kwargs)
        except Exception as error:
            message = user_message(error)
            if message is None:
                raise
            self._exit(message, error.exit_code if isinstance(error, LineError) else _EXIT_CODE)

    def _exit(self, message: str, code: int = _EXIT_CODE) -> NoReturn:
        self.logger.error(message)
        _close_output()
        sys.exit(code)


class LinePlugin(PluginBase):
    """Mixin for the tap and the target. Name it before `Tap` or `Target` in the list of base classes."""

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the SDK's command as a `OneLineCommand`."""
        command = super().get_singer_command()
        return OneLineCommand(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=cls.logger,
        )

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:  # noqa: ANN401 - the SDK's private class
        """Read the configuration files.

        Raises:
            SettingError: A file cannot be read or is not a JSON object.
        """
        try:
            return super().cb_config(ctx, param, value)
        except OSError as error:
            raise SettingError(f"cannot read the configuration: {error}", setting="--config") from None
        except (ValueError, TypeError) as error:
            reason = error if isinstance(error, simplejson.JSONDecodeError) else "expecting an object of settings"
            raise SettingError(f"the configuration is not a JSON object: {reason}", setting="--config") from None

    @classmethod
    def environment_settings(cls) -> dict[str, Any]:
        """Return the settings that environment variables give.

        Raises:
            SettingError: A variable has the wrong form.
        """
        settings: dict[str, Any] = cls._env_var_config
        return settings

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a property of the class
        try:
            settings: dict[str, Any] = super()._env_var_config
        except ValueError:
            # The SDK's error does not name the setting: parse the variables one by one to find it.
            for name, schema in cls.config_jsonschema["properties"].items():
                try:
                    parse_environment_config({"properties": {name: schema}}, cls._env_var_prefix)
                except ValueError:
                    raise SettingError("the environment variable has the wrong form", setting=name) from None
            raise
        return settings

    def check_settings(self, config: Mapping[str, Any]) -> None:
        """Check what the JSON schema of the settings cannot express. The default checks nothing.

        Raises:
            SettingError: The settings do not fit together.
        """

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        convert_values(self._config, schema)
        if unknown := sorted(set(self._config) - set(schema["properties"])):
            self.logger.warning("These settings are unknown and have no effect: %s", ", ".join(unknown))
        errors = list(_SettingsValidator(schema).iter_errors(self._config))
        if errors and raise_errors:
            raise setting_error_from(errors[0], schema)
        if raise_errors:
            self.check_settings(self._config)
        return [str(setting_error_from(error, schema)) for error in errors]


def user_message(error: Exception) -> str | None:
    """Return the message of an error that a user can correct, or None for a defect, which needs its traceback."""
    match error:
        case LineError():
            return str(error)
        case requests.RequestException():
            return f"LINE is not reachable: {type(error).__name__} (setting: api_url)"
        case simplejson.JSONDecodeError():
            return f"the catalog or state is not JSON: {error}"
        case ConfigurationError() | MappingError() | SyncError():
            return " ".join(str(error).split()) or type(error).__name__
        case _:
            return None


def _close_output() -> None:
    # The rest of the buffer cannot be written to a closed pipe. Without this, Python reports the error again at exit.
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = None  # Python's value for "no output"
