-- Whether this import is recorded already.
select count() as known
from swarm.imports
where source_identity = {identity:String} and source_head = {head:String}
