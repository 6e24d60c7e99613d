-- The vectors of one model again, with an index over them: an index takes vectors of one length only.
create table if not exists swarm.${table}${on_cluster}
(
    stream LowCardinality(String),
    stream_seq UInt64 codec(Delta, ZSTD(1)),
    run_id LowCardinality(String),
    vector Array(Float32) codec(ZSTD(1)),

    index by_meaning vector type vector_similarity('hnsw', 'cosineDistance', ${dimension})
)
engine = ${mergetree}
order by (stream, stream_seq)
settings ${mergetree_settings}
