package io.github.dl4jfuse.tools.compare;

import java.util.List;

/**
 * Contestants that are tuned together.
 *
 * @param name on the command line
 * @param description in one line
 * @param tuned whether the best member by validation stands for the family; otherwise all members run with all seeds
 * @param members the trials in their order, the standard setting first
 */
public record Family(String name, String description, boolean tuned, List<Contestant> members) {

    /** The family that all others are compared with. */
    public static final String BASELINE = "adamw";

    /** Returns a family of one contestant, at its own settings. */
    public static Family of(Contestant contestant) {
        return of("as it comes, at its defaults", contestant);
    }

    static Family of(String description, Contestant contestant) {
        return new Family(contestant.name(), description, false, List.of(contestant));
    }

    /** Returns the members that take part where each tuned family has so many trials. */
    List<Contestant> trials(int count) {
        return tuned ? members.subList(0, Math.min(count, members.size())) : members;
    }
}
