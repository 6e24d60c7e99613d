-- The decoded rows themselves: filled only for stretches that differ.
create table ${scratch}.wide (${definitions}) engine = Memory
