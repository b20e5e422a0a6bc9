"""Executive: executes blocks, and looks at the state behind one.

Maps (state, block) to (changes, events, results, next validators).  Never sees a database: the
state is a function that reads.
"""

from chain.primitives.block import Header, PreDigest
from chain.primitives.extrinsic import Extrinsic
from chain.primitives.hashing import ZERO_HASH
from runtime.assembly import CONFIG, RuntimeConfig, assemble
from runtime.block_execution import ApplyResult, BlockExecution, BlockOutcome
from runtime.frame import Iterate, Overlay, Read
from runtime.frame.ports import Executor, NoExecutor
from runtime.validation import Validity

__all__ = ["ApplyResult", "BlockExecution", "BlockOutcome", "Executive", "ReleaseNeeded"]

_NOBODY = PreDigest(ZERO_HASH, ZERO_HASH)


class ReleaseNeeded(Exception):
    """The next block follows rules that this release does not know.  Install the one it names."""


class Executive:
    """The rules of one release, with the engine that runs models."""

    def __init__(self, config: RuntimeConfig = CONFIG, executor: Executor | None = None) -> None:
        self.config = config
        self._executor = executor or NoExecutor()

    def begin(
        self, read: Read, parent: Header, digest: PreDigest, iterate: Iterate | None = None
    ) -> BlockExecution:
        """Begin the block on top of a parent, over the parent's state.

        Raises LocalFailure, and ReleaseNeeded where a vote has scheduled other rules.  `iterate` is
        needed for `check_invariants` only.
        """
        execution = self._over(read, parent, digest, iterate)
        missing = execution.pallets.governance.missing_rules(execution.number)
        if missing is not None:
            known = self.config.system.version.spec_version
            raise ReleaseNeeded(
                f"from block {missing.height} on this chain follows the rules of spec version "
                f"{missing.spec_version}, and this release knows {known}: install a release with "
                f"spec version {missing.spec_version} and start the node again"
            )
        execution.start()
        return execution

    def view(self, read: Read, head: Header, iterate: Iterate | None = None) -> BlockExecution:
        """Give a view that validates and tries transactions for the block after the head.

        It reads every account once: keep it as long as the head stands.
        """
        return self._over(read, head, _NOBODY, iterate)

    def validate(
        self,
        read: Read,
        head: Header,
        extrinsic: Extrinsic,
        encoded: bytes,
        *,
        signature_checked: bool = False,
    ) -> Validity:
        """Tell what a pool must know about a transaction; raises InvalidTransaction."""
        view = self.view(read, head)
        return view.validate(extrinsic, encoded, signature_checked=signature_checked)

    def _over(
        self, read: Read, parent: Header, digest: PreDigest, iterate: Iterate | None
    ) -> BlockExecution:
        state = Overlay(read, iterate) if iterate else Overlay(read)
        pallets = assemble(state, self._executor, self.config)
        return BlockExecution(state, pallets, pallets.config, parent, digest)
