"""The cloud on this machine: AWS, machines and the stand-in for Jenkins, without an account."""
