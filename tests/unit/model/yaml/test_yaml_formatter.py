"""Formatting: one layout, the same meaning, every comment kept, twice is once."""

from __future__ import annotations

import pytest
from hypothesis import given
from test_yaml_editor import texts

from promptstore.errors import InvalidPrompt
from promptstore.model.yaml.comments import comments
from promptstore.model.yaml.formatter import format_text
from promptstore.model.yaml.nodes import plain, same
from promptstore.model.yaml.reader import read
from promptstore.model.yaml.writer import write

BEFORE = """\
# yaml-language-server: $schema=x
# licence

# about tags
tags: [ # open
  a, # first
  b,
  # tail in flow
] # closed

description: "x"   # eol desc


# the name
name: Foo
model: # which
  # prov
  provider: openai
  parameters: {a: 1, # one
    b: 2}
  # end of model
messages:
# the system
- content: | # hd
    hello

    world

  role: system # r
  # tail of m0

# second
-
  # inner
  role: user
  content: "a\\nb\\n\\n"

- role: user
  content: >-
     folded
     text
tools: []
# footer 1

# footer 2
"""
AFTER = """\
# yaml-language-server: $schema=x
# licence

# the name
name: Foo

description: x # eol desc
# about tags
# closed
tags: # open
  - a # first
  - b
  # tail in flow
model: # which
  # prov
  provider: openai
  parameters:
    a: 1 # one
    b: 2
  # end of model
messages:
  # the system
  - role: system # r
    content: | # hd
      hello

      world
    # tail of m0

  # second
  # inner
  - role: user
    content: |+
      a
      b

  - role: user
    content: folded text
tools: []
# footer 1

# footer 2
"""


def test_the_layout() -> None:
    assert format_text(BEFORE) == AFTER
    assert format_text(AFTER) == AFTER


@pytest.mark.parametrize("wrap", ["\ufeff{}", "---\n{}", "{}...\n"])
def test_marks_and_line_ends_are_made_one(wrap: str) -> None:
    text = wrap.format(AFTER.replace("\n", "\r\n"))
    assert format_text(text) == AFTER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# a\n---\n# b\ncontent: x", "# a\n\n# b\ncontent: x\n"),
        ("{}\n# end", "{}\n# end\n"),
        ("content: x # a # b", "content: x # a # b\n"),
        ("content: # why\n  x # y\n", "# y\ncontent: x # why\n"),
        ("metadata: [ # in\n]\ncontent: x\n", "content: x\nmetadata: [] # in\n"),
        ("metadata: {a: [b, # one\n c], d: e}\n", "metadata:\n  a:\n    - b # one\n    - c\n  d: e\n"),
        ("metadata:\n- # x\n  - # y\n    - a\n", "metadata:\n  # x\n  # y\n  - - [a]\n"),
        (
            "metadata: {a: ~, b: True, c: 0x1F, d: 1e3, e: .5, f: '1'}\n",
            'metadata: {a: null, b: true, c: 31, d: 1000.0, e: 0.5, f: "1"}\n',
        ),
        ("a: 'x # y' # z\n", 'a: "x # y" # z\n'),
        ('a: "x\\n\\n"\n\nb: 1\n', "a: |+\n  x\n\nb: 1\n"),
    ],
)
def test_small_cases(before: str, after: str) -> None:
    assert format_text(before) == after
    assert format_text(after) == after


@given(texts())
def test_meaning_and_comments_stay_and_twice_is_once(text: str) -> None:
    made = format_text(text)
    assert same(plain(read(made)), plain(read(text)))
    unix = text.replace("\r\n", "\n")
    assert comments(made, read(made)) == comments(unix, read(unix))
    assert made.count("#") == unix.count("#")
    assert format_text(made) == made
    assert "\r" not in made
    assert made.endswith("\n")


def test_what_the_writer_writes_is_formatted() -> None:
    text = write(plain(read(BEFORE)))
    assert format_text(text) == text


def test_an_unreadable_text_is_refused() -> None:
    with pytest.raises(InvalidPrompt):
        format_text("a: *b\n")
