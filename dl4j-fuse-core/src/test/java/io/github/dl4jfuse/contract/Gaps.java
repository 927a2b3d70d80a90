package io.github.dl4jfuse.contract;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What misses the contract today, and why. The list may only shrink: a gap that no longer is one fails the contract, and so
 * does one that has grown.
 */
final class Gaps {

    /**
     * A gap.
     *
     * @param cases the names of the cases that it excuses
     * @param example one of them, which is always run and has to miss the contract
     * @param ratio the loss by Adam's where that is what is missed, or 0
     */
    record Gap(Pattern cases, String example, double ratio, String cause) {

        boolean covers(Case subject) {
            return cases.matcher(subject.name()).matches();
        }

        /** Returns whether the loss is by a tenth higher than the list says. */
        boolean hasGrown(Result result) {
            return ratio > 0 && result.ratio() > Training.LIMIT * ratio;
        }

        boolean isExample(Case subject) {
            return example.equals(subject.name());
        }
    }

    private static final List<Gap> ALL = List.of();

    private Gaps() {}

    static List<Gap> all() {
        return ALL;
    }

    static Optional<Gap> of(Case subject) {
        return ALL.stream().filter(gap -> gap.covers(subject)).findFirst();
    }

    /** The default's loss on a network, so many times Adam's. */
    private static Gap loss(String network, String batches, double ratio, String cause) {
        Network entry = Catalogue.named(network);
        String name = network + "/" + Contestant.DEFAULT + "/training/" + batches + "/"
                + entry.forms().get(0);
        return new Gap(Pattern.compile(Pattern.quote(name)), name, ratio, cause);
    }

    private static Gap broken(String cases, String example, String cause) {
        return new Gap(Pattern.compile(cases), example, 0, cause);
    }
}
