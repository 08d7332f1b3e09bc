"""What is right in a Jenkinsfile is not refused; what is wrong is refused by tests/cases/bad-input/jenkinsfiles.yaml."""

from bootstrap.jenkins.definitions import pipelines

GOOD = r"""#!/usr/bin/env groovy
@Library('shared@1') _
import groovy.transform.Field
/* a { comment */
def settings = [a: 1, b: "it's"]  // and } another

pipeline {
    agent { docker { image 'debian:13'; args '-v /tmp:/tmp' } }
    libraries { lib('x') }
    options {
        timeout(time: 1, unit: 'HOURS')
        someoneElsesOption('x')
        buildDiscarder(logRotator(numToKeepStr: '5',
                                  artifactNumToKeepStr: '1'))
    }
    parameters { string(name: 'A', defaultValue: ''); booleanParam(name: 'B', defaultValue: true) }
    triggers { cron('H 3 * * *') }
    tools { jdk '25' }
    environment {
        KEY = credentials('key')
        PLAIN = "${params.A}-x"
        CALLED = sh(script: 'date', returnStdout: true).trim()
        READ = readFile('x')
    }
    stages {
        stage("One ${1}") {
            when { beforeAgent true; anyOf { branch 'main'; not { expression { params.B && !(env.X ==~ 'a|b') } } } }
            failFast true
            parallel {
                stage('Left') {
                    agent none
                    stages { stage('Deep') { steps { echo 'deep' } } }
                    post { always { junit testResults: '**/*.xml', allowEmptyResults: true } }
                }
                stage('Right') {
                    input { message 'Go on?'; submitter 'a,b' }
                    steps {
                        sh 'tool --key "$KEY" --user ${KEY_USR}'
                        sh "tool ${params.A} '$PLAIN'"
                        withCredentials([usernamePassword(credentialsId: 'l', usernameVariable: 'U', passwordVariable: 'P')]) {
                            sh 'login "$U" "$P"'
                        }
                        retry(3) { timeout(time: 1) { sh label: 'long', script: '''
                            # { not a brace
                            echo "it's"
                        ''' } }
                        ourLibrary.doesIt(a: 1)
                        ourOwnStep name: 'x', other: [1, 2]
                        script {
                            def found = findFiles(glob: '*')
                            if (found) { echo 'x' } else if (settings.b) { echo 'y' }
                            else { echo 'z' }
                            try { ech() } catch (Exception e) { throw e } finally { sh 'true' }
                            parallel(a: { sh 'a' }, b: { sh 'b' })
                            def shown = found ? 'some' : 'none'
                            found.each { it -> println "${it.name}" }
                        }
                    }
                }
            }
        }
        stage('Matrix') {
            matrix {
                axes { axis { name 'OS'; values 'a', 'b' } }
                stages { stage('Each') { steps { build job: 'x', parameters: [string(name: 'A', value: 'b')] } } }
            }
        }
    }
    post {
        always { cleanWs() }
        unsuccessful { emailext to: 'a@localhost',
                                subject: "x",
                                body: 'y' }
    }
}

def ech() { return 1 }
"""


def test_a_correct_pipeline_has_no_fault() -> None:
    assert [] == [str(it) for it in pipelines.find_faults("Jenkinsfile", GOOD)]


def test_every_fault_is_reported_once_in_the_order_of_the_lines() -> None:
    text = GOOD.replace("junit testResults", "junitt testResults").replace("echo 'deep'", "ech 'deep'")

    found = list(pipelines.find_faults("Jenkinsfile", text))

    assert ["did you mean 'echo'?", "did you mean 'junit'?"] == [it.message.rpartition("; ")[2] for it in found]
    assert sorted(it.line for it in found) == [it.line for it in found]


def test_windows_line_ends_and_tabs_change_nothing() -> None:
    assert [] == list(pipelines.find_faults("Jenkinsfile", GOOD.replace("    ", "\t").replace("\n", "\r\n")))


def test_an_empty_file_is_no_pipeline() -> None:
    (found,) = pipelines.find_faults("Jenkinsfile", "")

    assert (1, 1) == (found.line, found.column)
