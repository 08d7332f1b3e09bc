package hudson.model

/** The result of a build; a higher ordinal is a worse result. */
class Result {
    public static final Result SUCCESS = new Result('SUCCESS', 0)
    public static final Result UNSTABLE = new Result('UNSTABLE', 1)
    public static final Result FAILURE = new Result('FAILURE', 2)
    public static final Result NOT_BUILT = new Result('NOT_BUILT', 3)
    public static final Result ABORTED = new Result('ABORTED', 4)
    static final List<Result> ALL = [SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED]

    final String name
    final int ordinal

    private Result(String name, int ordinal) { this.name = name; this.ordinal = ordinal }

    static Result fromString(String text) { ALL.find { it.name == text?.toUpperCase() } ?: FAILURE }

    boolean isWorseThan(Result other) { ordinal > other.ordinal }
    boolean isWorseOrEqualTo(Result other) { ordinal >= other.ordinal }
    boolean isBetterThan(Result other) { ordinal < other.ordinal }
    boolean isBetterOrEqualTo(Result other) { ordinal <= other.ordinal }

    String toString() { name }
}
