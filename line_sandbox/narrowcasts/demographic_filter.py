"""Checks and evaluates LINE's demographic filter objects.

Source: LINE Messaging API reference, "Demographic filter objects".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from line_sandbox.users.demographics import UserDemographics

    DemographicPredicate = Callable[[UserDemographics], bool]

MAX_FILTERS = 10
"""Maximum number of filter objects in a request, without operators."""


def check_demographic(demographic: dict[str, Any]) -> None:
    """Check the rules of filter objects that the schema does not contain. LINE does not document its error texts.

    Raises:
        InvalidRequest: There are too many filters, or a range is empty.
    """
    filters = list(_filters(demographic, "filter.demographic"))
    if len(filters) > MAX_FILTERS:
        message = f"The number of demographic filters must be {MAX_FILTERS} or less"
        raise InvalidRequest.with_details(Problem("filter.demographic", message))
    for path, part in filters:
        if part["type"] in ("age", "subscriptionPeriod"):
            minimum, limit = _range(part)
            if minimum >= limit:
                raise InvalidRequest.with_details(Problem(f"{path}.gte", "Must be less than lt"))


def _filters(demographic: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and the object of each filter that is not an operator."""
    if demographic["type"] != "operator":
        yield path, demographic
    elif "not" in demographic:
        yield from _filters(demographic["not"], f"{path}.not")
    else:
        name = "and" if "and" in demographic else "or"
        for index, part in enumerate(demographic[name]):
            yield from _filters(part, f"{path}.{name}[{index}]")


def demographic_filter(demographic: dict[str, Any]) -> DemographicPredicate:
    """Return a function that returns whether a user matches a valid filter object."""
    match demographic["type"]:
        case "operator":
            return _operator(demographic)
        case "gender":
            return lambda user: user.gender in demographic["oneOf"]
        case "appType":
            return lambda user: user.app_type in demographic["oneOf"]
        case "area":
            return lambda user: user.area in demographic["oneOf"]
        case "age":
            minimum, limit = _range(demographic)
            return lambda user: user.age is not None and minimum <= user.age < limit
        case _:
            minimum, limit = _range(demographic)
            return lambda user: minimum <= user.friend_days < limit


def _operator(demographic: dict[str, Any]) -> DemographicPredicate:
    if "not" in demographic:
        negated = demographic_filter(demographic["not"])
        return lambda user: not negated(user)
    quantifier = all if "and" in demographic else any
    parts = [demographic_filter(part) for part in demographic.get("and") or demographic["or"]]
    return lambda user: quantifier(part(user) for part in parts)


def _range(demographic: dict[str, Any]) -> tuple[float, float]:
    """Return the numbers in `gte` (included) and `lt` (excluded), which are written as `age_20` or `day_30`."""
    minimum = demographic.get("gte")
    limit = demographic.get("lt")
    return (
        float(minimum.partition("_")[2]) if minimum else 0.0,
        float(limit.partition("_")[2]) if limit else float("inf"),
    )
