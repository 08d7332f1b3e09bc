package jenkins.model

/** Refuses Pipelines that use the Jenkins object. In the sandbox Jenkins' own refusal comes first. */
class Jenkins {
    static Jenkins get() { throw new hudson.AbortException('the emulator has no Jenkins object for a Pipeline') }
    static Jenkins getInstance() { get() }
    static Jenkins getInstanceOrNull() { get() }
    static Jenkins getActiveInstance() { get() }
}
