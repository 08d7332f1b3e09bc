package org.jenkinsci.plugins.scriptsecurity.sandbox

/** A script uses something that the sandbox of Jenkins does not permit. */
class RejectedAccessException extends SecurityException {
    RejectedAccessException(String message) { super(message) }
}
