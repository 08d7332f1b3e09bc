/** The emulator does not know whether Jenkins' sandbox permits this, and refuses it with a message of its own. */
class UnknownInSandbox extends SecurityException {
    static final String KIND = 'emulator.UnknownInSandbox'

    UnknownInSandbox(String what) {
        super("${what} is not known to the emulator, whose sandbox refuses what it does not know; Jenkins may permit it".toString())
        // The compiler would print the frames of the emulator; only those of the script are kept.
        stackTrace = stackTrace.findAll { it.fileName == 'WorkflowScript' } as StackTraceElement[]
    }
}
