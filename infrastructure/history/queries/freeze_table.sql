-- Hard-link the parts of a table under a name; both are checked identifiers.
alter table swarm.${table} freeze with name '${name}'
