"""Keras' "Example:" with `>>>` right below it, for a site of Markdown."""

import re

import griffe

EXAMPLE = re.compile(
    r"^Example:\n\n(>>>.*?)(?=\n\n\w[\w ]*:\n|\Z)", re.M | re.S
)


class Examples(griffe.Extension):
    """Has examples shown as code."""

    def on_object(self, *, obj, **kwargs):
        # Aliases have the docstrings of what they stand for.
        if not obj.is_alias and obj.docstring:
            obj.docstring.value = EXAMPLE.sub(
                r"**Example:**\n\n```pycon\n\1\n```", obj.docstring.value
            )
