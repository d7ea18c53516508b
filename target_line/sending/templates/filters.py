"""Filters of templates: python-liquid's filters with checked values, limited results, and dates in a time zone.

python-liquid's filters accept every value: null becomes an empty text or 0, and an object becomes its Python text.
Here only `default` accepts null and undefined values, text filters accept what can be printed, and calculations accept
numbers.

Reference of the filters: https://shopify.github.io/liquid/
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, Any

from liquid.filter import flatten, with_context

from target_line.sending.templates.dates import format_date
from target_line.sending.templates.values import (
    MAX_TEXT_LENGTH,
    SafeText,
    TemplateValueError,
    checked,
    describe,
    is_blank,
    number_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from liquid import Environment, RenderContext

    Filter = Callable[..., Any]

_TEXT_FILTERS = {
    *("append", "prepend", "capitalize", "downcase", "upcase", "lstrip", "rstrip", "strip", "squish"),
    *("replace", "replace_first", "replace_last", "remove", "remove_first", "remove_last", "split"),
    *("truncate", "truncatewords", "newline_to_br", "strip_newlines", "strip_html", "escape", "escape_once"),
    *("escapejs", "url_decode", "base64_encode", "base64_decode", "base64_url_safe_encode", "base64_url_safe_decode"),
}
_NUMBER_FILTERS = (
    *("abs", "at_least", "at_most", "ceil", "floor", "round"),
    *("plus", "minus", "times", "divided_by", "modulo"),
)
_LIST_FILTERS = {
    *("first", "last", "size", "reverse", "sort", "sort_natural", "uniq", "compact", "concat"),
    *("where", "reject", "find", "find_index", "has"),
}
_MIN_ARGUMENTS_OF_REPLACE = 2


def add_filters(environment: Environment) -> None:
    """Replace python-liquid's filters in an environment."""
    library = dict(environment.filters)
    environment.filters = {
        **{name: _text_filter(library[name]) for name in _TEXT_FILTERS & library.keys()},
        **{name: _number_filter(library[name]) for name in _NUMBER_FILTERS},
        **{name: _list_filter(library[name]) for name in _LIST_FILTERS & library.keys()},
        **{name: _limited_replace(library[name]) for name in ("replace", "replace_first", "replace_last")},
        "slice": _slice(library["slice"]),
        "default": _default(library["default"]),
        "url_encode": _url_encode(library["url_encode"]),
        "safe": _safe,
        "join": _join,
        "map": _map(library["map"]),
        "sum": _sum(library["sum"]),
        "date": _date,
    }


def _text_filter(library_filter: Filter) -> Filter:
    @wraps(library_filter)
    def text_filter(value: object, *args: object, **kwargs: Any) -> object:
        return checked(library_filter(text_of(value), *map(_text_or_integer, args), **kwargs))

    return text_filter


def _number_filter(library_filter: Filter) -> Filter:
    @wraps(library_filter)
    def number_filter(value: object, *args: object) -> object:
        try:
            return checked(library_filter(number_of(value), *map(number_of, args)))
        except (ArithmeticError, ValueError):
            raise TemplateValueError("the calculation has no result") from None

    return number_filter


def _list_filter(library_filter: Filter) -> Filter:
    @wraps(library_filter)
    def list_filter(value: object, *args: object, **kwargs: Any) -> object:
        for item in (_sequence(value), *args):
            checked(_defined(item))
        return checked(library_filter(value, *args, **kwargs))

    return list_filter


def _slice(library_filter: Filter) -> Filter:
    list_filter = _list_filter(library_filter)

    @wraps(library_filter)
    def slice_(value: object, *args: object) -> object:
        if isinstance(value, Mapping):  # the library would return a part of Python's text of it
            raise TemplateValueError("an object has no order")
        return list_filter(value, *args)

    return slice_


def _limited_replace(library_filter: Filter) -> Filter:
    @wraps(library_filter)
    def replace(value: object, *args: object) -> object:
        text, texts = text_of(value), [text_of(arg) for arg in args]
        if len(texts) >= _MIN_ARGUMENTS_OF_REPLACE:
            found, replacement = texts[:2]
            if len(text) + text.count(found) * len(replacement) > MAX_TEXT_LENGTH + len(found) * text.count(found):
                raise TemplateValueError(f"a text of more than {MAX_TEXT_LENGTH:,} characters")
        return checked(library_filter(text, *texts))

    return replace


def _default(library_filter: Filter) -> Filter:
    @wraps(library_filter)
    def default(value: object, *args: object, **kwargs: object) -> object:
        return checked(library_filter("" if is_blank(value) else value, *args, **kwargs))

    return default


def _url_encode(library_filter: Filter) -> Filter:
    @wraps(library_filter)
    def url_encode(value: object, **kwargs: Any) -> SafeText:
        return SafeText(checked(library_filter(text_of(value), **kwargs)))

    return url_encode


def _safe(value: object) -> SafeText:
    """Mark a text as escaped, so that it is printed as it is."""
    return SafeText(text_of(value))


def _join(value: object, separator: object = " ") -> str:
    sequence = checked(_sequence(value))
    items = flatten(sequence) if isinstance(sequence, list | tuple) else [sequence]
    texts = [text_of(item) for item in (sequence if isinstance(sequence, range) else items)]
    glue = text_of(separator)
    if sum(map(len, texts)) + len(glue) * len(texts) > MAX_TEXT_LENGTH:
        raise TemplateValueError(f"a text of more than {MAX_TEXT_LENGTH:,} characters")
    return glue.join(texts)


def _map(library_filter: Filter) -> Filter:
    @wraps(library_filter)
    def map_(value: object, key: object) -> list[object]:
        checked(_sequence(value))
        # The library returns an object of its own for a missing key.
        return [None if item == None else item for item in library_filter(value, text_of(key))]  # noqa: E711

    return map_


def _sum(library_filter: Filter) -> Filter:
    @wraps(library_filter)
    def sum_(value: object, *args: object) -> object:
        items = flatten(checked(_sequence(value))) if isinstance(value, list | tuple) else [value]
        for key in args:
            items = [item.get(text_of(key)) if isinstance(item, dict) else None for item in items]
        return checked(library_filter([number_of(item) for item in items]))

    return sum_


@with_context
def _date(value: object, date_format: object, *, context: RenderContext) -> str:
    now = context.resolve("now")
    return checked(format_date(_defined(value), checked(text_of(date_format)), now))


def _text_or_integer(value: object) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) else text_of(value)


def _defined(value: object) -> object:
    if describe(value) == "null":
        raise TemplateValueError("null has no text and no items")
    return value


def _sequence(value: object) -> Any:  # noqa: ANN401 - a sequence of any values
    """Return a value that has items or characters."""
    if isinstance(_defined(value), bool | int | float | date):
        raise TemplateValueError(f"{describe(value)} has no items")
    return value
