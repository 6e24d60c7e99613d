-- Batches whose ledger does not link to the batch before them.
select count() as breaks
from
(
    select
        prev_root,
        lagInFrame(root, 1, prev_root) over (
            partition by stream order by stream_seq rows between 1 preceding and current row
        ) as root_before
    from swarm.ledger
)
where prev_root != root_before
