"""Judges the heads that the ledger does not confirm: do they still hold for the messages?

A head that is no longer in the ledger holds when its root follows from the messages after the head
before it: then the messages are what they were, and only the cut into batches is another one.
"""

import asyncio
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from infrastructure.history.verify.findings import (
    Findings,
    Problem,
    ProblemKind,
    Unproven,
    UnprovenKind,
)
from infrastructure.history.verify.heads import Witness, WitnessCheck
from infrastructure.history.verify.signing import is_signed
from infrastructure.history.verify.source import MessageSource, StreamState, read_everything
from infrastructure.history.verify.store import VerifyStore
from infrastructure.ingestor.ledger import GENESIS, Head, format_head, leaf, next_root

MAX_BATCH = 1_000_000
"""Messages between two heads that are read to prove one; no batch is larger."""


class Testimony:
    """Compares one stream's noted heads with what was found."""

    def __init__(
        self, store: VerifyStore, source: MessageSource, state: StreamState, findings: Findings
    ) -> None:
        self._store = store
        self._source = source
        self._state = state
        self._findings = findings

    async def judge(self, check: WitnessCheck, first: int, last: int, *, to_end: bool) -> None:
        """Report heads from `first` to `last` that do not hold; with `to_end` also those beyond."""
        rewritten: list[Witness] = []
        proven: set[Head] = set()
        for witness in check.unconfirmed(first, last):
            if await self._holds(witness, proven):
                proven.add(witness.head)
                rewritten.append(witness)
            else:
                self._report(ProblemKind.HEAD_MISMATCH, witness, last, "does not hold any more")
        if rewritten:
            self._report_rewritten(rewritten)
        beyond = check.beyond(last) if to_end else []
        if beyond:
            detail = f"history ends at {last}, {len(beyond)} noted heads lie beyond"
            self._report(ProblemKind.TAIL_CUT, beyond[-1], last, detail, sequence=last + 1)
        elif to_end and check.unwitnessed:
            self._report_unwitnessed(check.unwitnessed)

    def check_signatures(self, witnesses: Sequence[Witness], public_key: Ed25519PublicKey) -> None:
        """Report heads that the key has not signed."""
        unsigned = [witness for witness in witnesses if not witness.signature]
        for witness in witnesses:
            if witness.signature and not is_signed(public_key, witness.head, witness.signature):
                sequence = witness.head.sequence
                self._report(
                    ProblemKind.SIGNATURE, witness, sequence, "is signed by another key, or changed"
                )
        if unsigned:
            self._doubt(
                UnprovenKind.UNSIGNED,
                unsigned[0].head.sequence,
                f"{len(unsigned)} noted heads carry no signature",
            )

    async def _holds(self, witness: Witness, proven: set[Head]) -> bool:
        head = witness.head
        before = await asyncio.to_thread(self._store.entry_before, head.stream, head.sequence)
        candidates = {witness.before, Head(head.stream, 0, GENESIS)}
        candidates |= {one for one in proven if one.sequence < head.sequence}
        if before is not None:
            candidates.add(Head(head.stream, before.sequence, before.root))
        usable = [
            one
            for one in candidates
            if one is not None and 0 < head.sequence - one.sequence <= MAX_BATCH
        ]
        nearest = sorted(usable, key=lambda one: one.sequence, reverse=True)[:3]
        return any([await self._follows(one, head) for one in nearest])

    async def _follows(self, before: Head, head: Head) -> bool:
        """Whether the messages after `before` lead to `head`."""
        leaves: list[bytes] = []
        first, last = before.sequence + 1, head.sequence
        async for found in read_everything(self._source, self._store, self._state, first, last):
            leaves += map(leaf, found.sequences, found.subjects, found.payloads)
        return next_root(before.root, self._state.identity, leaves) == head.root

    def _report_rewritten(self, rewritten: Sequence[Witness]) -> None:
        self._doubt(
            UnprovenKind.LEDGER_REWRITTEN,
            rewritten[0].head.sequence,
            f"{len(rewritten)} noted heads hold for the messages, but are not in the ledger: "
            "rows were written anew since",
        )

    def _report_unwitnessed(self, sequences: Sequence[int]) -> None:
        self._doubt(
            UnprovenKind.NO_WITNESS,
            sequences[0],
            f"{len(sequences)} entries of the ledger are not noted in SWARM_CHECKPOINTS",
        )

    def _doubt(self, kind: UnprovenKind, sequence: int, detail: str) -> None:
        self._findings.doubt(
            Unproven(kind=kind, stream=self._state.name, sequence=sequence, detail=detail)
        )

    def _report(
        self,
        kind: ProblemKind,
        witness: Witness,
        last: int,
        detail: str,
        *,
        sequence: int | None = None,
    ) -> None:
        self._findings.report(
            Problem(
                kind=kind,
                stream=self._state.name,
                sequence=sequence if sequence is not None else witness.head.sequence,
                last_sequence=max(last, witness.head.sequence),
                detail=f"{format_head(witness.head)} of {witness.source}: {detail}",
            )
        )
