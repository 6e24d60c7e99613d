-- What each source saw of one session: calls by their id, prompts by their text, sub-agents by their name.
select what, item, any(shown) as shown, groupUniqArray(source) as sources, groupUniqArray(answered) as answered
from
(
    select 'tool_call' as what, tool_call_id as item, tool_name as shown, attributes['source'] as source,
        if(tool_outcome != '', source, '') as answered
    from swarm.events
    where run_id = {session:String} and kind = 'tool_call' and attributes['harness'] != ''

    union all

    select 'prompt' as what, lower(hex(SHA256(trim(both ' \n' from mark_text)))) as item, substring(mark_text, 1, 80) as shown,
        attributes['source'] as source, '' as answered
    from swarm.events
    where run_id = {session:String} and kind = 'session_mark' and mark_type = 'prompt' and attributes['parent_agent_id'] = ''

    union all

    select 'subagent' as what, if(attributes['child_agent_id'] != '', attributes['child_agent_id'], agent_id) as item, item as shown,
        attributes['source'] as source, '' as answered
    from swarm.events
    where run_id = {session:String} and (attributes['parent_agent_id'] != '' or attributes['child_agent_id'] != '')

    union all

    select 'unknown type' as what, concat(attributes['source'], ' ', line_type) as item, line_type as shown, attributes['source'] as source, '' as answered
    from swarm.events
    where run_id = {session:String} and kind = 'session_line' and (line_type like 'unknown:%' or line_type = 'malformed')
)
where source != ''
group by what, item
order by what, item
