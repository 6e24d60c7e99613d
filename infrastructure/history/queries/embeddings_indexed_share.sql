-- How many vectors of a model its index holds, of how many.
select
    (select count() from swarm.${table}) as indexed,
    (select count() from swarm.embeddings where model = {model:String}) as vectors
