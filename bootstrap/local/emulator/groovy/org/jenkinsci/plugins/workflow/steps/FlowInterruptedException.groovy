package org.jenkinsci.plugins.workflow.steps

import hudson.model.Result

/** The build was aborted, its time ran out, or a user refused an input. */
class FlowInterruptedException extends InterruptedException {
    final Result result

    FlowInterruptedException(String message, String result) {
        super(message)
        this.result = Result.fromString(result)
    }

    List getCauses() { [] }
}
