drop database if exists ${repair} sync
