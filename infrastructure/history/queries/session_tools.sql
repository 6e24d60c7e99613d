-- What tools a session and its sub-agents called, the most frequent first.
select
    tool_name,
    count() as calls,
    countIf(tool_outcome not in ('', 'ok')) as failed,
    countIf(tool_outcome = '') as unanswered,
    arraySort(groupUniqArrayArray(sources)) as sources
from swarm.tool_calls
where run_id = {run:String}
group by tool_name
order by calls desc, tool_name
