-- Parts merge only where they have the same projections, and a part in which no row passes a projection's filter has none
-- of it: batches with and without changes never merged, until inserts would have been refused for too many parts. So every
-- event is in it again; those that are no changes stand apart, by their kind.
alter table swarm.events${on_cluster} drop projection if exists changes_of_workspace;
alter table swarm.events${on_cluster} add projection if not exists places_of_workspace
(
    select
        workspace_id, kind, target_type, target_resource, resource_bytes, stream, stream_seq, event_id, event_time,
        previous_state_hash, new_state_hash, mode, size_bytes, is_reversible, renamed_from, is_repeated
    order by kind, workspace_id, target_resource, stream_seq
);
alter table swarm.events${on_cluster} materialize projection places_of_workspace;
