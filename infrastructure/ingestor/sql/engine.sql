-- Whether the table deduplicates by token: only a replicated one may be given one.
select engine from system.tables where database = 'swarm' and name = 'events'
