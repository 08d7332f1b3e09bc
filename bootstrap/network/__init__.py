"""What is reachable from where: a pure analyser over what EC2 tells, its pictures, its intentions and its costs."""
