"""Jobs of the play of jenkinsapi: with an artifact, with tests, with a repository, with a question, and one that waits."""

import re

FREE = """<project><properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>
<hudson.model.StringParameterDefinition><name>P</name><defaultValue>v</defaultValue></hudson.model.StringParameterDefinition>
</parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties><builders><hudson.tasks.Shell>
<command>echo begun; echo x &gt; t.txt</command></hudson.tasks.Shell></builders>
<publishers><hudson.tasks.ArtifactArchiver><artifacts>t.txt</artifacts><fingerprint>true</fingerprint></hudson.tasks.ArtifactArchiver>
</publishers></project>"""
TESTED = FREE.replace(
    "echo begun; echo x &gt; t.txt",
    'printf \'%s\' \'&lt;testsuite name="s"&gt;&lt;testcase classname="c" name="n"/&gt;&lt;/testsuite&gt;\' &gt; t.xml',
)
TESTED = re.sub(
    "<publishers>.*</publishers>",
    "<publishers><hudson.tasks.junit.JUnitResultArchiver><testResults>t.xml</testResults></hudson.tasks.junit.JUnitResultArchiver>"
    "</publishers>",
    TESTED,
    flags=re.DOTALL,
)
GIT = """<project><scm class="hudson.plugins.git.GitSCM"><configVersion>2</configVersion><userRemoteConfigs>
<hudson.plugins.git.UserRemoteConfig><url>file:///nowhere</url></hudson.plugins.git.UserRemoteConfig></userRemoteConfigs>
<branches><hudson.plugins.git.BranchSpec><name>*/main</name></hudson.plugins.git.BranchSpec></branches></scm></project>"""
ASKS = """<flow-definition><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition">
<script>input id: 'Ask', message: 'go on?'</script><sandbox>true</sandbox></definition></flow-definition>"""
LATER = "<project><assignedNode>nowhere</assignedNode><canRoam>false</canRoam></project>"
