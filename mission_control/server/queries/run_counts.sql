-- What the view of runs does not count, of the given runs. Asked apart: one query would read the view twice.
select
    run_id,
    countIf(${failed}) as errors,
    sum(input_tokens) as tokens_in,
    sum(output_tokens) as tokens_out,
    anyIf(attributes['harness'], attributes['harness'] != '') as harness,
    anyIf(JSONExtractString(run_document, 'parent', 'run_id'), run_document != '') as parent
from swarm.events
where run_id in {runs:Array(String)} and not is_repeated
group by run_id
