package net.sf.json

/** An array of a JSON text; as a text it is JSON. */
class JSONArray extends ArrayList {
    String toString() { groovy.json.JsonOutput.toJson((Collection) this) }
}
