package hudson

/** An expected failure of a step: only its message is shown. */
class AbortException extends IOException {
    AbortException() { super() }
    AbortException(String message) { super(message) }
}
