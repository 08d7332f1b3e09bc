package jenkins.model

/** What a script of the script console finds of Jenkins here: its active monitors, as the emulator tells them. */
class Jenkins {

    static Jenkins get() { new Jenkins() }

    static Jenkins getInstance() { get() }

    List<Monitor> getActiveAdministrativeMonitors() {
        (System.getenv('EMULATED_MONITORS') ?: '').tokenize().collect { new Monitor(it) }
    }

    static class Monitor {

        final String id
        final boolean activationFake = false

        Monitor(String id) { this.id = id }
    }
}
