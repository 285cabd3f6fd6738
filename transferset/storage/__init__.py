"""Object stores: sets, models and files at URLs, by way of a local place for each.

A URL has a *place*: a path in the cache from which the URL follows, so that a path is all that a
worker process needs. A set at a URL is read through its place, where shards come when they are
asked for; what is made for a URL is made in its place, and published from there.
"""
