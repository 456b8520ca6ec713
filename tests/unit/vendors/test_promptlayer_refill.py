"""What the local twin answers says the same as the document it was made of."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from promptlayer_documents import documents

from promptstore.model.digest import canonical_json
from promptstore.vendors.promptlayer.lens.normal import normalise
from promptstore.vendors.promptlayer.routes.refill import metadata_answer, refilled


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_the_normal_form_of_an_answer_is_that_of_the_document(document: dict[str, Any]) -> None:
    normal = normalise(document)
    answer = {**normal, "prompt_template": refilled(normal["prompt_template"])}
    answer["metadata"] = metadata_answer(normal.get("metadata", {}))
    assert canonical_json(normalise(answer)) == canonical_json(normal)
