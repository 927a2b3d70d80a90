package io.github.dl4jfuse.datasets;

import java.io.Console;

/** Whether somebody watches: progress bars are for people. */
public final class Terminal {

    private Terminal() {}

    /** Returns whether standard input and output are a terminal. */
    @SuppressWarnings("SystemConsoleNull") // the test that the check asks for follows
    public static boolean isPresent() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            // Since Java 22 there is a console for pipes too, and only a method new in Java 22 tells them apart.
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException e) {
            return Runtime.version().feature() < 22;
        }
    }
}
