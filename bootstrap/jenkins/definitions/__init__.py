"""What people write for Jenkins, checked before Jenkins sees it: CasC files, job definitions, Jenkinsfiles.

It decides which faults can be found without a Jenkins, each with file, line and column, and renders jobs with Job Builder. It
needs no network and no machine. The acts casc and jobs, the context and `jenkins.controller` import it.
"""
