package hudson.model

/** The former name of the class jenkins.model.Jenkins. */
class Hudson {
    static Object getInstance() { jenkins.model.Jenkins.get() }
}
