-- What agents find again: the texts of decisions and changes with a text index, and vectors of their meaning.
--
-- Both are taken from swarm.events and can be made again from it at any time. They are tables of their own because a
-- text index costs some 15 us of CPU for each row: more than everything else that an event's way into history takes.

create table if not exists swarm.memories${on_cluster}
(
    stream LowCardinality(String) comment 'name of the stream',
    stream_seq UInt64 comment 'where the event lies in it' codec(Delta, ZSTD(1)),
    event_id UUID comment 'what memory_ids of decisions name' codec(ZSTD(1)),
    event_time DateTime64(9, 'UTC') comment 'by the emitter''s clock' codec(ZSTD(1)),
    kind LowCardinality(String) comment 'decision, state_change',
    agent_role LowCardinality(String),
    run_id LowCardinality(String),
    text String comment 'what is found again' codec(ZSTD(3)),

    index by_word text type text(tokenizer = 'splitByNonAlpha', preprocessor = lower(text))
)
engine = ${mergetree}
order by (stream, stream_seq)
settings ${mergetree_settings};

create table if not exists swarm.embeddings${on_cluster}
(
    model LowCardinality(String) comment 'as it was chosen, as openai:text-embedding-3-small',
    stream LowCardinality(String) comment 'name of the stream',
    stream_seq UInt64 comment 'which row of swarm.memories it is of' codec(Delta, ZSTD(1)),
    run_id LowCardinality(String),
    vector Array(Float32) comment 'of length 1' codec(ZSTD(1)),
    embedded_at DateTime64(3, 'UTC') default now64(3, 'UTC') codec(ZSTD(1))
)
engine = ${mergetree}
order by (model, stream, stream_seq)
settings ${mergetree_settings};
