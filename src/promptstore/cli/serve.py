"""``promptstore serve``: the local twin of the vendors' APIs."""

from __future__ import annotations

import json

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command


@command("serve", "promptstore serve --port 8700 & PROMPTLAYER_BASE_URL=http://127.0.0.1:8700 python app.py")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8700, show_default=True, help="The port; 0 picks a free one.")
@click.option("--key", help="The key that clients must send; made up when it is not given.")
@click.option("--no-auth", is_flag=True, help="Take requests without a key.")
@click.option("--read-only", is_flag=True, help="Refuse every write.")
def serve(app: App, host: str, port: int, key: str | None, no_auth: bool, read_only: bool) -> None:
    """Serve the store as the vendors' own HTTP APIs, for applications that use the vendors' SDKs.

    Every vendor is at / and at /<vendor>. The first line printed is the URL.
    """
    from promptstore.serve.server import serve as run

    def announce(url: str, secret: str) -> None:
        app.write(json.dumps({"url": url, "key": secret}) + "\n" if app.json else f"{url}\n")
        if not app.json and not no_auth and key is None:
            app.write(f"key: {secret}\n")
        app.out.flush()

    with app.store() as store:
        run(store, host=host, port=port, key=key, auth=not no_auth, read_only=read_only, announce=announce)
