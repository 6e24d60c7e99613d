create table ${scratch}.digests (stream_seq UInt64, first UInt64, second UInt64) engine = Memory
