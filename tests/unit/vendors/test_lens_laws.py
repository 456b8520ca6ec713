"""The laws that each lens keeps; see ``promptstore.vendors.base.Lens``. Equality is that of the vendor's JSON.

What each lens makes of the cases that people meet is told in its own tests.
"""

from __future__ import annotations

import copy
from pathlib import Path

import basalt_documents
import braintrust_documents
import phoenix_documents
import promptlayer_documents
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from lens_laws import Subject, exactly, projected, quick

import promptstore.vendors
from promptstore.vendors.basalt import lens as basalt
from promptstore.vendors.braintrust import lens as braintrust
from promptstore.vendors.phoenix import lens as phoenix
from promptstore.vendors.promptlayer import lens as promptlayer

prompts = promptlayer_documents.prompts
SUBJECTS = {
    "basalt": Subject(basalt.LENS, basalt_documents.answers, basalt_documents.prompts, basalt_documents.slugs),
    "braintrust": Subject(braintrust.LENS, braintrust_documents.documents, prompts, promptlayer_documents.slugs),
    "phoenix": Subject(
        phoenix.LENS,
        phoenix_documents.documents,
        prompts | phoenix_documents.fitting_prompts,
        phoenix_documents.slugs,
        phoenix_documents.mixed,
    ),
    "promptlayer": Subject(promptlayer.LENS, promptlayer_documents.documents, prompts, promptlayer_documents.slugs),
}
each_vendor = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())


def test_every_vendor_is_tried() -> None:
    folder = Path(promptstore.vendors.__path__[0])
    assert SUBJECTS.keys() == {path.parent.name for path in folder.glob("*/lens")}


@each_vendor
@quick
@given(data=st.data())
def test_normalise_is_idempotent_and_changes_nothing_in_place(subject: Subject, data: st.DataObject) -> None:
    raw = data.draw(subject.documents)
    before = copy.deepcopy(raw)
    normal = subject.lens.normalise(raw)
    assert exactly(raw, before)
    assert exactly(subject.lens.normalise(normal), normal)


@each_vendor
@quick
@given(data=st.data())
def test_a_lifted_document_projects_to_its_normal_form(subject: Subject, data: st.DataObject) -> None:
    lens, raw, slug = subject.lens, data.draw(subject.documents), data.draw(subject.slugs)
    assert exactly(lens.project(lens.lift(raw, slug, None), slug), lens.normalise(raw))


@each_vendor
@quick
@given(data=st.data())
def test_a_document_lifted_onto_an_unrelated_prompt_does_too(subject: Subject, data: st.DataObject) -> None:
    lens, raw, slug = subject.lens, data.draw(subject.documents), data.draw(subject.slugs)
    old = data.draw(subject.prompts)
    assert exactly(lens.project(lens.lift(raw, slug, old), slug), lens.normalise(raw))


@each_vendor
@quick
@given(data=st.data())
def test_a_document_lifted_onto_an_earlier_state_does_too(subject: Subject, data: st.DataObject) -> None:
    lens, slug = subject.lens, data.draw(subject.slugs)
    one, two = data.draw(subject.documents), data.draw(subject.documents)
    raw, old = subject.mixed(one, two, data), lens.lift(two, slug, None)
    assert exactly(lens.project(lens.lift(raw, slug, old), slug), lens.normalise(raw))


@each_vendor
@quick
@given(data=st.data())
def test_a_projected_prompt_is_in_normal_form_and_lifts_back_to_itself(subject: Subject, data: st.DataObject) -> None:
    lens, prompt, slug = subject.lens, data.draw(subject.prompts), data.draw(subject.slugs)
    document = projected(lens, prompt, slug)
    event("representable" if document else "held")
    if document is not None:
        assert exactly(lens.normalise(document), document)
        assert exactly(lens.lift(document, slug, prompt).data(), prompt.data())
