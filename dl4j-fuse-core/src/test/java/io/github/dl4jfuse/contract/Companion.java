package io.github.dl4jfuse.contract;

import java.util.Optional;

/** What is done with a network besides training it, and what must come out. */
interface Companion {

    /** The part of a case's name. */
    String name();

    /** What stands in the table. */
    String title();

    /** Returns what is wrong, if anything; a refusal is an exception. */
    Optional<String> check(Case subject) throws Exception;

    /** Returns whether there is anything to check. */
    default boolean suits(Case subject) {
        return true;
    }

    /** Returns whether the same is asked of Adam where something is wrong, which excuses it. */
    default boolean adamExcuses() {
        return true;
    }

    /** Makes a companion of a name, a line for the table, and a check. */
    static Companion of(String name, String title, Check check) {
        return new Companion() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public String title() {
                return title;
            }

            @Override
            public Optional<String> check(Case subject) throws Exception {
                return check.check(subject);
            }
        };
    }

    /** A check. */
    interface Check {
        Optional<String> check(Case subject) throws Exception;
    }
}
