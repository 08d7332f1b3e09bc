"""What people write for Jenkins, judged as text: all that can be known to be wrong before a Jenkins is asked."""
