"""The client side of CloudFormation: templates, change sets, events, states, and which stacks an environment has.

It decides the order in which stacks are made, and which outputs become parameters of which stack. It knows neither machines nor
Jenkins.
Packages on higher floors may import it.
"""
