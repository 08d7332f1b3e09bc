package org.jenkinsci.plugins.workflow.steps

import hudson.model.Result

/** The build was aborted, its time ran out, or a user refused an input. */
class FlowInterruptedException extends InterruptedException {
    final Result result
    /** Whether the build itself was interrupted; a timeout that has ended its body is a failure of this step only. */
    final boolean isActual
    /** Whether an agent was lost. */
    final boolean isOfAgent

    FlowInterruptedException(String message, String result, boolean isActual = true, boolean isOfAgent = false) {
        super(message)
        this.isOfAgent = isOfAgent
        this.result = Result.fromString(result)
        this.isActual = isActual
    }

    List getCauses() { [] }
}
