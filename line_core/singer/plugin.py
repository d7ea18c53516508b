"""What tap and target share as Singer plugins: an error that a user can mend ends a run as one line.

The SDK prints tracebacks for all errors, and its validation messages repeat the values of settings, secrets included.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import requests
import simplejson  # type: ignore[import-untyped]  # the SDK reads JSON with it; its types are a package of their own
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigurationError, MappingError, SyncError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import JSONSchemaValidator, PluginBase, SingerCommand

from line_core.errors import LineError, SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click
    from jsonschema import ValidationError

_EXIT_CODE = 1
# Their messages name settings only, or quote values that are no secrets.
_HARMLESS_VALIDATORS = ("required", "additionalProperties", "minimum", "maximum", "exclusiveMinimum")


class OneLineCommand(SingerCommand):
    """The SDK's command, whose mendable errors end as one line in the log and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run the command; click itself would end without a word when the next program in the pipe has gone."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            self._end("the reader of this program's output is gone")

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's signature
        """Run the command; anything that is not a user's to mend keeps its traceback."""
        try:
            return super().main(*args, **kwargs)
        except Exception as error:
            line = line_of(error)
            if line is None:
                raise
            self._end(line)

    def _end(self, line: str) -> NoReturn:
        self.logger.error(line)
        _close_output()
        sys.exit(_EXIT_CODE)


class OneLineErrors(PluginBase):
    """Mixin, named before `Tap` or `Target`."""

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command with our way to end."""
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

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a property of the class
        try:
            settings: dict[str, Any] = super()._env_var_config
        except ValueError:
            for name, schema in cls.config_jsonschema["properties"].items():
                try:
                    parse_environment_config({"properties": {name: schema}}, cls._env_var_prefix)
                except ValueError:
                    raise SettingError("the environment variable has the wrong form", setting=name) from None
            raise
        return settings

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        _read_numbers(self._config, schema)
        errors = list(JSONSchemaValidator(schema).iter_errors(self._config))
        if errors and raise_errors:
            raise setting_error_of(errors[0], schema)
        return [str(setting_error_of(error, schema)) for error in errors]


def line_of(error: Exception) -> str | None:
    """The one line to end a run with, None for an error that is a defect rather than a user's to mend."""
    match error:
        case LineError():
            return str(error)
        case requests.RequestException():
            return f"LINE cannot be reached: {type(error).__name__} (setting: api_url)"
        case simplejson.JSONDecodeError():
            return f"the catalog or state is not JSON: {error}"
        case ConfigurationError() | MappingError() | SyncError():
            return " ".join(str(error).split()) or type(error).__name__
        case _:
            return None


def setting_error_of(error: ValidationError, schema: Mapping[str, Any]) -> SettingError:
    """Say which setting is wrong, and how, without repeating a value that may be a secret."""
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required" and not path:
        required: Any = error.validator_value
        given: Any = error.instance
        missing = next(name for name in required if name not in given)
        return SettingError("a setting is missing", setting=missing)
    setting = path[0] if path else None
    secret = bool(setting) and schema.get("properties", {}).get(setting, {}).get("secret", False)
    if error.validator in _HARMLESS_VALIDATORS and not secret:
        reason = error.message
    elif error.validator == "type":
        reason = f"must be of type {_listed(error.validator_value)}"
    elif error.validator == "enum":
        reason = f"must be one of {_listed(error.validator_value)}"
    else:
        reason = "has the wrong form"
    if setting is None:
        return SettingError(f"the configuration is not valid: {reason}")
    return SettingError(f"{'.'.join(path)}: {reason}", setting=setting)


def _listed(choices: object) -> str:
    return " or ".join(str(choice) for choice in choices) if isinstance(choices, list) else str(choices)


def _read_numbers(config: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """Turn numbers that came as text into numbers: an environment variable has no other form."""
    for name, declared in schema.get("properties", {}).items():
        value, types = config.get(name), declared.get("type", ())
        if isinstance(value, str) and "number" in types and "string" not in types:
            try:
                config[name] = float(value)
            except ValueError:
                continue


def _close_output() -> None:
    # Whatever is left in the buffer can't be written to a closed pipe, and Python would say so once more at exit.
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = None  # Python's own way to say that there is no output
