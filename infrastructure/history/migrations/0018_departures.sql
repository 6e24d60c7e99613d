-- When a name last went away because its content took another one, which every question about one file asks.
--
-- Renames are few, so that all those of a granule fit into a filter of some bytes: a name that was never left is known
-- at once, where all changes of its workspace had to be read. Parts that were written before have it once they are merged.
alter table swarm.events${on_cluster} add index if not exists by_departure renamed_from type bloom_filter(0.01) granularity 1;
