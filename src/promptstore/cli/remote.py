"""``promptstore remote``: the vendor workspaces of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.app import App
from promptstore.cli.framework import CONTEXT, command
from promptstore.errors import AuthError, ConfigError, PromptStoreError, RemoteUnreachable, UsageError, Where

if TYPE_CHECKING:
    from promptstore.store.config import RemoteConfig
    from promptstore.store.store import Store


@click.group("remote", context_settings=CONTEXT, no_args_is_help=False)
def remote() -> None:
    """Add, check and remove vendor workspaces.

    Example: promptstore remote add promptlayer
    """


@command("add", "promptstore remote add promptlayer --include 'support/**' --tag production")
@click.argument("name")
@click.option("--vendor", metavar="VENDOR", help="promptlayer, braintrust ...; by default the name is the vendor's.")
@click.option("--base-url", metavar="URL", help="Where its API is, if not at the vendor's own host.")
@click.option("--api-key-env", metavar="VARIABLE", help="The environment variable that holds the key.")
@click.option("--project", metavar="PROJECT", help="The project, for vendors that have them.")
@click.option("--include", multiple=True, metavar="GLOB", help="Only these prompts; may be given often.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Not these prompts; may be given often.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only these tags; may be given often.")
def add(app: App, name: str, vendor: str | None, **settings: Any) -> None:
    """Write a remote into .promptstore.toml."""
    from promptstore.store.config import remote_name_problem
    from promptstore.vendors.registry import vendor as known_vendor

    problem = remote_name_problem(name)
    if problem:
        raise UsageError(problem, hint="choose another name")
    found = known_vendor(vendor or _vendor_named(name))
    values = {"vendor": found.name, **{key: value for key, value in settings.items() if value}}
    with app.store() as store:
        _refuse_taken(store, name)
        if found.needs_project and not settings["project"]:
            raise UsageError(f"{found.title} keeps prompts in projects", hint="name one with --project")
        _edit_config(store, name, values)
    if app.json:
        app.emit({"remotes": [_row(name, found.name, None, found.capabilities.as_json())]})
        return
    app.say(f"added {name} ({found.title})")
    key = settings["api_key_env"] or found.key_variable
    needed = found.key_required and key not in app.environ
    first = f"set {key} (or `promptstore remote login {name}`), then " if needed else ""
    app.say(f"Next: {first}promptstore remote check {name}")


def _vendor_named(name: str) -> str:
    """The vendor that a remote's name says by itself."""
    from difflib import get_close_matches

    from promptstore.vendors.registry import vendors

    known = vendors()
    if name not in known:
        near = "".join(f"did you mean '{one}'? Else " for one in get_close_matches(name, known, 1))
        raise UsageError(f"say whose remote '{name}' is", hint=f"{near}give --vendor, one of: {', '.join(known)}")
    return name


def _refuse_taken(store: Store, name: str) -> None:
    from promptstore.store.sharing import git_remotes

    if name in store.config.remotes:
        raise UsageError(f"there is a remote '{name}' already", hint="edit it in .promptstore.toml")
    if name in git_remotes(store):
        raise UsageError(f"'{name}' is a git remote of this repository", hint="choose another name")


def _edit_config(store: Store, name: str, values: dict[str, Any] | None) -> None:
    """Write or remove one remote's table, keeping every comment; the result is checked before it is written."""
    import os

    import tomlkit

    from promptstore.store.atomic import replace_file
    from promptstore.store.config import parse_config
    from promptstore.store.quick import CONFIG_NAME

    path = os.path.join(store.root, CONFIG_NAME)
    with open(path, encoding="utf-8") as file:
        document = tomlkit.parse(file.read())
    remotes = document.setdefault("remotes", tomlkit.table(is_super_table=True))
    if values is None:
        del remotes[name]
    else:
        table = tomlkit.table()
        for key, value in values.items():
            table.add(key, list(value) if isinstance(value, tuple) else value)
        remotes[name] = table
    text = tomlkit.dumps(document)
    parse_config(text)
    replace_file(path, text)


@command("list", "promptstore remote list")
def list_remotes(app: App) -> None:
    """List the remotes; touches no network."""
    from promptstore.vendors.registry import vendor

    with app.store() as store:
        configured = list(store.config.remotes.values())
    rows = [_row(c.name, c.vendor, None, vendor(c.vendor).capabilities.as_json()) for c in configured]
    if app.json:
        app.emit({"remotes": rows})
        return
    for config in configured:
        app.write(f"{config.name}  {config.vendor}  {config.base_url or vendor(config.vendor).base_url}\n")
    if not configured:
        app.say("no remotes; `promptstore remote add promptlayer` connects one")


@command("check", "promptstore remote check promptlayer")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--probe", is_flag=True, help="Try what the vendor really does, in prompts of the probe's own.")
@click.option("--yes", is_flag=True, help="With --probe: write without asking.")
@click.option("--tag", metavar="TAG", help="With --probe: the tag to set on its prompts, for vendors that make none.")
@click.option("--cassette", metavar="FILE", help="With --probe: keep the answers here instead of in .git.")
def check(app: App, names: tuple[str, ...], probe: bool, **options: Any) -> int:
    """Try each remote's key and say what its vendor can do.

    With --probe one vendor is tried out: docs/probing.md.
    """
    from promptstore.sync.remotes import chosen

    if probe or any(options.values()):
        return _probe(app, names, probe, options)
    with app.store() as store:
        results = [try_remote(app, config) for config in chosen(store, names)]
    if app.json:
        rows = [_row(c.name, c.vendor, error is None, capabilities) for c, capabilities, error in results]
        app.emit({"remotes": [{**row, **_error(error)} for row, (_, _, error) in zip(rows, results, strict=True)]})
    for config, capabilities, error in () if app.json else results:
        _print_check(app, config, capabilities, error)
    errors = [error for _, _, error in results if error is not None]
    if any(not isinstance(error, RemoteUnreachable) for error in errors):
        return 1
    return 75 if errors else 0


def _probe(app: App, names: tuple[str, ...], probe: bool, options: dict[str, Any]) -> int:
    from promptstore.cli.probe import Wanted, probe_remote
    from promptstore.sync.remotes import chosen

    if not probe:
        raise UsageError("--yes, --tag and --cassette belong to a probe", hint="add --probe")
    if len(names) != 1:
        raise UsageError("a probe tries one remote", hint="name it: promptstore remote check NAME --probe")
    with app.store() as store:
        config = chosen(store, names)[0]
        try:
            return probe_remote(app, store, config, Wanted(**options))
        except PromptStoreError as error:
            raise error.at(remote=config.name) from None


def try_remote(app: App, config: RemoteConfig) -> tuple[RemoteConfig, dict[str, Any], PromptStoreError | None]:
    from promptstore.cli.engine import machine_keys
    from promptstore.sync.remotes import network_opener
    from promptstore.vendors.registry import vendor

    found = vendor(config.vendor)
    capabilities = found.capabilities.as_json()
    try:
        workspace = network_opener(machine_keys(app))(config, found)
        workspace.list()
        workspace.close()
    except PromptStoreError as error:
        return config, capabilities, error.at(remote=config.name)
    return config, capabilities, None


def _print_check(app: App, config: RemoteConfig, capabilities: dict[str, Any], error: PromptStoreError | None) -> None:
    from promptstore.vendors.registry import vendor

    if error is not None:
        app.note(f"{app.styled('error', 'red')}: {error}\nhint: {error.hint}")
        return
    can = [key for key, value in capabilities.items() if value is True]
    cannot = [key for key, value in capabilities.items() if value is False]
    works = ", the key works" if vendor(config.vendor).key_required else ""
    app.say(f"{app.styled(config.name, 'bold')}: reachable{works}")
    app.say(f"  can: {', '.join(can)}" + (f"; cannot: {', '.join(cannot)}" if cannot else ""))


def _row(name: str, vendor: str, reachable: bool | None, capabilities: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "vendor": vendor, "reachable": reachable, "capabilities": capabilities}


def _error(error: PromptStoreError | None) -> dict[str, Any]:
    return {} if error is None else {"error": error.as_json()}


@command("login", "promptstore remote login promptlayer")
@click.argument("name")
def login(app: App, name: str) -> None:
    """Keep a remote's key in the OS keyring. The key is asked for, or read from standard input."""
    import sys

    from promptstore.sync.credentials import endpoint, keyring_name
    from promptstore.sync.remotes import chosen
    from promptstore.vendors.registry import vendor

    with app.store() as store:
        config = chosen(store, [name])[0]
    asks = sys.stdin.isatty()
    key = click.prompt(f"Key for {name}", hide_input=True, err=True) if asks else sys.stdin.readline()
    if not key.strip():
        raise AuthError("no key was given", where=Where(remote=name), hint="type it, or pipe it in")
    _keep(keyring_name(config, endpoint(config, vendor(config.vendor))), key.strip(), name)
    if app.json:
        app.emit({"name": name})
    else:
        app.say(f"the key of {name} is in the keyring")


def _keep(entry: str, key: str, name: str) -> None:
    import keyring
    from keyring.backends.fail import Keyring as NoKeyring
    from keyring.errors import KeyringError

    from promptstore.cli.engine import keyring_key
    from promptstore.sync.credentials import SERVICE

    hint = "set the key in the environment instead"
    if isinstance(keyring.get_keyring(), NoKeyring):
        raise ConfigError("this machine has no keyring", where=Where(remote=name), hint=hint)
    try:
        keyring.set_password(SERVICE, entry, key)
    except KeyringError as error:
        raise ConfigError(f"the keyring refused: {error}", where=Where(remote=name), hint=hint) from None
    if keyring_key(entry) != key:
        raise ConfigError("the keyring did not keep the key", where=Where(remote=name), hint=hint)


@command("trust", "promptstore remote trust promptlayer")
@click.argument("name")
def trust(app: App, name: str) -> None:
    """Let this machine send the remote's key to the host that the config names. Kept outside the repository."""
    from promptstore.cli.engine import machine_keys, machine_trust
    from promptstore.sync.credentials import endpoint
    from promptstore.sync.remotes import chosen
    from promptstore.vendors.registry import vendor

    with app.store() as store:
        config = chosen(store, [name])[0]
    found = vendor(config.vendor)
    where = endpoint(config, found)
    variable = machine_keys(app).variable(config, found)
    machine_trust(app).confirm(where.host, variable)
    if app.json:
        app.emit({"name": name, "host": where.host, "variable": variable})
    else:
        app.say(f"this machine now sends {variable} to {where.host}")


@command("remove", "promptstore remote remove promptlayer")
@click.argument("name")
def remove(app: App, name: str) -> None:
    """Take a remote out of .promptstore.toml. What was seen and agreed stays in git; nothing changes at the vendor."""
    from promptstore.sync.remotes import chosen

    with app.store() as store:
        chosen(store, [name])
        _edit_config(store, name, None)
    if app.json:
        app.emit({"name": name})
    else:
        app.say(f"removed {name}")


for subcommand in (add, list_remotes, login, check, trust, remove):
    remote.add_command(subcommand)
