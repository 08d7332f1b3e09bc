package org.jenkinsci.plugins.pipeline.utility.steps.fs

/** A file of the workspace; as a text it is its path. */
class FileWrapper implements Serializable {
    final String name, path
    final boolean directory
    final long length, lastModified

    FileWrapper(Map values) {
        path = values.path
        name = path.tokenize('/').last()
        directory = values.directory
        length = (long) values.length
        lastModified = (long) values.modified
    }

    String toString() { path }
}
