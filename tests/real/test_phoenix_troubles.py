"""Lost answers, a spoiled network, a server that dies in the middle: nothing is lost and nothing published twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from proxy import DROP_REPLY, DROP_REQUEST, NONE, Asked, Fault, FaultyProxy, Reply, chaos, error_after
from real_phoenix import PhoenixClient, RunningPhoenix, Team

from promptstore.cli.phoenix_server import PhoenixServer

pytestmark = pytest.mark.real
Make = Callable[..., Team]

LATER = (0, 1, 3, 75)


def until_quiet(one: Team, tries: int = 12) -> None:
    """Sync until a run does nothing and is content, as a daemon does; waits for writes in doubt to settle."""
    for _ in range(tries):
        done = one.run("sync", expect=LATER)
        if not done.get("actions") and not done.get("errors"):
            return
        time.sleep(1.1)
    raise AssertionError("never quiet")


def test_a_publish_whose_answer_is_lost_is_found_and_not_repeated(phoenix: PhoenixServer, team: Make) -> None:
    with FaultyProxy(phoenix.url) as proxy:
        one = team(proxy.url)
        proxy.next(DROP_REPLY, "POST", "/v1/prompts")
        one.write("lost", "one")
        until_quiet(one)
        assert one.versions("lost") == ["one"]
        one.write("lost", "two")
        proxy.next(error_after(502), "POST", "/versions")
        until_quiet(one)
        assert one.versions("lost") == ["one", "two"]
        assert len(proxy.writes()) == 2


def test_a_description_whose_answer_is_lost_is_looked_up(phoenix: PhoenixServer, team: Make) -> None:
    with FaultyProxy(phoenix.url) as proxy:
        one = team(proxy.url)
        one.write("described", "one")
        one.sync()
        one.write("described", "two", "description: Says two.\n")
        proxy.next(DROP_REPLY, "PATCH")
        one.sync()
        one.write("described", "three", "description: Says three.\n")
        proxy.next(DROP_REQUEST, "PATCH")
        one.sync(expect=(75,))
        assert one.versions("described") == ["one", "two"]
        until_quiet(one)
        assert one.versions("described") == ["one", "two", "three"]


def test_a_tag_whose_answer_is_lost_is_there(phoenix: PhoenixServer, team: Make) -> None:
    with FaultyProxy(phoenix.url) as proxy:
        one = team(proxy.url)
        one.write("tagged", "one")
        one.run("tag", f"{one.prefix}/tagged", "production")
        proxy.next(DROP_REPLY, "POST", "/tags")
        one.sync(expect=LATER)
        until_quiet(one)
        two = team()
        two.sync()
        assert two.text("tagged", "@production") == "one"


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.thorough)])
def test_in_a_network_that_loses_a_third_every_prompt_arrives_once(
    phoenix: PhoenixServer, team: Make, seed: int
) -> None:
    texts = {f"p{number:02}": f"text {number}" for number in range(12)}
    dice = random.Random(seed)
    with FaultyProxy(phoenix.url) as proxy:
        one = team(proxy.url)
        one.write_all(texts)
        spoiled = chaos(dice, 0.33, DROP_REQUEST, DROP_REPLY, error_after(502))
        proxy.rule = lambda asked: spoiled(asked) if asked.writes else NONE
        for _ in range(3):
            one.run("sync", expect=LATER)
            time.sleep(1.1)
        proxy.heal()
        until_quiet(one)
    assert {name: one.versions(name) for name in texts} == {name: [text] for name, text in texts.items()}


@pytest.mark.usefixtures("hasty")
def test_a_server_killed_in_the_middle_of_a_sync_loses_nothing(
    phoenix: PhoenixServer | RunningPhoenix, client: PhoenixClient, team: Make
) -> None:
    if isinstance(phoenix, RunningPhoenix):
        pytest.skip("the server is somebody else's")
    texts = {f"p{number:02}": f"text {number}" for number in range(20)}
    with FaultyProxy(phoenix.url) as proxy:
        one = team(proxy.url)
        by_hand = f"{one.prefix}--by-hand"
        client.run(phoenix.url, "create(name, 'by hand')", name=by_hand)
        one.sync()
        one.write_all({**texts, "by-hand": "changed here"})
        done: list[Asked] = []

        def kill_at_the_seventh(asked: Asked, _: Reply) -> None:
            done.extend([asked] if asked.writes else [])
            if len(done) == 7 and asked.writes:
                phoenix.kill()

        def lose_the_seventh(asked: Asked) -> Fault:
            return DROP_REPLY if len(done) >= 6 and asked.writes else NONE

        proxy.on_answer, proxy.rule = kill_at_the_seventh, lose_the_seventh
        one.run("sync", expect=(1, 75))
        proxy.heal()
        one.run("sync", expect=(75,))  # nobody is there
        phoenix.start()
        until_quiet(one)
    wanted = {name: [text] for name, text in texts.items()}
    assert {name: one.versions(name) for name in texts} == wanted
    assert one.versions("by-hand") == ["by hand", "changed here"]
    two = team()
    two.sync()
    assert {name: two.text(name) for name in texts} == texts
