"""Who a node is: its network key, made at the first start, and its validator key, if it has one."""

import os
from pathlib import Path
from secrets import token_bytes
from typing import Final

from chain.primitives.key_file import InvalidKeyFile, WrongPassword, open_sealed
from chain.primitives.keys import InvalidKey, Keypair

NETWORK_KEY_NAME: Final = "network.key"
"""File in the base path: 32 bytes, readable by its owner only."""

PASSWORD_VARIABLE: Final = "NOEMA_VALIDATOR_PASSWORD"
"""Environment variable with the password of the validator's key file."""


class KeyUnusable(Exception):
    """A key of this node can't be used.  The text says which and what to do."""


def network_seed(base_path: Path) -> bytes:
    """Give the seed of the network identity, making it at the first start; raises KeyUnusable."""
    path = base_path / NETWORK_KEY_NAME
    if path.exists():
        seed = path.read_bytes()
        if len(seed) != 32:
            raise KeyUnusable(f"{path} has {len(seed)} bytes, not 32; delete it to get a new one")
        return seed
    seed = token_bytes(32)
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(seed)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    return seed


def validator_keypair(source: str, *, chain_type: str) -> Keypair | None:
    """Give the validator's key from a file or a development path; None for an empty source.

    Raises KeyUnusable, for a development key on a live chain too: everybody knows it.
    """
    if not source:
        return None
    if source.startswith("//"):
        if chain_type == "Live":
            raise KeyUnusable(f"{source} is a development key; make one with `noema key new`")
        try:
            return Keypair.from_uri(source)
        except InvalidKey as error:
            raise KeyUnusable(str(error)) from error
    try:
        sealed = Path(source).expanduser().read_bytes()
        if PASSWORD_VARIABLE not in os.environ:
            raise KeyUnusable(f"{source} has a password; set {PASSWORD_VARIABLE}")
        return open_sealed(sealed, os.environ[PASSWORD_VARIABLE])
    except OSError as error:
        raise KeyUnusable(
            f"{source}: {error.strerror}; give the path of a key file, as `noema key new` shows it"
        ) from error
    except InvalidKeyFile as error:
        raise KeyUnusable(f"{source}: {error}") from error
    except WrongPassword as error:
        raise KeyUnusable(f"{source} does not open; set {PASSWORD_VARIABLE}") from error
