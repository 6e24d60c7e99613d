truncate table ${scratch}.wide
