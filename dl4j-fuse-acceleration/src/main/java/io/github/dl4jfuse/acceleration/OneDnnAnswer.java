package io.github.dl4jfuse.acceleration;

/** The shape that DL4J expects of the class it looks up; see {@link EnvironmentAdapter}. Must not name itself. */
public final class OneDnnAnswer {

    private static final Object INSTANCE = new OneDnnAnswer();

    private OneDnnAnswer() {}

    /** Called by DL4J through reflection. */
    public static Object getInstance() {
        return INSTANCE;
    }

    /** Called by DL4J through reflection; {@link Acceleration} has looked before at what the backend was built with. */
    public boolean isUseMKLDNN() {
        return true;
    }
}
