package jenkins.model

/** Stands where scripts look for Jenkins itself: the sandbox refuses it, and without the sandbox the emulator does. */
class Jenkins {
    static Jenkins get() { throw new hudson.AbortException('the emulator has no Jenkins object for a Pipeline') }
    static Jenkins getInstance() { get() }
    static Jenkins getInstanceOrNull() { get() }
    static Jenkins getActiveInstance() { get() }
}
