"""Composition of stages into shard sets; the only place, with `api`, that knows them all."""
