-- Events of one stream that a filter asks for, from one place on, in the order of the stream or against it.
-- An empty text or array asks for nothing. `raw` and the ledger are left out.
select
    * except (
        raw, event_id, previous_digest, original_digest, is_repeated,
        ledger_identity, ledger_prev_seq, ledger_prev, ledger_root, ledger_count, ${texts}
    ),
    ${cut},
    toString(event_id) as event_id
from
(
    select *
    from swarm.events
    where stream = {stream:String}
        and stream_seq > {above:UInt64} and stream_seq < {below:UInt64}
        and not is_repeated
        and ({run:String} = '' or run_id = {run:String})
        and (empty({agents:Array(String)}) or agent_id in {agents:Array(String)})
        and (empty({roles:Array(String)}) or agent_role in {roles:Array(String)})
        and (empty({kinds:Array(String)}) or kind in {kinds:Array(String)})
        and ({trace:String} = '' or trace_id = {trace:String})
        and ({workspace:String} = '' or workspace_id = {workspace:String})
        and ({resource:String} = '' or target_resource = {resource:String})
        and event_time >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC')
        and event_time <= fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
        and (
            {text:String} = ''
            or arrayExists(
                text -> positionCaseInsensitiveUTF8(text, {text:String}) > 0,
                [
                    rationale, input_trigger, toString(agent_id), target_resource, toString(status), detail, tool_name,
                    tool_arguments, tool_result, task_id, task_reason, run_reason, toString(model_name), tombstone_reason
                ]
            )
        )
    order by stream_seq ${order}
    limit {limit:UInt64}
)
order by stream_seq ${order}
