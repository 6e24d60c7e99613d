-- Which numbers of the given emitters are in history, as closed intervals.
select emitter_id, min(emitter_seq) as first, max(emitter_seq) as last
from (
    select
        emitter_id,
        emitter_seq,
        emitter_seq - row_number() over (partition by emitter_id order by emitter_seq) as island
    from (
        select distinct toString(emitter_id) as emitter_id, emitter_seq
        from swarm.events
        where stream = {stream:String} and emitter_id in {emitters:Array(String)} and emitter_seq > 0
    )
)
group by emitter_id, island
