select distinct partition_id
from system.parts
where database = '${repair}' and table = 'rows' and active
