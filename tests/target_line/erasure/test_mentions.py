"""Which documents name a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from line_core.identity.model import Identifier, IdentifierKind
from target_line.erasure.mentions import Person
from tests.support.people import line_id

AOI = Person(
    {
        Identifier(IdentifierKind.ID, "", "42"),
        Identifier(IdentifierKind.EMAIL, "", "aoi@example.com"),
        Identifier(IdentifierKind.LINE_ID, "default", line_id(1)),
    }
)


@pytest.mark.parametrize(
    "document",
    [
        {"id": 42},
        {"ID": 42, "EMAIL": "x"},
        {"email": "mailto:Aoi@example.com;"},
        {"id": 42.0},
        {"id": " 42 "},
        {"email": " AOI@Example.com"},
        {"email": "\uff41oi\uff20example.com"},
        {"line_id": line_id(1)},
        {"nested": [{"to": [line_id(2), line_id(1)]}]},
        {"attributes": json.dumps({"contact": "Aoi@example.com"})},
        {"aoi@example.com": 1},
        line_id(1),
    ],
)
def test_a_document_names_a_person_however_it_spells_the_identifier(document: Any) -> None:
    assert AOI.is_named_in(document)


@pytest.mark.parametrize(
    "document",
    [
        {"id": "7", "rank": "42", "visits": 42},
        {"id": 420},
        {"id": "7", "email": "aoi@example.co"},
        {"id": "7", "text": "write to aoi@example.com"},
        {"line_id": line_id(2), "text": "[not JSON"},
        {"id": ["42"]},
        {},
    ],
)
def test_a_document_that_has_the_same_value_as_something_else_does_not_name_the_person(document: Any) -> None:
    assert not AOI.is_named_in(document)
