"""`hfcbench serve`: a results database as pages to explore, link to and download."""

from __future__ import annotations

import click

from hfcbench.cli.options import database_option
from hfcbench.cli.tables import printable


@click.command(short_help="Serve the database as web pages.")
@database_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8001,
    show_default=True,
    help="0 is any free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; any other than this machine's own is open to others.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open a browser, too.")
def command(db: str, port: int, host: str, open_browser: bool) -> None:
    """Serve a results database as web pages until Ctrl-C: explore, link, download.

    There are ready queries for the leaderboard and ten questions, and any other can be asked in
    SQL. Nothing can be written. Needs the extra `serve`: pip install "hfcbench[serve]".
    """
    from hfcbench.results.database.location import parse_location
    from hfcbench.results.opening import open_store
    from hfcbench.serving.server import (
        address_of,
        check_installed,
        file_of,
        is_loopback,
        listen,
        serve,
    )

    path = file_of(parse_location(db))
    # An open store checks what the file is, and clears SQLite's files beside it away at the end.
    with open_store(db, read_only=True):
        check_installed()
        with listen(host, port) as listening:
            url = address_of(listening, host)
            if not is_loopback(host):
                warning = f"whoever can reach {host} can read all of it, without a password"
                click.echo(printable(f"open to others: {warning}"), err=True)
            click.echo(printable(f"{path}, read-only, at {url} (Ctrl-C ends it)"))
            if open_browser:
                click.launch(url)
            serve(path, listening)
