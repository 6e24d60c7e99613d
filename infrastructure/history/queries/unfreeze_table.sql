-- Remove those links again; both are checked identifiers.
alter table swarm.${table} unfreeze with name '${name}'
