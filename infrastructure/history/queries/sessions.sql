-- Sessions, the oldest first: of one harness, and those whose id, or whose run's, is given or begins so.
select *
from swarm.sessions
where ({harness:String} = '' or harness = {harness:String})
    and (
        {session:String} = ''
        or startsWith(session_id, {session:String})
        or startsWith(run_id, {session:String})
    )
order by first_seen, session_id, source
