"""Copies of a home that were opened and compared before anybody relies on them."""
