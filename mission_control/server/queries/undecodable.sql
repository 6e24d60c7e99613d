-- How many messages are no events.
select count() as messages from swarm.events where kind = 'undecodable'
