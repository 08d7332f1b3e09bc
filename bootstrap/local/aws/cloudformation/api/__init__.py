"""CloudFormation's API: parses requests, and writes answers and errors in the form of AWS.

It decides which requests are allowed, and the content of answers; `operations` does the work.
Imported by: server.
"""
