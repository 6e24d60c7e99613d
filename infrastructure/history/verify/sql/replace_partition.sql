-- The identifier is the engine's own, checked to be letters, digits, `-` and `_`.
alter table swarm.events replace partition id '${partition_id}' from ${repair}.rows
