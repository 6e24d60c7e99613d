-- Content of files and values, once, under the hex SHA-256 of its bytes, in chunks of 1 MiB.

create table if not exists swarm.blobs${on_cluster}
(
    digest String comment 'hex SHA-256 of the whole content' codec(ZSTD(1)),
    chunk UInt32 comment 'from 0' codec(ZSTD(1)),
    size_bytes UInt64 comment 'of the whole content' codec(ZSTD(1)),
    content String codec(ZSTD(3))
)
engine = ${mergetree}
order by (digest, chunk)
settings ${mergetree_settings};
