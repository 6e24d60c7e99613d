-- Lines of one session by the source that saw them, and the sessions whose name begins so.
select run_id as session, attributes['harness'] as harness, attributes['source'] as source, count() as lines,
    min(event_time) as first_at, max(event_time) as last_at
from swarm.events
where kind = 'session_line' and startsWith(run_id, {session:String}) and attributes['source'] != ''
group by session, harness, source
order by session, harness, source
