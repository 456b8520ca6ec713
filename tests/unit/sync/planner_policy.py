"""The written policy (docs/sync-lifecycle.md, "What is decided") as one small function, made from the laws alone.

It knows nothing of trees, vendors and documents: only texts, what each side did since they were last agreed on, and
what the run may do.
"""

from __future__ import annotations

from dataclasses import replace

from planner_worlds import AT, PLACES, Terms, Text, World, meant, name_of, sent


def decided(world: World, terms: Terms) -> list[str]:
    contents = _contents(world, terms)
    rival = ["held"] if world.rival and terms.push and terms.can("write") and not world.outside else []
    return sorted([*contents, *_tags(world, terms, contents), *rival])


# --- contents


def _contents(world: World, terms: Terms) -> list[str]:
    if world.in_doubt or world.outside:
        return []  # no double publish: nothing is concluded while a write may still arrive
    if world.remote and world.sight == "vanished":
        return ["held"]  # absence needs proof
    if world.invalid:
        return ["held"]
    there = None if world.sight == "gone" else world.remote
    if world.base is None:
        return _never_agreed(world, there, terms)
    if world.remote is None:
        return []  # the vendor was not looked at: nothing follows
    return _agreed(world, there, terms)


def _never_agreed(world: World, there: Text | None, terms: Terms) -> list[str]:
    """Without a base nobody knows who changed what: equal is agreed on, one-sided is copied, different a conflict."""
    here = world.local
    if here is None and there is None:
        return ["agree"] if world.remote else []
    if here is None:
        return ["held"] if world.waiting else _if(terms.pull, f"pull {there}")
    if here == "UNFIT":
        return ["held"] if there or (terms.push and terms.can("write")) else []
    taken = world.blocked or world.stranger == name_of(here) or world.rival or world.runaway
    if there is None and taken and terms.push and terms.can("write"):
        return ["held"]  # something else has the name, or wants it; or it comes back again and again
    if there is not None and world.rival:
        return ["held"]  # whose of the two it is, nobody knows
    if there is None:
        return _published(replace(world, remote=None), here, terms) if terms.push and terms.can("write") else []
    if sent(here) == there:
        return ["agree"]
    if world.waiting:
        return ["held"]
    if sent(here) == "X" and there == "MORE" and terms.pull:
        return ["merge X"] if terms.can("write") else ["agree"]  # nobody's edit is in the way
    return ["conflict"]


def _agreed(world: World, there: Text | None, terms: Terms) -> list[str]:
    here, base = world.local, world.base
    ours, theirs = (meant(here) if there is None else sent(here)) != base, there != base
    if here != base and not world.base_seen:
        return ["held: choose"]  # the branch may simply be behind: an old text is no edit
    if here == "UNFIT" and there is not None:
        return ["held"]
    if world.unmerged == "LOST" and there is not None:
        return _without_what_nobody_can_read(world, there)
    if world.unmerged and (here or there):
        return _with_what_was_published_over(world, there, terms)
    if sent(here) == there:
        return ["agree"] if theirs or world.name_there != world.name_agreed else []
    if world.waiting and (theirs or here is None):
        return ["held"]  # what is not committed yet must not be overtaken
    if ours and theirs:
        return _both(world, there, terms)
    return _theirs_alone(there, terms) if theirs else _ours_alone(world, terms)


def _with_what_was_published_over(world: World, there: Text | None, terms: Terms) -> list[str]:
    """It comes before anything newer, and nobody has seen it yet: any deletion meets an edit."""
    if world.waiting:
        return ["held"]
    if world.local is None or there is None:
        return ["conflict"]
    if world.unmerged_base is None:
        return _if(terms.pull, "merge C", "held") if sent(world.local) == world.unmerged else ["conflict"]
    return _both(replace(world, base=world.unmerged_base), world.unmerged, terms)


def _without_what_nobody_can_read(world: World, there: Text) -> list[str]:
    """It may have been an edit, so nothing goes on before a person says so."""
    if world.waiting:
        return ["held"]
    return ["conflict"] if world.local is None and there != world.base else ["held: choose"]


def _both(world: World, there: Text | None, terms: Terms) -> list[str]:
    if world.local is None or there is None:
        return ["conflict"]  # a deletion never wins over an edit
    merged = merged_text(world.base or "X", world.local, there)
    if merged is None:
        return ["conflict"]
    return [f"merge {merged}"] if terms.pull else ["held"]


def merged_text(*texts: Text) -> Text | None:
    """Place by place: who alone changed it has it; equal changes are one. None where both changed one, differently."""
    made = []
    for base, ours, theirs in zip(*(PLACES[text] for text in texts), strict=True):
        if base not in (ours, theirs) and ours != theirs:
            return None
        made.append(theirs if ours == base else ours)
    return AT[made[0], made[1]]


def _theirs_alone(there: Text | None, terms: Terms) -> list[str]:
    return _if(terms.pull, f"pull {there}" if there else "delete here")


def _ours_alone(world: World, terms: Terms) -> list[str]:
    if not terms.push:
        return []
    if world.local is None:
        return ["delete there"] if terms.can("delete") and terms.allow_delete else ["held"]
    if not terms.can("write") or world.runaway:
        return ["held"]
    name = name_of(world.local)
    if name != world.name_there and (world.stranger == name or not terms.can("rename")):
        return ["held"]
    return _published(world, world.local, terms)


def _published(world: World, here: Text, terms: Terms) -> list[str]:
    """A version that a tag names, between the agreed one and the newest, is sent before the newest."""
    tagged = world.tags[1]
    first = tagged is not None and _is_sent_before(tagged, here, world, terms)
    return [f"publish {tagged}"] * first + [f"publish {here}"]


def _is_sent_before(tagged: Text, here: Text, world: World, terms: Terms) -> bool:
    if world.tag_unmerged or world.tag_outside or not terms.can("tags"):
        return False
    name = world.name_there if world.remote else name_of(here)
    if _is_there(tagged, world) or sent(tagged) == sent(here) or name_of(tagged) not in {name, name_of(here)}:
        return False
    if tagged in {"UNFIT", "BROKEN"}:
        return False
    numbers = world.numbers()
    # An agreed text without a number came beside the branch's line: which texts are newer than it nobody knows.
    agreed = numbers.get(world.base or "X") or numbers.get(world.proof or "X", numbers[here])
    return (agreed if world.base and not terms.republish else 0) < numbers[tagged] < numbers[here]


def _is_there(text: Text, world: World) -> bool:
    """Whether the vendor has a version with this text."""
    return sent(text) in world.vendor_versions() and (world.remote is not None or world.base is not None)


def _if(allowed: bool, what: str, otherwise: str = "") -> list[str]:
    return [what] if allowed else [otherwise] if otherwise else []


# --- tags: the same again, for a name instead of a text


def _tags(world: World, terms: Terms, contents: list[str]) -> list[str]:
    if not terms.can("tags") or world.in_doubt or world.outside or world.tag_outside or "conflict" in contents:
        return []
    if {"held", "held: choose"} & {*contents} and not _is_only_ahead(world):
        return []
    if world.remote and world.sight == "gone" and not any(act.startswith("publish") for act in contents):
        return []  # the prompt is gone there, and its tags with it
    if not _on_both_sides(world, contents):
        return []
    base, here, there = world.tags
    there = None if world.sight == "gone" else there
    if sent(here) == there:
        return _if(there != base and world.base is not None, f"tag agree {there or ''}".strip())
    if there == base:
        if here and world.tag_unmerged:
            return _if(terms.push, "tag held")  # nothing that is not on the branch goes out
        if here is None or _is_there(here, world) or _comes(here, contents):
            return _tag_there(here, terms)
        return _missing_there(world, here, terms, contents)
    if sent(here) == base:
        return _if(terms.pull, _tag_here(there))
    return ["tag conflict"]


def _is_only_ahead(world: World) -> bool:
    """Only the newest text of a prompt is held back: its tags still move among the versions that both sides have."""
    linked = world.base is not None and world.base_seen and world.local is not None and world.remote is not None
    sound = not world.invalid and world.unmerged is None
    return linked and sound and not world.waiting and world.sight == "listed"


def _on_both_sides(world: World, contents: list[str]) -> bool:
    """A tag can stand only where the prompt is, or comes to be in this run."""
    coming = any(act.startswith(("pull", "publish")) for act in contents)
    return (world.local is not None or coming) and (world.remote is not None or coming)


def _comes(text: Text, contents: list[str]) -> bool:
    return f"publish {text}" in contents or (sent(text) == "X" and bool({"publish X", "publish ASIDE"} & {*contents}))


def _tag_here(there: Text | None) -> str:
    if there == "LOST":
        return "tag held"  # nobody knows what it names
    return f"tag here {there}" if there else "untag here"


def _tag_there(here: Text | None, terms: Terms) -> list[str]:
    if not terms.push:
        return []
    if here is None:
        return ["untag there"] if terms.can("untag") else ["tag held"]
    return [f"tag there {here}"]


def _missing_there(world: World, here: Text, terms: Terms, contents: list[str]) -> list[str]:
    """A version older than what is there: published again, and the newest after it, but only if asked to, and only
    where the texts are in sync, since nothing of the vendor's may be buried."""
    if not terms.push:
        return []
    in_sync = not contents and world.remote == world.base
    if terms.republish and in_sync and name_of(here) == world.name_there and here not in {"UNFIT", "BROKEN"}:
        return [f"publish {here}", f"publish {world.local}"]
    return ["tag held"]
