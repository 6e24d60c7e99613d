-- 1 where every part has the checksums that it was written with.
check table swarm.${table} settings check_query_single_value_result = 1
