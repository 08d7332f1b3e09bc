import hudson.model.Result

/** The global `env`. */
class EnvironmentVariables {
    Object getProperty(String name) { name == 'environment' ? getEnvironment() : Channel.call('_env', [name: name]) }

    void setProperty(String name, Object value) { Channel.call('_setEnv', [name: name, value: value == null ? null : String.valueOf(value)]) }

    Object getAt(String name) { getProperty(name) }

    void putAt(String name, Object value) { setProperty(name, value) }

    Object get(String name) { getProperty(name) }

    Map getEnvironment() { (Map) Channel.call('_environment', [:]) }
}

/** The global `currentBuild`, and other builds to which its properties lead; `reference` is empty for the current build. */
class RunWrapper {
    private final String reference

    RunWrapper(String reference = '') { this.@reference = reference }

    Object getProperty(String name) {
        if (name == 'nextBuild' || (name.startsWith('previous') && name.endsWith('Build')) || name == 'previousBuildInProgress') {
            def other = Channel.call('_build', [reference: this.@reference, name: name])
            return other == null ? null : new RunWrapper((String) other)
        }
        return Channel.call('_build', [reference: this.@reference, name: name])
    }

    void setProperty(String name, Object value) {
        Channel.call('_setBuild', [reference: this.@reference, name: name, value: value == null ? null : String.valueOf(value)])
    }

    // A Jenkinsfile may call getX() instead of reading the property x.
    Object methodMissing(String name, Object given) {
        if (name.startsWith('get') && name.length() > 3) {
            return getProperty(name[3].toLowerCase() + name.substring(4))
        }
        throw new MissingMethodException(name, RunWrapper, (Object[]) given)
    }

    List getBuildCauses(Object kind = null) {
        def all = (List) Channel.call('_build', [reference: this.@reference, name: 'buildCauses'])
        return kind == null ? all : all.findAll { it._class == (kind instanceof Class ? kind.name : String.valueOf(kind)) }
    }

    boolean resultIsBetterOrEqualTo(String other) { readCurrentResult().isBetterOrEqualTo(Result.fromString(other)) }

    boolean resultIsWorseOrEqualTo(String other) { readCurrentResult().isWorseOrEqualTo(Result.fromString(other)) }

    private Result readCurrentResult() { Result.fromString((String) Channel.call('_build', [reference: this.@reference, name: 'currentResult'])) }
}
