"""Authentication and authorization of requests: keys that the local cloud issued, signatures, and the policies of IAM.

The server calls `guard` before it answers a request. `signature` checks SigV4 with botocore's own signer, `identities` finds
the owner of a key, and `refusals` writes the error that the service would return. The package decides who the caller is. It
must not know how a call is carried out.
Imported by: compute, patches, server.
"""
