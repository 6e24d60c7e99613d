-- Which of these contents are complete, and how large they are.
select digest, any(size_bytes) as size
from swarm.blobs
where digest in {digests:Array(String)}
group by digest
having uniqExact(chunk) = greatest(1, intDiv(size + 1048575, 1048576))
