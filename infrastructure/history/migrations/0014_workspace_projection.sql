-- The state of a workspace at an event: the newest change of each of its resources up to there.
--
-- In stream order its rows lie in nearly every granule. Kept a second time by workspace and resource, a state of 2,000
-- files out of a million events is read from some hundred thousand short rows side by side. Parts that were written
-- before have it once they are merged.
alter table swarm.events${on_cluster} add projection if not exists of_workspace
(
    select
        workspace_id, kind, target_type, target_resource, resource_bytes, stream, stream_seq, event_id, event_time,
        previous_state_hash, new_state_hash, mode, size_bytes, is_reversible, renamed_from, is_repeated
    order by kind, workspace_id, target_resource, stream_seq
);
