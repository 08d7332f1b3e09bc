"""What the server of the local cloud keeps on disk: the journal of requests, its format, and the seeds for random ids.

It decides what is written before an answer is sent. So after a kill, the server still has everything that it confirmed to a
client.
Imported by: access, compute, patches, scaling, server.
"""
