-- Whether there is such a table.
select name from system.tables where database = 'swarm' and name = {table:String}
