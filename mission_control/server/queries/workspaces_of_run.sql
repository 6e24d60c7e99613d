-- The workspaces that a run changed or created, that of its own name first, then in the order in which they came to be.
-- What is made for a claim is named RUN/NAME-FENCE, the fence being the sequence of the claim: that tells its task.
select workspace, agent, changes, claims.task_id as task
from (
    select
        workspace_id as workspace,
        argMin(agent_id, ingested_at) as agent,
        countIf(kind = 'state_change') as changes,
        min(event_time) as began,
        toUInt64OrZero(extract(toString(workspace), '-([0-9]+)$')) as fence
    from swarm.events
    where run_id = {run:String} and workspace_id != '' and kind in ('state_change', 'workspace_created') and not is_repeated
    group by workspace
) as found
any left join (
    select stream_seq, task_id
    from swarm.events
    where run_id = {run:String} and kind = 'task_transition' and stream = 'SWARM_COORDINATION' and not is_repeated
) as claims on claims.stream_seq = found.fence
order by workspace != {run:String}, began, workspace
limit 1000
