"""Who may ask the local cloud for what: keys that it issued, signatures, and the policies of IAM.

`guard` is what the server asks before it answers; `signature` checks SigV4 by botocore's own signer, `identities` knows the
keys, `refusals` words a refusal as the service would. It decides who the caller is. It must not know how a call is carried
out. The server's modules import it.
"""
