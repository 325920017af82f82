"""Runnable recipes, one a method; nothing imports them."""
