-- The identifier is the engine's own (_partition_id), checked to be letters, digits, `-` and `_`.
alter table swarm.events drop partition id '${partition_id}'
