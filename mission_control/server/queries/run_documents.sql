-- What a run is about, as it was created, and what came of it.
select
    argMinIf(run_document, (stream != 'SWARM_COORDINATION', stream_seq), run_document != '') as created_as,
    argMaxIf(run_document, (stream = 'SWARM_COORDINATION', stream_seq), run_document != '') as newest
from swarm.events
where run_id = {run:String} and kind = 'run_transition' and not is_repeated
