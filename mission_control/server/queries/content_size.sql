-- How large a content is that is kept whole; no row for one that is not.
select any(size_bytes) as size
from swarm.blobs
where digest = {digest:String}
group by digest
having uniqExact(chunk) = greatest(1, intDiv(size + 1048575, 1048576))
