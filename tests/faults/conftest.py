"""The oracles explain themselves."""

import pytest

pytest.register_assert_rewrite("kill_world")
