import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** Decides by its conditions whether `retry` tries its body again after a failure. */
class RetryCondition {
    private static final List<String> AGENT_KINDS = ['hudson.remoting.ChannelClosedException', 'hudson.remoting.RequestAbortedException',
        'org.jenkinsci.plugins.workflow.support.steps.AgentOfflineException', 'org.jenkinsci.plugins.workflow.steps.MissingContextVariableException']
    private static final String NOT_RESUMED = 'org.jenkinsci.plugins.workflow.steps.SynchronousResumeNotSupportedException'

    /** Whether one of the conditions fits; without any, everything but an interruption of the build itself does. */
    static boolean fits(Throwable problem, List conditions) {
        if (conditions.isEmpty()) {
            return !(problem instanceof FlowInterruptedException && problem.isActual)
        }
        return conditions.any { Object condition -> test((String) ((Map) condition)['$class'], problem) }
    }

    private static boolean test(String condition, Throwable problem) {
        String kind = problem instanceof StepProblem ? problem.kind : problem.class.name
        switch (condition) {
            case 'agent':
                return problem instanceof FlowInterruptedException ? problem.isOfAgent : AGENT_KINDS.contains(kind)
            case 'nonresumable':
                return kind == NOT_RESUMED
            default:
                throw new hudson.AbortException("the condition ${condition} of retry is not known to the emulator".toString())
        }
    }
}
