"""Content parts of a message: the union of what the vendors know, and a door for what only one of them has."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, StrictStr, Tag

OpenMap = dict[str, JsonValue]
"""A JSON object kept exactly as written: 0, null, absent, int and float stay distinct."""

Vendors = dict[StrictStr, OpenMap]
"""What only one vendor has, verbatim: ``{"promptlayer": {...}}``."""

TemplateFormat = Literal["f-string", "jinja2", "mustache", "nunjucks", "none"]


class Strict(BaseModel):
    """Base of every typed object in a prompt file: frozen, and closed against unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class TextPart(Strict):
    type: Literal["text"]
    text: StrictStr
    cache_control: OpenMap | None = None
    vendors: Vendors | None = None


class ThinkingPart(Strict):
    type: Literal["thinking"]
    thinking: StrictStr
    signature: StrictStr | None = None
    vendors: Vendors | None = None


class ImageUrl(Strict):
    url: StrictStr
    detail: StrictStr | None = None
    vendors: Vendors | None = None


class ImagePart(Strict):
    type: Literal["image_url"]
    image_url: ImageUrl
    image_variable: StrictStr | None = None
    vendors: Vendors | None = None


class Media(Strict):
    url: StrictStr
    title: StrictStr | None = None
    type: StrictStr | None = None
    format: StrictStr | None = None
    vendors: Vendors | None = None


class MediaPart(Strict):
    type: Literal["media"]
    media: Media
    vendors: Vendors | None = None


class MediaVariablePart(Strict):
    type: Literal["media_variable"]
    name: StrictStr
    vendors: Vendors | None = None


class File(Strict):
    file_data: StrictStr | None = None
    filename: StrictStr | None = None
    file_id: StrictStr | None = None
    vendors: Vendors | None = None


class FilePart(Strict):
    type: Literal["file"]
    file: File
    vendors: Vendors | None = None


class VendorPart(Strict):
    """A part type that only one vendor has (``code``, ``server_tool_use`` ...): all of it stands under ``vendors``."""

    type: StrictStr
    vendors: Annotated[Vendors, Field(min_length=1)]


PART_TYPES = ("text", "thinking", "image_url", "media", "media_variable", "file")


def _part_kind(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return kind if kind in PART_TYPES else "vendor"


Part = Annotated[
    Annotated[TextPart, Tag("text")]
    | Annotated[ThinkingPart, Tag("thinking")]
    | Annotated[ImagePart, Tag("image_url")]
    | Annotated[MediaPart, Tag("media")]
    | Annotated[MediaVariablePart, Tag("media_variable")]
    | Annotated[FilePart, Tag("file")]
    | Annotated[VendorPart, Tag("vendor")],
    Discriminator(_part_kind),
]


def _content_kind(value: Any) -> str:
    return "text" if isinstance(value, str) else "parts"


Content = Annotated[
    Annotated[StrictStr, Tag("text")] | Annotated[tuple[Part, ...], Tag("parts")],
    Discriminator(_content_kind),
]
"""A plain text, or a list of typed parts."""

__all__ = [
    "PART_TYPES",
    "Content",
    "File",
    "FilePart",
    "ImagePart",
    "ImageUrl",
    "Media",
    "MediaPart",
    "MediaVariablePart",
    "OpenMap",
    "Part",
    "Strict",
    "TemplateFormat",
    "TextPart",
    "ThinkingPart",
    "VendorPart",
    "Vendors",
]
