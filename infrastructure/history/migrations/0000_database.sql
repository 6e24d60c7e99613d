-- The database and the record of what was applied to it. Runs at every start, hence `if not exists`.
create database if not exists swarm${on_cluster};

create table if not exists swarm.migrations${on_cluster}
(
    number UInt32,
    name String,
    digest String comment 'hex SHA-256 of the migration''s text',
    applied_at DateTime64(3, 'UTC') default now64(3, 'UTC')
)
engine = ${mergetree}
order by number
settings ${mergetree_settings};
