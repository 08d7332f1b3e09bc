"""CloudFormation's API: requests are read, answers and errors are written as AWS writes them.

It decides what a caller may ask and how it is told; the work is done by `operations`. Only the server imports it.
"""
