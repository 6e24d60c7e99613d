-- What outlives the events themselves: heads of pruned ranges, and where imported events came from.

create table if not exists swarm.pruned_heads${on_cluster}
(
    stream LowCardinality(String) comment 'name of the stream',
    first_seq UInt64 comment 'first sequence that was dropped',
    last_seq UInt64 comment 'last sequence that was dropped',
    event_count UInt64 comment 'how many events were dropped',
    stream_identity String comment 'name@created of the stream',
    head String comment 'ledger head at last_seq, stream@sequence:hex: the root that the next batch links to',
    newest_event_at DateTime64(9, 'UTC') comment 'newest event_time among the dropped',
    pruned_at DateTime64(3, 'UTC') default now64(3, 'UTC')
)
engine = ${mergetree}
order by (stream, last_seq)
settings ${mergetree_settings};

create table if not exists swarm.imports${on_cluster}
(
    source_stream LowCardinality(String) comment 'name of the stream that was exported',
    source_identity String comment 'its name@created',
    source_head String comment 'its ledger head at source_last_seq, stream@sequence:hex',
    source_first_seq UInt64,
    source_last_seq UInt64,
    event_count UInt64,
    exported_at String comment 'RFC 3339',
    first_seq UInt64 comment 'where its first event lies in the stream of that name here',
    last_seq UInt64,
    imported_at DateTime64(3, 'UTC') default now64(3, 'UTC')
)
engine = ${mergetree}
order by (source_stream, imported_at)
settings ${mergetree_settings};
