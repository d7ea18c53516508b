"""Paths and the templates that match them."""

from __future__ import annotations

from line_core.api.path_templates import PathTemplates, parameter_names


def templates(*paths: str) -> PathTemplates[str]:
    added: PathTemplates[str] = PathTemplates()
    for path in paths:
        added.setdefault(path, path)
    return added


def test_a_literal_segment_takes_precedence_over_a_parameter() -> None:
    menus = templates("/menu/{id}", "/menu/list", "/menu/{id}/content")
    assert menus.match("/menu/list") == ("/menu/list", ())
    assert menus.match("/menu/7") == ("/menu/{id}", ("7",))
    assert menus.match("/menu/list/content") == ("/menu/{id}/content", ("list",))


def test_parameters_are_in_the_order_of_the_path() -> None:
    assert templates("/a/{x}/b/{y}").match("/a/1/b/2") == ("/a/{x}/b/{y}", ("1", "2"))
    assert parameter_names("/a/{x}/b/{y}") == ("x", "y")


def test_a_parameter_is_not_empty_and_a_path_matches_as_a_whole() -> None:
    menus = templates("/menu/{id}")
    for path in ("/menu/", "/menu", "/menu/7/content", "/", ""):
        assert menus.match(path) is None


def test_the_first_value_of_a_template_stays() -> None:
    menus = templates("/menu/{id}")
    assert menus.setdefault("/menu/{menuId}", "other") == "/menu/{id}"
