package hudson.model

/** The old name of Jenkins itself; see there. */
class Hudson {
    static Object getInstance() { jenkins.model.Jenkins.get() }
}
