"""A keyring in a file, for tests: the file's name stands in FILE_KEYRING."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class Keyring(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        content = {**self._read(), f"{service}/{username}": password}
        self._file().write_text(json.dumps(content))

    def delete_password(self, service: str, username: str) -> None:
        content = self._read()
        content.pop(f"{service}/{username}")
        self._file().write_text(json.dumps(content))

    def _file(self) -> Path:
        return Path(os.environ["FILE_KEYRING"])

    def _read(self) -> dict[str, str]:
        return json.loads(self._file().read_text()) if self._file().exists() else {}
