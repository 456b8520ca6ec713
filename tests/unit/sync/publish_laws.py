"""The publish protocol alone against a bad vendor, bad luck and other people: random stories, each a number.

A story publishes one text, again and again as often as the protocol allows, until it is there. Requests and replies get
lost, requests arrive late (but within the settle window), the process dies, the laptop sleeps, its clock is set back,
others save versions in between, perhaps of the very text, or take them away. Then: no text of ours was made twice, no
version of theirs went unheard, nothing was sent on an old look or a look into the past, and nothing given up too early.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from random import Random
from typing import Any, get_args

from memory_vendor import LENS, Kept, MemoryWorkspace, Record

from promptstore.errors import PromptStoreError, RemoteMissing, RemoteRejected, RemoteUnreachable, WriteInDoubt
from promptstore.model.digest import digest_of
from promptstore.model.prompt_file import PromptFile
from promptstore.sync.journal import UNFINISHED, Intent, Journal, State
from promptstore.sync.publish import Known, Moved, Published, Publisher, Wanted
from promptstore.sync.trees import SeenVersion
from promptstore.vendors.base import Document, Publication, RemoteHead, RemoteVersion
from promptstore.vendors.promptlayer import VENDOR

SETTLE = 90.0
FRESH = 5.0
"""How many seconds a look may be old when something is sent on it."""
RECENT = 10
"""Among how many versions of a prompt that nobody knows a first publish is looked for."""
OLDER = (7, 9)
"""How many versions there are already: the next ones have numbers of two digits, which are objects of their own."""


class Killed(BaseException):
    """The process dies."""


@dataclass
class MemoryFiles:
    """The journal's file; a process that dies while writing leaves a part of the line."""

    random: Random
    calm: bool = False
    content: dict[str, bytes] = field(default_factory=dict)
    spoilt: bool = False

    def spoil(self) -> None:
        """Once, something else overwrites a line, or adds one that is none of ours."""
        lines = self.content.get("journal", b"").splitlines(keepends=True)
        if lines and not self.spoilt:
            at = self.random.randrange(len(lines))
            other = (b"\x00\xff not ours\n", b"[1, 2]\n", lines[at].replace(b'"slug":"p"', b'"slug":7'))
            lines[at] = self.random.choice([*other, lines[at] + b'{"intent":"x","state":"prepared"}\n'])
            self.content["journal"] = b"".join(lines)
            self.spoilt = True

    def read(self, path: str) -> bytes | None:
        return self.content.get(path)

    def ending(self, path: str) -> bytes:
        return self.content.get(path, b"")[-1:]

    def append(self, path: str, data: bytes) -> None:
        torn = not self.calm and self.random.random() < 0.03
        kept = data[: self.random.randrange(len(data))] if torn else data
        self.content[path] = self.content.get(path, b"") + kept
        if torn:
            raise Killed

    def replace(self, path: str, data: bytes) -> None:
        self.content[path] = data

    def remove(self, path: str) -> None:
        self.content.pop(path, None)


def prompt(text: str) -> PromptFile:
    messages = [{"role": "system", "content": text}]
    return PromptFile.model_validate({"template_format": "jinja2", "messages": messages})


def prompt_document(text: str) -> Document:
    return VENDOR.lens.project(prompt(text), "p")


def _text(document: Document) -> str:
    return str(LENS.normalise(document)["prompt_template"]["messages"][0]["content"][0]["text"]).strip()


@dataclass
class Story:
    """One text on its way."""

    random: Random
    now: float = 1000.0
    calm: bool = False
    ours: list[str] = field(default_factory=list)
    """The vendor's versions that our requests made."""
    heard: set[str] = field(default_factory=set)
    """The vendor's versions that the engine knows of."""
    late: list[tuple[float, Publication]] = field(default_factory=list)
    published: Published | None = None
    back: float = 0.0
    """How far our clock was set back."""
    looked: float | None = None
    """When the look began on which the next request is sent."""
    looks: int = 0
    peeks: int = 0
    """Versions of a prompt that nobody knows, read to settle one write."""
    head: str = ""
    """What that look showed as the newest version."""
    ready: bool = False
    """Whether a look that finds nothing new is the last one before something is sent."""
    removed: set[str] = field(default_factory=set)
    """The vendor's versions that somebody took away."""
    sent: dict[str, float] = field(default_factory=dict)
    """When each intent was sent."""
    acknowledged: str | None = None
    """The version that the vendor told us we had made."""

    def __post_init__(self) -> None:
        self.files = MemoryFiles(self.random)
        self.vendor = MemoryWorkspace()
        self.text = "ours "
        self.is_new = self.random.random() < 0.25
        self.keeps_intents = self.random.random() < 0.7
        self.trims = self.keeps_intents and self.random.random() < 0.2
        if self.is_new and self.random.random() < 0.5:
            self.vendor.edit("copy", self.text)
        self.taken = frozenset(self.vendor.prompts)
        unknown = self.vendor.edit("unknown", "theirs") if self.is_new and self.random.random() < 0.3 else None
        self.others = frozenset(self.vendor.prompts)
        if unknown is not None:
            unknown.versions *= RECENT + 2
        if not self.is_new:
            for text in ("one", "two")[: self.random.randint(1, 2)]:
                kept = self.vendor.edit("p", text)
            kept.versions[:0] = kept.versions[:1] * self.random.choice(OLDER)
            self.heard = {*self._numbers()}
        self._send = self.vendor.publish
        self.vendor.publish = self._publish  # type: ignore[method-assign]
        self._look = self.vendor.read
        self.vendor.read = self._read  # type: ignore[method-assign]
        self._find = self.vendor.find
        self.vendor.find = self._found  # type: ignore[method-assign]
        self.vendor.chaos = self._weather

    # --- the vendor and its weather

    def _kept(self) -> Kept | None:
        """The prompt that all is about, under whatever name."""
        return next((kept for kept in self.vendor.prompts.values() if kept.id not in self.others), None)

    def _numbers(self) -> list[str]:
        kept = self._kept()
        return [str(number) for number in range(1, len(kept.versions) + 1)] if kept else []

    def _weather(self, step: str) -> None:
        if self.calm or self.random.random() > 0.15:
            return
        roll = self.random.randrange(7)
        if roll == 0:
            self.now += self.random.choice((FRESH, FRESH + 1, 20))
        elif roll == 6:
            self.back += self.random.choice((FRESH, FRESH + 1, 20))
        elif roll == 1:
            raise Killed
        elif roll == 2 and step != "after publish":
            self._somebody_saves()
        elif roll == 3 and "publish" not in step:
            raise RemoteUnreachable("no answer")

    def _somebody_saves(self) -> None:
        kept = self._kept()
        if kept is None and self.random.random() < 0.5:
            return
        if kept is None or kept.name == "p":
            theirs = f"theirs {self.random.randrange(1000)}"
            for text in self.random.choice([[theirs], [theirs], [theirs, self.text], [self.text], [self.text, theirs]]):
                self.vendor.edit("p", text)

    def clock(self) -> float:
        return self.now - self.back

    def _read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        """Now and then a replica answers that is further behind than what the engine has seen."""
        if version is not None:
            return self._look_at(prompt_id, version)
        newest = max(map(int, self.heard), default=0)
        self._looks()
        stale = newest > 1 and not self.calm and self.random.random() < 0.1
        found = self._look(prompt_id, str(self.random.randrange(1, newest)) if stale else None)
        self.head = found.version
        return found

    def _look_at(self, prompt_id: str, version: str) -> RemoteVersion:
        if prompt_id in self.others:
            self.peeks += 1
            assert self.peeks <= RECENT, "looked through all of a stranger's versions"
            return self._look(prompt_id, version)
        assert version != self.head, "asked for what it had just been shown"
        if version not in self.ours and not self.calm and self.random.random() < 0.05:
            self.removed.add(version)
        if version in self.removed:
            raise RemoteMissing("it was taken away", status=404)
        return self._look(prompt_id, version)

    def _found(self, slug: str, document: Document) -> Any:
        self._looks()
        return self._find(slug, document)

    def _is_past(self) -> bool:
        return self.head != "" and int(self.head) < max(map(int, self.heard), default=0)

    def _looks(self) -> None:
        assert not self.ready or self.looked is None or abs(self.clock() - self.looked) > FRESH, (
            "looked again although it knew"
        )
        self.looked, self.head = self.clock(), ""
        self.looks += 1
        assert self.looks < 1000, "it never stopped looking"

    def _publish(self, publication: Publication) -> Any:
        assert self.looked is not None, "sent without a look"
        assert abs(self.clock() - self.looked) <= FRESH, "sent on an old look"
        assert self.head in {"", *self.heard}, "sent over what it had been shown"
        assert not self._is_past(), "sent on a look into the past"
        self.looked, self.head, self.ready = None, "", False
        self.sent[publication.intent] = self.now
        roll = 9 if self.calm else self.random.randrange(10)
        if roll == 0:
            raise RemoteRejected("no", status=422)
        if roll == 1:
            raise RemoteUnreachable("refused")
        if roll == 2:
            raise WriteInDoubt("lost on the way")
        if roll == 3:
            self.late.append((self.now + self.random.randrange(80), publication))
            raise WriteInDoubt("still on the way")
        receipt = self._arrives(publication)
        if roll in (4, 5):
            raise WriteInDoubt("the answer was lost")
        self.acknowledged = receipt.version
        return receipt

    def _arrives(self, publication: Publication) -> Any:
        if self.random.random() < 0.2 and not self.calm:
            self._somebody_saves()
        kept = self.vendor.by_name("p")
        made = Publication(kept.id if kept else None, "p", publication.document, "", publication.intent)
        chaos, self.vendor.chaos = self.vendor.chaos, lambda _: None
        receipt = self._send(made)
        self.vendor.chaos = chaos
        record = self.vendor.by_name("p").versions[-1]  # type: ignore[union-attr]
        record.intent = publication.intent if self.keeps_intents else None
        if self.trims:
            part = record.document["prompt_template"]["messages"][0]["content"][0]
            part["text"] = part["text"].rstrip()
        self.ours.append(self._numbers()[-1])
        if self.is_new and kept is None and not self.calm and self.random.random() < 0.4:
            self._renamed(self.vendor.prompts[receipt.id])
        return receipt

    def _renamed(self, kept: Kept) -> None:
        """Before anybody has seen it; perhaps edited, too, but not so often that ours is none of the newest."""
        kept.name = "renamed"
        kept.versions += [Record(prompt_document("theirs"), self.vendor.now)] * self.random.choice((0, 1, RECENT - 1))

    # --- a small engine

    def run(self) -> None:
        for turn in range(40):
            self.calm = self.files.calm = turn > 25
            due = [publication for at, publication in self.late if at <= self.now]
            self.late = [(at, publication) for at, publication in self.late if at > self.now]
            for publication in due:
                self._arrives(publication)
            try:
                self._turn()
            except (Killed, PromptStoreError):
                if self.random.random() < 0.1:
                    self.files.spoil()
                self.now += self.random.choice((1, 30, 100))
            if (self.published or self._is_linked()) and not self.late and self.calm:
                return
            self.now += 10
        raise AssertionError("it never came to an end")

    def _turn(self) -> None:
        self.looked, self.head = None, ""
        vendor = replace(VENDOR, capabilities=replace(VENDOR.capabilities, intent=self.keeps_intents))
        publisher = Publisher(
            "acme", vendor, self.vendor, Journal("journal", self.files), self.clock, SETTLE, self._new_id
        )
        publisher.journal.forget_settled(self.now + 1)
        for intent in publisher.journal.intents().values():
            if intent.state in UNFINISHED and not self.published:
                self._note(self._settled(publisher, intent))
        while not self.published and not self._is_linked():
            self.looked, self.ready = None, True
            self._note(publisher.publish(self._wanted()))

    def _is_other(self, head: RemoteHead) -> bool:
        return head.id in self.taken

    def _settled(self, publisher: Publisher, intent: Intent) -> Published | Moved:
        """It is waited for as long as the window is open, and no longer."""
        self.looked, self.ready, self.peeks = None, False, 0
        try:
            result = publisher.settle_one(intent, self._document(), lambda _id: self._known(), self._is_other)
        except WriteInDoubt:
            kept = publisher.journal.intents()[intent.intent]
            assert kept.version or 0 <= self.clock() - kept.at < SETTLE, "waited for too long"
            raise
        waited = self.now - self.sent.get(intent.intent, -SETTLE)
        assert isinstance(result, Published) or waited >= SETTLE, "given up too early"
        assert isinstance(result, Published) or not self._is_past(), "given up on a look into the past"
        return result

    def _is_linked(self) -> bool:
        """Whether the engine has seen its very text there: then it is agreed on, and nothing is sent."""
        kept = self._kept()
        heard = [kept.versions[int(number) - 1] for number in self.heard] if kept else []
        return any(_text(record.document) == self.text.strip() for record in heard)

    def _new_id(self) -> str:
        return f"intent{self.random.randrange(10**9)}"

    def _document(self) -> Document:
        return prompt_document(self.text)

    def _known(self) -> Known:
        return dict.fromkeys(self.heard)

    def _wanted(self) -> Wanted:
        known = self._known()
        kept = self._kept() if self.heard else None
        head = max(self.heard, key=int) if self.heard else None
        return Wanted("p", "blob", self._document(), "", kept.id if kept else None, head, known)

    def _note(self, result: Published | Moved) -> None:
        if isinstance(result, Moved):
            kept = self._kept()  # the engine looks again, and brings in what is there; by another name it is another's
            self.heard |= {*self._numbers()} if kept and kept.name == "p" else set()
            return
        self.published = result
        self.heard |= {result.version.version, *(version.version for version in result.foreign)}

    # --- what must be true at the end

    def _noted(self, told: list[bytes]) -> bool:
        """Whether the process lived long enough to write down which version the vendor said it made."""
        return any(f'"version":"{self.acknowledged}"'.encode() in line and b'"state":"sent"' in line for line in told)

    def judge(self) -> None:
        assert len(self.ours) <= 1, f"made twice: {self.ours}"
        told = self.files.content.get("journal", b"").splitlines()
        assert len(told) == len({*told}), "wrote down what was written already"
        if self.published is None:
            return
        version, numbers = self.published.version, self._numbers()
        assert version.version in numbers
        assert _text(version.document) == self.text.strip()
        beneath = {number for number in numbers if int(number) < int(version.version)}
        unheard = beneath - self.heard - {*self.published.hidden}
        assert not unheard, f"buried: {unheard}"
        assert all(int(foreign.version) < int(version.version) for foreign in self.published.foreign)
        assert {*self.published.hidden} <= beneath & self.removed
        assert not (self.keeps_intents and self.ours) or version.version in self.ours, "took another's for its own"
        surely = self.acknowledged if self.keeps_intents or self._noted(told) else None  # else nothing tells it apart
        assert surely in {None, version.version}, "took another for the version it had made"
        done = [intent for intent in Journal("journal", self.files).intents().values() if intent.state == "done"]
        assert [(intent.version, intent.id) for intent in done] == [(version.version, version.id)]
        assert digest_of(self._document()) == done[0].document
        self._forgets(done[0])

    def _forgets(self, done: Intent) -> None:
        """Nothing is forgotten before it is recorded, nor soon after; then all of it."""
        journal = Journal("journal", self.files)
        journal.forget_settled(self.now + 1)
        assert journal.intents()[done.intent] == done
        for intent in journal.intents().values():
            if intent.state in UNFINISHED:
                journal.move(intent, "recorded", self.now)
        journal.forget_settled(self.now - 1)
        assert journal.intents()[done.intent].state == "recorded"
        journal.forget_settled(self.now)
        assert journal.intents() == Journal("journal", self.files).intents() == {}


# --- the journal alone: what was written is read again, whatever became of the file


STATES = get_args(State)
SPOILT: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("intent", "remote", "slug", "blob", "document"), (None, 7, [])),
    **dict.fromkeys(("expected", "id", "version"), (7, [])),
    "at": ("noon", None),
    "state": ("open", None, 7),
}


def journals(random: Random) -> None:
    files = MemoryFiles(random, calm=True)
    journal, kept = Journal("journal", files), dict[str, Intent]()
    for _ in range(random.randint(1, 6)):
        intent = _some_intent(random, kept)
        kept[intent.intent] = journal.write(intent)
    assert journal.intents() == kept
    assert {each.is_open for each in kept.values() if each.state in {"sent", "unknown"}} <= {True}
    kept = random.choice((_left_alone, _torn, _spoilt, _told_by_a_newer_one))(random, files, kept)
    again = Journal("journal", files)
    assert again.intents() == kept
    before = random.choice((9.0, 10.0, 11.0))
    again.forget_settled(before)
    open_or_late = (
        each.state in UNFINISHED or (each.state == "recorded" and each.at > before) for each in kept.values()
    )
    assert again.intents() == Journal("journal", files).intents() == (kept if any(open_or_late) else {})


def _some_intent(random: Random, kept: dict[str, Intent]) -> Intent:
    perhaps = [random.choice((None, "12")) for _ in range(3)]
    name = random.choice([*kept, f"intent{len(kept)}"])
    state, at = random.choice(STATES), random.choice((9, 10.0, 11.0))
    return Intent(name, "acme", "p", "blob", "digest", perhaps[0], state, at, *perhaps[1:])


def _left_alone(random: Random, files: MemoryFiles, kept: dict[str, Intent]) -> dict[str, Intent]:
    return kept


def _torn(random: Random, files: MemoryFiles, kept: dict[str, Intent]) -> dict[str, Intent]:
    """The machine died while a line was written: it says nothing, and what is written later stands alone."""
    line = json.dumps(asdict(_some_intent(random, {})), separators=(",", ":")).encode()
    files.content["journal"] += line[: random.randrange(1, len(line))]
    if random.random() < 0.5:
        return kept
    intent = replace(_some_intent(random, {}), intent="after")
    Journal("journal", files).write(intent)
    return {**kept, "after": intent}


def _spoilt(random: Random, files: MemoryFiles, kept: dict[str, Intent]) -> dict[str, Intent]:
    """A line that is none of ours, or not any more: whatever was about to be sent may have been sent."""
    row = asdict(_some_intent(random, {}))
    field = random.choice([*SPOILT])
    without = {name: value for name, value in row.items() if name != field}
    row[field] = random.choice(SPOILT[field])
    line = random.choice([json.dumps(row), json.dumps(without), json.dumps(row)[:-2], "[1, 2]", "7", "\x00"]).encode()
    lines = files.content["journal"].splitlines()
    lines.insert(random.randint(0, len(lines)), line)
    files.content["journal"] = b"\n".join([*lines, b""])
    return {name: replace(each, state="sent") if each.state == "prepared" else each for name, each in kept.items()}


def _told_by_a_newer_one(random: Random, files: MemoryFiles, kept: dict[str, Intent]) -> dict[str, Intent]:
    intent = replace(_some_intent(random, {}), intent="newer")
    files.content["journal"] += json.dumps({**asdict(intent), "more": 1}).encode() + b"\n"
    return {**kept, "newer": intent}


def archives(random: Random) -> None:
    """A write of which nobody knows, to a prompt that was put away: it is over when the window is."""
    vendor, document = MemoryWorkspace(), prompt_document("ours")
    kept = vendor.edit("p", "theirs")
    vendor.archive("p")
    journal, asked = Journal("journal", MemoryFiles(random, calm=True)), random.choice((40.0, 1000.0))
    state, version = random.choice(("sent", "unknown")), random.choice((None, "12"))
    intent = Intent("one", "acme", "p", "blob", digest_of(document), "1", state, asked, kept.id, version)
    now = asked + random.choice((0, SETTLE - 1, SETTLE, 2 * SETTLE))
    publisher = Publisher("acme", VENDOR, vendor, journal, lambda: now, SETTLE, lambda: "two")
    try:
        ended = isinstance(publisher.settle_one(journal.write(intent), document, lambda _id: {}), Moved)
    except WriteInDoubt:
        ended = False
    assert ended == (now - asked >= SETTLE)
    assert journal.intents() == {"one": replace(intent, state="failed", at=now) if ended else intent}


def renewals(random: Random) -> None:
    """A write in doubt whose prompt seems to be of the past: only where another has its id, and nothing of ours on it,
    the write is over when the window is."""
    vendor, document = MemoryWorkspace(), prompt_document("ours")
    for text in ("one", "two", "three", "ours"):
        kept = vendor.edit("p", text)
    seen = [SeenVersion("", digest_of(made.document), made.created.isoformat()) for made in kept.versions[:3]]
    known: Known = {str(number): made for number, made in enumerate(seen, 1)}
    fate = random.choice(("anew", "anew", "anew with ours", "an old answer", "all answers are old", "ids are for ever"))
    if fate == "an old answer":
        look, behind = vendor.read, random.choice("12")
        vendor.read = lambda prompt_id, version=None: look(prompt_id, version or behind)  # type: ignore[method-assign]
    else:
        del kept.versions[random.choice((1, 2)) :]
    if fate.startswith("anew"):
        said = random.choice(("one", "anew"))
        kept.versions[:] = [Record(prompt_document(said), vendor.now) for _ in kept.versions]
        known = random.choice((known, {}))
    if fate == "anew with ours":
        mark, said = random.choice(((None, "ours"), ("one", "ours"), ("one", "three")))
        kept.versions[random.randrange(len(kept.versions))] = Record(prompt_document(said), vendor.now, intent=mark)
    expected, version = random.choice((("3", None), ("3", "4"), (None, "4")))
    journal, asked = Journal("journal", MemoryFiles(random, calm=True)), random.choice((40.0, 1000.0))
    state = random.choice(("sent", "unknown"))
    intent = Intent("one", "acme", "p", "blob", digest_of(document), expected, state, asked, kept.id, version)
    now = asked + random.choice((0, SETTLE - 1, SETTLE, 2 * SETTLE))
    reuser = replace(VENDOR, reuses_ids=fate != "ids are for ever")
    publisher = Publisher("acme", reuser, vendor, journal, lambda: now, SETTLE, lambda: "two")
    try:
        ended = isinstance(publisher.settle_one(journal.write(intent), document, lambda _id: known), Moved)
    except (WriteInDoubt, RemoteUnreachable):
        ended = False
    assert ended == (fate == "anew" and now - asked >= SETTLE), fate
    assert journal.intents() == {"one": replace(intent, state="failed", at=now) if ended else intent}


def removals(random: Random) -> None:
    """A write that the vendor acknowledged as a version which it does not show: it is over only where newer ones are
    there, and the window is."""
    vendor, document = MemoryWorkspace(), prompt_document("ours")
    for text in ("one", "ours", "three"):
        kept = vendor.edit("p", text)
    heads = random.choice((["3", "3"], ["3", "3"], ["3", "1"]))  # the second time another replica may answer
    hidden = random.choice((99, 99, 1, 0))  # how often the version is not to be had
    look, shown, misses = vendor.read, iter(heads), iter(range(hidden))

    def read(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if version == "2" and next(misses, None) is not None:
            raise RemoteMissing("it is not there", status=404)
        return look(prompt_id, version or next(shown))

    vendor.read = read  # type: ignore[method-assign]
    journal, asked = Journal("journal", MemoryFiles(random, calm=True)), random.choice((40.0, 1000.0))
    state, expected = random.choice(("sent", "unknown")), random.choice((None, "1"))
    intent = Intent("one", "acme", "p", "blob", digest_of(document), expected, state, asked, kept.id, "2")
    now = asked + random.choice((0, SETTLE - 1, SETTLE, 2 * SETTLE))
    publisher = Publisher("acme", VENDOR, vendor, journal, lambda: now, SETTLE, lambda: "two")
    try:
        result = publisher.settle_one(journal.write(intent), document, lambda _id: {"1": None})
    except WriteInDoubt:
        result = None
    over = hidden == 99 and heads[1] == "3" and now - asked >= SETTLE
    kind = Published if not hidden else Moved if over else type(None)
    assert isinstance(result, kind), (hidden, heads)
    state = {Published: "done", Moved: "failed"}.get(kind, state)
    assert [each.state for each in journal.intents().values()] == [state]


def check(number: int) -> None:
    archives(Random(number))
    removals(Random(number))
    renewals(Random(number))
    for case in range(number * 3, number * 3 + 3):
        journals(Random(case))
    story = Story(Random(number))
    story.run()
    story.judge()
