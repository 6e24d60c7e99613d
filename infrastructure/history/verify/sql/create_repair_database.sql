create database if not exists ${repair}
