-- The chunks of one content that are there, each once: the same content may have been stored twice.
select chunk, any(size_bytes) as size_bytes, any(content) as content
from swarm.blobs
where digest = {digest:String} and chunk >= {first:UInt32} and chunk < {end:UInt32}
group by chunk
order by chunk
