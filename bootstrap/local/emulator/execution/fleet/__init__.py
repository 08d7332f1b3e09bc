"""Agents of an Auto Scaling group, as the plugin ec2-fleet has them in Jenkins.

It decides how many instances the group should have (`fleet`, `planning`), which nodes there are (`computer`), and how the
controller connects to them (`ssh_launcher`). `aws` alone speaks to AWS. It knows nothing of builds but the executors that they
hold and wait for.
Imported by: controller.
"""
