-- Batches that do not start from the root, or the place, of the batch before; and how many batches there are.
select
    count() as batches,
    arraySlice(
        arraySort(
            groupArrayIf(
                (stream, stream_seq),
                before.1 != '' and (before.1 != prev_root or before.2 != prev_seq)
            )
        ),
        1,
        20
    ) as broken
from (
    select
        stream, stream_seq, prev_seq, prev_root,
        lagInFrame((root, stream_seq)) over (
            partition by stream order by stream_seq rows between unbounded preceding and unbounded following
        ) as before
    from swarm.ledger
)
