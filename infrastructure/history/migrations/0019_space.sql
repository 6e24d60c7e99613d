-- Less disk for the same answers.
--
-- What is asked of a workspace concerns its changes alone: only these are kept a second time, not every event. What is
-- asked of a resource names the changes by their place: their ids, which no codec makes smaller, are left out. What
-- uses a projection filtered so has to say `kind = 'state_change'` in these words. Made anew in parts that are there.
alter table swarm.events${on_cluster} drop projection if exists of_workspace;
alter table swarm.events${on_cluster} drop projection if exists of_resource;
alter table swarm.events${on_cluster} add projection if not exists changes_of_workspace
(
    select
        workspace_id, kind, target_type, target_resource, resource_bytes, stream, stream_seq, event_id, event_time,
        previous_state_hash, new_state_hash, mode, size_bytes, is_reversible, renamed_from, is_repeated
    where kind = 'state_change'
    order by workspace_id, target_resource, stream_seq
);
alter table swarm.events${on_cluster} add projection if not exists places_of_resource
(
    select
        target_resource, workspace_id, target_type, stream, stream_seq, event_time, kind, agent_id, run_id,
        previous_state_hash, new_state_hash, mode, size_bytes, is_repeated
    order by target_resource, stream_seq
);
alter table swarm.events${on_cluster} materialize projection changes_of_workspace;
alter table swarm.events${on_cluster} materialize projection places_of_resource;

-- Prose repeats itself: its blocks are filled up to 1 MiB. Blocks of 2 MiB would take another 10 bytes off an event, and
-- add 10 ms of CPU to every question for a trace.
alter table swarm.events${on_cluster}
    modify column rationale modify setting min_compress_block_size = 1048576, max_compress_block_size = 1048576;
alter table swarm.events${on_cluster}
    modify column diff_patch modify setting min_compress_block_size = 1048576, max_compress_block_size = 1048576;
alter table swarm.events${on_cluster}
    modify column rejected_alternatives modify setting min_compress_block_size = 1048576, max_compress_block_size = 1048576;

-- In compact parts every granule is compressed on its own. What is inserted stays compact; what merging makes of it is wide
-- from 64 MiB on, not from 512.
alter table swarm.events${on_cluster} modify setting min_bytes_for_wide_part = 67108864, min_level_for_wide_part = 1;
