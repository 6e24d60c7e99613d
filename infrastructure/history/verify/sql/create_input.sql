create table ${scratch}.input (${plain_inputs}) engine = Null
