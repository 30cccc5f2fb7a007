"""What every source's pull is made of, whoever the provider is.

source.py      a source: plan its scopes, pull them at once, gather
scope.py       one scope: rows, pages, what was missed, and the coverage that says so
outcome.py     what one scope gave
pages.py       lists that come in pages
each.py        lists that cost one call an item
refusals.py    why something could not be read, in words that are safe to print
meter.py       what a scope costs; pace.py keeps it under its quota; retrying.py asks again
web.py         the one door to plain HTTP; deadline.py lets no answer last for ever
decoding.py    JSON that came from outside
json_lists.py  what AI providers answer through it: lists by the last id, reports of use
keys.py        several API keys of one holder as the versions of one credential
unfinished.py  what an interrupted pull had already seen
settings.py    the settings that all sources share
"""
