-- Everything that one verification needs of its own; dropped as a whole at the end.
create database if not exists ${scratch}
