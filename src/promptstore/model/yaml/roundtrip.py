"""Edits by ruamel.yaml's round trip, for texts that splices refuse and that ruamel gives back unchanged."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from promptstore.model.yaml.alignment import align
from promptstore.model.yaml.nodes import same

WIDE = 1 << 30


def round_trip(text: str, new: Mapping[str, Any]) -> str | None:
    """``text`` changed to mean ``new``; None where ruamel would change more than that. The result is not checked."""
    from ruamel.yaml.error import YAMLError

    for indents in ((2, 4, 2), (2, 2, 0), (4, 4, 2), (4, 6, 4)):
        try:
            yaml = _yaml(*indents)
            data = yaml.load(text)
            if data is not None and _dump(yaml, data) == text:
                _update(data, new)
                return _dump(yaml, data)
        except (YAMLError, ValueError, TypeError, AttributeError, IndexError, NotImplementedError):
            return None  # the caller has other ways
    return None


def _yaml(mapping: int, sequence: int, offset: int) -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = WIDE
    yaml.preserve_quotes = True
    yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
    return yaml


def _dump(yaml: Any, data: Any) -> str:
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def _update(old: Any, new: Any) -> None:
    """Make a loaded collection say ``new``, keeping the objects (and so the comments) of what stays."""
    if isinstance(old, dict):
        for name in [name for name in old if name not in new]:
            del old[name]
        for name, value in new.items():
            old[name] = _updated(old[name], value) if name in old else value
        return
    pairs = {j: i for i, j in align(_plain(old), new)}
    kept = [_updated(old[pairs[j]], value) if j in pairs else value for j, value in enumerate(new)]
    old[:] = kept


def _updated(old: Any, new: Any) -> Any:
    if same(_plain(old), new):
        return old
    if (isinstance(old, dict) and isinstance(new, dict)) or (isinstance(old, list) and isinstance(new, list)):
        _update(old, new)
        return old
    return type(old)(new) if isinstance(old, str) and isinstance(new, str) and "\n" not in new else new


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
