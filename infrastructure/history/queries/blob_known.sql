-- Which of these contents are complete.
select digest
from swarm.blobs
where digest in {digests:Array(String)}
group by digest
having uniqExact(chunk) = greatest(1, intDiv(any(size_bytes) + 1048575, 1048576))
