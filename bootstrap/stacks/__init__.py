"""What the stack act is made of: templates as files, change sets, and the events of an operation."""
