"""What an identity on AWS needs for its work, as policies of IAM: of who launches, and of who operates.

They are made from the source of the toolkit and from the templates of an environment. The doctor prints them and has IAM judge
them; the play puts the operator's into the role for people who operate. Nothing here changes anything.
Imported by: cli.commands.doctor, doctor, launch, planning.
"""
