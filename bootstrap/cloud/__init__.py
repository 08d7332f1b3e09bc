"""The clients of AWS: sessions, instances, secrets, certificates, tags, and errors that AWS returns.

It decides how AWS is called and how an AWS error is shown to a person. It knows no template, no act and no command. The local
cloud is the same to it: AWS behind another endpoint. `jenkins.controller`, the acts and the packages above them import it.
"""
