drop database if exists ${scratch} sync
