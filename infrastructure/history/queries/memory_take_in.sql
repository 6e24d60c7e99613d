-- Take in the texts of one range of a stream: what was decided and why, what was changed and how.
insert into swarm.memories (stream, stream_seq, event_id, event_time, kind, agent_role, run_id, text)
select
    stream, stream_seq, event_id, event_time, kind, agent_role, run_id,
    if(
        kind = 'decision',
        arrayStringConcat(
            arrayFilter(
                line -> line != '',
                arrayConcat(
                    [rationale, if(input_trigger = '', '', concat('because of: ', input_trigger))],
                    arrayMap(one -> concat('rejected: ', one), rejected_alternatives)
                )
            ),
            '\n'
        ),
        concat('changed ', target_resource, '\n', substringUTF8(toValidUTF8(diff_patch), 1, 4000))
    ) as text
from swarm.events
where stream = {stream:String}
    and stream_seq > {first:UInt64}
    and stream_seq <= {last:UInt64}
    and kind in ('decision', 'state_change')
    and not is_repeated
    and (kind = 'state_change' or rationale != '')
order by stream_seq
