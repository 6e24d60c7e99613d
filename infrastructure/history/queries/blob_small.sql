-- Contents of one chunk at most, whole.
select digest, content
from swarm.blobs
where digest in {digests:Array(String)} and chunk = 0 and size_bytes <= {most:UInt64}
limit 1 by digest
