package io.github.dl4jfuse.datasets;

/**
 * A data set could not be found, fetched or read. The message says in plain sentences which file is concerned, at which
 * byte, what was expected there, what was found, and how to get a good copy.
 */
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Creates an exception; the message says what went wrong and what can be done about it. */
    public DataException(String message) {
        super(message);
    }

    /** Creates an exception that another one led to, for example an {@link java.io.IOException}. */
    public DataException(String message, Throwable cause) {
        super(message, cause);
    }
}
