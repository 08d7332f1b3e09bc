package org.jenkinsci.plugins.workflow.steps

import hudson.model.Result

/** The build was stopped, timed out, or a question was refused. */
class FlowInterruptedException extends InterruptedException {
    final Result result

    FlowInterruptedException(String message, String result) {
        super(message)
        this.result = Result.fromString(result)
    }

    List getCauses() { [] }
}
