"""A chain of blocks in memory; what it committed survives every crash."""

from chain.primitives.block import Block, Header
from chain.primitives.codec import blob
from chain.primitives.hashing import blake2_256
from consensus.core.messages import Certificate
from consensus.engine.ports import Head

INVALID = blake2_256(b"a state that no execution reaches")
GENESIS = blake2_256(b"genesis of a simulated chain")


def is_body_of_header(block: Block) -> bool:
    return block.header.extrinsics_root == blake2_256(b"".join(block.extrinsics))


class SimulatedLedger:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.certificates: list[Certificate] = []

    def head(self) -> Head:
        return Head(len(self.blocks), self.blocks[-1].hash() if self.blocks else GENESIS)

    def build(self, label: str, *, valid: bool = True) -> Block:
        body = (blob(1024).encode(label.encode()),)
        root = blake2_256(b"".join(body))
        state = blake2_256(root) if valid else INVALID
        head = self.head()
        return Block(Header(head.block_hash, head.height + 1, state, root, ()), body, ())

    def check(self, block: Block) -> bool | None:
        head = self.head()
        if block.header.number != head.height + 1:
            return None
        return block.header.parent_hash == head.block_hash and block.header.state_root != INVALID

    def commit(self, block: Block, certificate: Certificate) -> None:
        if block.header.number == len(self.blocks) + 1:
            self.blocks.append(block)
            self.certificates.append(certificate)

    def certificate(self, height: int) -> Certificate | None:
        return self.certificates[height - 1] if 1 <= height <= len(self.blocks) else None

    def block(self, block_hash: bytes) -> Block | None:
        for block in reversed(self.blocks):
            if block.hash() == block_hash:
                return block
        return None
