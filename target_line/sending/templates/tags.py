"""Check that the tags of a template are closed and not too long, in one pass.

python-liquid's lexer looks for the end of every tag in the whole rest of the template. For a template of a few thousand
open tags that takes minutes.
"""

from __future__ import annotations

import re

from target_line.sending.templates.values import TemplateValueError

MAX_TEMPLATE_LENGTH = 20_000
"""Characters of one template. LINE's longest text has 5,000."""
MAX_TAG_LENGTH = 5_000
"""Characters of one tag or output."""
_OPENING = re.compile(r"\{[{%]")
_VERBATIM = re.compile(r"\{%-?\s*(raw|doc)\s*-?%\}")
_END_OF_VERBATIM = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("raw", "doc")}
_LONG_BLANK = re.compile(r"\s{200}")


def check_tags(text: str) -> None:
    """Check the tags of a template.

    Raises:
        TemplateValueError: A tag is not closed, or the template or a tag is too long.
    """
    if len(text) > MAX_TEMPLATE_LENGTH:
        raise TemplateValueError(f"a template of more than {MAX_TEMPLATE_LENGTH:,} characters")
    position = 0
    while opening := _OPENING.search(text, position):
        if verbatim := _VERBATIM.match(text, opening.start()):
            name = verbatim[1]
            end_tag = _END_OF_VERBATIM[name].search(text, verbatim.end())
            if not end_tag:
                raise TemplateValueError(f"{{% {name} %}} without {{% end{name} %}}")
            position = end_tag.end()
            continue
        closing = "}}" if opening[0] == "{{" else "%}"
        end = text.find(closing, opening.end())
        if end < 0:
            raise TemplateValueError(f"{opening[0]} without {closing}")
        if end - opening.start() > MAX_TAG_LENGTH or _LONG_BLANK.search(text, opening.start(), end):
            raise TemplateValueError(f"a tag of more than {MAX_TAG_LENGTH:,} characters")
        position = end + len(closing)
