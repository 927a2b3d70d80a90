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

    private static final List<Gap> ALL = List.of(
            broken(
                    "[\\w-]*(layer-rate|bidirectional|attention|samediff|capsules|locally-connected)[\\w-]*/.*/learning-rate/.*",
                    "layer-rate-zero/fuse-pv-switched/learning-rate/many/layers-float-without-workspaces",
                    "Where setLearningRate makes rates equal that differed, or makes them differ (it does not reach the layers"
                            + " within Bidirectional, nor those made with SameDiff), DL4J builds other updater blocks and takes their state for whole"
                            + " vectors, which a state with a header is not: it throws an IllegalStateException. Set such"
                            + " rates by schedules, or by TransferLearning's fineTuneConfiguration."),
            broken(
                    "ocnn/.*fuse.*/own-gradient/.*",
                    "ocnn/preconditioned-fuse/own-gradient/many/layers-double-without-workspaces",
                    "In its backward pass OCNNOutputLayer keeps a window of the outputs that it has seen, and at the first one"
                            + " of an epoch sets r by them, so that whatever evaluates in between has a say in the training."));

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
