-- What models were used for in a run.
select
    model_name, count() as calls, sum(input_tokens) as tokens_in, sum(output_tokens) as tokens_out,
    sum(cost_microusd) as cost
from swarm.events
where run_id = {run:String} and kind = 'model_call' and not is_repeated
group by model_name
order by cost desc, calls desc, model_name
