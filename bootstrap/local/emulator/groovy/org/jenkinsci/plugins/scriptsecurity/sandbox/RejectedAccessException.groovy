package org.jenkinsci.plugins.scriptsecurity.sandbox

/** What a script gets that uses something which the sandbox of Jenkins does not permit. */
class RejectedAccessException extends SecurityException {
    RejectedAccessException(String message) { super(message) }
}
