truncate table ${scratch}.digests
