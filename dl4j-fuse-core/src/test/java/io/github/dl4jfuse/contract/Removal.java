package io.github.dl4jfuse.contract;

import java.util.Arrays;
import java.util.Optional;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.nd4j.linalg.dataset.MultiDataSet;

/** setListeners without ours in the middle: the training goes on, and a bad batch does no harm after it. */
final class Removal implements Companion {

    private static final int HALF = 14;

    /** DL4J moves the centres of a centre loss by the raw gradient whatever the updater, which so cannot keep NaN off them. */
    private static final String MOVED_BY_DL4J = "centerloss";

    @Override
    public String name() {
        return "listener-removed";
    }

    @Override
    public String title() {
        return "setListeners without ours, then a batch with NaN";
    }

    @Override
    public boolean adamExcuses() {
        return false;
    }

    @Override
    public Optional<String> check(Case subject) {
        if (subject.network().name().equals(MOVED_BY_DL4J)
                || subject.network().causes().contains(Network.Cause.OTHER_UPDATER)) {
            return Optional.empty(); // what is not ours breaks, and all that hangs on it
        }
        Course course = subject.start().train(HALF).listening(new ScoreIterationListener(1000));
        course.train(1);
        MultiDataSet bad = course.next();
        bad.getLabels(0).assign(Double.NaN);
        course.fit(bad);
        if (!Course.isFinite(course.parameters())) {
            return Optional.of("a batch with NaN breaks the parameters once the listener is gone");
        }
        double[] before = course.parameters();
        course.train(3);
        return Arrays.equals(before, course.parameters())
                ? Optional.of("nothing is trained once the listener is gone")
                : Companions.finite(course);
    }
}
