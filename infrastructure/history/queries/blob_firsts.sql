-- The first chunks of these contents, each once: the whole of those that fit into one.
select digest, any(size_bytes) as size, any(content) as content
from swarm.blobs
where digest in {digests:Array(String)} and chunk = 0
group by digest
