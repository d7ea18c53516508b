"""Convert errors of jsonschema about settings into messages without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema import ValidationError

# The messages of these keywords contain names of settings, or numbers that are no secrets.
_SAFE_KEYWORDS = ("required", "additionalProperties", "minimum", "maximum", "exclusiveMinimum")


def setting_error_from(error: ValidationError, schema: Mapping[str, Any]) -> SettingError:
    """Return a `SettingError` that names the setting and the reason, but not a value that may be a secret."""
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required" and not path:
        required: Any = error.validator_value
        given: Any = error.instance
        missing = next(name for name in required if name not in given)
        return SettingError("a setting is missing", setting=missing)
    setting = path[0] if path else None
    is_secret = bool(setting) and schema.get("properties", {}).get(setting, {}).get("secret", False)
    if error.validator in _SAFE_KEYWORDS and not is_secret:
        reason = error.message
    elif error.validator == "type":
        reason = f"must be of type {_alternatives(error.validator_value)}"
    elif error.validator == "enum":
        reason = f"must be one of {_alternatives(error.validator_value)}"
    else:
        reason = "has the wrong form"
    if setting is None:
        return SettingError(f"the configuration is not valid: {reason}")
    return SettingError(f"{'.'.join(path)}: {reason}", setting=setting)


def _alternatives(values: object) -> str:
    return " or ".join(str(value) for value in values) if isinstance(values, list) else str(values)
