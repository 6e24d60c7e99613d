-- How much happened in each part of a stretch of time; parts in which nothing happened are left out.
select
    least(
        toUInt64(intDiv((toUnixTimestamp64Nano(event_time) - {start_ns:Int64}), {width_ns:Int64})), {last:UInt64}
    ) as part,
    countIf(kind = 'decision') as decisions,
    countIf(kind = 'state_change') as changes,
    countIf(${failed}) as errors,
    count() as events
from swarm.events
where run_id = {run:String} and not is_repeated
    and event_time >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC')
    and event_time <= fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
group by part
order by part
