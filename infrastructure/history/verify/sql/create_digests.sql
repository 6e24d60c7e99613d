create table ${scratch}.digests (of_stream String, first_seq UInt64, row_count UInt64, first UInt64, second UInt64) engine = Memory
