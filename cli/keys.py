"""Key files in their folder, passwords, and the names by which keys are called."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cli.context import CliContext

if TYPE_CHECKING:  # libsodium is loaded by commands that need a key only
    from chain.primitives.keys import Keypair

SUFFIX: Final = ".key"
PASSWORD_VARIABLE: Final = "NOEMA_PASSWORD"


class UnknownKey(click.UsageError):
    """No key file has this name."""


def path_of(context: CliContext, name: str) -> Path:
    """Give the file of a key by its name, or the path itself."""
    if os.sep in name or name.endswith(SUFFIX):
        return Path(name)
    return context.keys / f"{name}{SUFFIX}"


def existing_path_of(context: CliContext, name: str) -> Path:
    """Give the file of a key that exists; raises UnknownKey."""
    path = path_of(context, name)
    if not path.is_file():
        raise UnknownKey(f"There is no key {name!r} in {context.keys}; see `noema key list`")
    return path


def load_key(context: CliContext, name: str, password_file: Path | None = None) -> "Keypair":
    """Give the key of a name: //Alice, 0x<seed>, or a key file, whose password is asked for."""
    from chain.primitives.key_file import open_sealed
    from chain.primitives.keys import Keypair

    if name.startswith(("//", "0x")):
        try:
            return Keypair.from_uri(name)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    path = existing_path_of(context, name)
    if name not in context.unlocked:
        secret = password(f"Password of {name}", password_file)
        context.unlocked[name] = open_sealed(path.read_bytes(), secret)
    keypair: Keypair = context.unlocked[name]
    return keypair


def address_of(ctx: click.Context | None, name: str) -> str:
    """Give the address of //Alice or of a key file, without its password; raises UnknownKey."""
    from chain.primitives.key_file import InvalidKeyFile, address_in
    from chain.primitives.keys import Keypair, ss58_encode

    if name.startswith("//"):
        return ss58_encode(Keypair.from_uri(name).address)
    context = ctx.ensure_object(CliContext) if ctx else CliContext()
    path = existing_path_of(context, name)
    try:
        return address_in(path.read_bytes())
    except InvalidKeyFile as error:
        raise ValueError(f"{path}: {error}") from error


def password(prompt: str, password_file: Path | None, *, confirm: bool = False) -> str:
    """Give a password from a file, from NOEMA_PASSWORD, or typed."""
    if password_file is not None:
        return password_file.read_text().rstrip("\r\n")
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    try:
        typed: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    except click.Abort as error:
        if sys.stdin.isatty():
            raise
        raise click.UsageError(
            f"no password was typed; set {PASSWORD_VARIABLE} or give --password-file"
        ) from error
    return typed


def save_key(context: CliContext, name: str, keypair: "Keypair", secret: str) -> Path:
    """Write a key file that nobody else can read; an existing one is never overwritten."""
    from chain.primitives.key_file import NONCE_BYTES, SALT_BYTES, seal

    if not name or name.startswith(("//", "0x")):
        raise click.UsageError(f"{name!r} names no key file; choose a word, such as erin")
    path = path_of(context, name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sealed = seal(keypair, secret, salt=os.urandom(SALT_BYTES), nonce=os.urandom(NONCE_BYTES))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise click.UsageError(f"{path} exists; choose another name") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(sealed)
    return path
