-- The tasks of a run in the order in which they came to be, each with the time that it was claimed first and what its worker handed in last.
select
    tasks.task_id as task_id, title, role, task_state, task_worker, task_attempt, task_reason, task_document, task_result, handed_in,
    if(claimed_at = toDateTime64(0, 9, 'UTC'), null, claimed_at) as claimed_at, updated_at, toString(event_id) as id
from swarm.tasks as tasks
any left join (
    select
        task_id,
        minIf(event_time, task_state = 'RUNNING') as claimed_at,
        argMaxIf(task_document, (stream = 'SWARM_COORDINATION', stream_seq), task_trigger = 'hand_in') as handed_in
    from swarm.events
    where run_id = {run:String} and kind = 'task_transition' and not is_repeated
    group by task_id
) as claims on claims.task_id = tasks.task_id
where run_id = {run:String}
order by created_at, task_id
