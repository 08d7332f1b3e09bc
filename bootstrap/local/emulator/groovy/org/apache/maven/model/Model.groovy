package org.apache.maven.model

/** The main values of a Maven project. */
class Model implements Serializable {
    final String groupId, artifactId, version, packaging, name, description, url, modelVersion
    final Map properties
    final List modules

    Model(Map values) {
        (groupId, artifactId, version, packaging) = [values.groupId, values.artifactId, values.version, values.packaging]
        (name, description, url, modelVersion) = [values.name, values.description, values.url, values.modelVersion]
        properties = (Map) values.properties
        modules = (List) values.modules
    }
}
