-- As `numbers`, for emitters whose ids are too long to be asked for: by digest, behind a mark.
select emitter_id, min(number) as first, max(number) as last
from (
    select
        emitter_id,
        number,
        number - row_number() over (partition by emitter_id order by number) as island
    from (
        select distinct
            concat({mark:String}, lower(hex(SHA256(toString(events.emitter_id))))) as emitter_id,
            emitter_seq as number
        from swarm.events as events
        where
            stream = {stream:String} and emitter_seq > 0
            and (length(events.emitter_id) > 1024 or startsWith(events.emitter_id, {mark:String}))
    )
    where emitter_id in {emitters:Array(String)}
)
group by emitter_id, island
