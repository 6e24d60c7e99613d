-- The lines of one source of a session as they are kept, in its order; of a line that came twice, the newer.
select number, line, is_open
from (
    select
        attributes['file'] as place,
        line_number as number,
        line_offset as offset,
        line_bytes as line,
        attributes['unterminated'] = '1' as is_open,
        stream_seq as sequence,
        max(stream_seq) over (partition by attributes['file'], line_number, line_offset) as newest
    from swarm.events
    where kind = 'session_line'
        and attributes['session_id'] = {session:String}
        and line_source = {source:String}
        and not is_repeated
)
where sequence = newest
order by place, number, offset
