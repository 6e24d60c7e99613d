-- Removes every chunk of a content, and returns when they are gone.
alter table swarm.blobs delete where digest = {digest:String} settings mutations_sync = 2
