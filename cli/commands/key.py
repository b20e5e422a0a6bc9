"""Keys: encrypted files in a folder."""

import os
from pathlib import Path

import click

from cli.border import LocalGroup
from cli.context import CliContext, pass_context
from cli.keys import SUFFIX, password, save_key


@click.group(cls=LocalGroup)
def key() -> None:
    """Make and keep keys.

    Key files lie in ~/.noema/keys (NOEMA_KEYS).  The password is asked for, or
    read from --password-file or NOEMA_PASSWORD.
    """


@key.command()
@click.argument("name")
@click.option("--password-file", type=Path, help="File with the password.")
@pass_context
def new(context: CliContext, name: str, password_file: Path | None) -> None:
    """Make a new key NAME.

    Example: noema key new alice
    """
    from chain.primitives.keys import Keypair, ss58_encode

    keypair = Keypair.from_seed(os.urandom(32))
    secret = password(f"New password of {name}", password_file, confirm=True)
    path = save_key(context, name, keypair, secret)
    context.show({"name": name, "address": ss58_encode(keypair.address), "file": str(path)})


@key.command("import")
@click.argument("name")
@click.option("--uri", help="//Alice or 0x<seed>; asked for where it is missing.")
@click.option("--password-file", type=Path, help="File with the password.")
@pass_context
def import_(context: CliContext, name: str, uri: str | None, password_file: Path | None) -> None:
    """Keep an existing key, given as a seed or a path, as NAME.

    Example: noema key import alice --uri //Alice
    """
    from chain.primitives.keys import InvalidKey, Keypair, ss58_encode

    secret_uri = uri or click.prompt("Seed (0x...) or path", hide_input=True, err=True)
    try:
        keypair = Keypair.from_uri(secret_uri)
    except InvalidKey as error:
        raise click.BadParameter(str(error), param_hint="--uri") from error
    secret = password(f"New password of {name}", password_file, confirm=True)
    path = save_key(context, name, keypair, secret)
    context.show({"name": name, "address": ss58_encode(keypair.address), "file": str(path)})


@key.command("list")
@pass_context
def list_(context: CliContext) -> None:
    """List the keys in the folder.

    Example: noema key list --json
    """
    from chain.primitives.key_file import InvalidKeyFile, address_in

    found = []
    for path in sorted(context.keys.glob(f"*{SUFFIX}")):
        try:
            address = address_in(path.read_bytes())
        except InvalidKeyFile as error:
            context.say(f"{path}: {error}")
            continue
        found.append({"name": path.name.removesuffix(SUFFIX), "address": address})
    context.show(found)


@key.command()
@click.argument("name")
@click.option("--check-password", is_flag=True, help="Open the file and check what it holds.")
@click.option("--password-file", type=Path, help="File with the password.")
@pass_context
def show(context: CliContext, name: str, check_password: bool, password_file: Path | None) -> None:
    """Show the address and public key of NAME (a key file or //Alice).

    Example: noema key show //Alice
    """
    from chain.primitives.keys import ss58_decode, ss58_encode
    from cli.keys import address_of, load_key

    try:
        address = address_of(click.get_current_context(), name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from error
    if check_password:
        held = ss58_encode(load_key(context, name, password_file).address)
        if held != address:
            raise click.UsageError(f"the file names {address} but holds {held}")
    context.show(
        {"name": name, "address": address, "public_key": "0x" + ss58_decode(address).hex()}
    )
