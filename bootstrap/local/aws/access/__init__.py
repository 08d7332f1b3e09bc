"""Authentication and authorization of requests: keys that the local cloud issued, signatures, and the policies of IAM.

`guard` is what the server asks before it answers; `signature` checks SigV4 by botocore's own signer, `identities` knows the
keys, `refusals` writes the error that the service would return. It decides who the caller is. It must not know how a call is
carried out. The server's modules, `compute.metadata` and `patches.sts` import it.
"""
