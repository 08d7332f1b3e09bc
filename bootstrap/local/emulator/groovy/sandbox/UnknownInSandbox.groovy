/** The sandbox of the emulator does not know whether Jenkins permits this, and refuses it in its own name. */
class UnknownInSandbox extends SecurityException {
    static final String KIND = 'emulator.UnknownInSandbox'

    UnknownInSandbox(String what) {
        super("the sandbox of the emulator does not know ${what}, and refuses what it does not know; Jenkins may permit it".toString())
        // The compiler would print the frames of the emulator; those of the script stay.
        stackTrace = stackTrace.findAll { it.fileName == 'WorkflowScript' } as StackTraceElement[]
    }
}
