package io.github.dl4jfuse.contract;

import io.github.dl4jfuse.contract.Network.Cause;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;

/** A log line counts as said only if it names the cause, and only where the cause is. */
final class Sentences {

    private static final String MISSES_LISTENER = "Add net.addListeners(";
    private static final String NO_LBFGS = "There will be no L-BFGS on fixed batches";

    private static final String NO_METRIC = "whose inputs have no metric";

    /** Layers that have one, if they are not too narrow. */
    private static final Set<Class<?>> MEASURED = Set.of(
            DenseLayer.class,
            OutputLayer.class,
            ConvolutionLayer.class,
            LSTM.class,
            SimpleRnn.class,
            RnnOutputLayer.class,
            FrozenLayer.class,
            FrozenLayerWithBackprop.class);

    private Sentences() {}

    /** Returns what is wrong with the log of a training without faults in its data. */
    static Optional<String> wrong(Case subject, Course course, LogLines log) {
        Contestant contestant = subject.contestant();
        List<String> lines = log.all();
        boolean alone = contestant != Contestant.ADAM && !contestant.hasListener();
        if (alone != says(lines, MISSES_LISTENER)) {
            return Optional.of(alone ? "does not say that it misses its listener" : "misses a listener that is there");
        }
        List<Cause> causes = subject.network().causes();
        Optional<String> unfounded = log.warnings().stream()
                .filter(line -> !alone && causes.stream().noneMatch(cause -> line.contains(cause.words)))
                .findFirst();
        if (unfounded.isPresent()) {
            return Optional.of("warns without a cause: " + unfounded.get());
        }
        if (contestant == Contestant.LFSO
                && causes.contains(Cause.OTHER_GRADIENT)
                && !says(lines, Cause.OTHER_GRADIENT.words)) {
            return Optional.of("does not say that the gradient is not that of the loss");
        }
        Optional<String> problem = contestant.hasMetric() ? wrongOnMetrics(course, lines) : Optional.empty();
        return problem.isEmpty()
                        && contestant.isAutomatic()
                        && contestant.hasListener()
                        && contestant != Contestant.PRECONDITIONED_ADAM
                ? wrongOnFixedBatches(subject, lines)
                : problem;
    }

    private static Optional<String> wrongOnMetrics(Course course, List<String> lines) {
        String said = lines.stream()
                .filter(line -> line.contains(NO_METRIC))
                .findFirst()
                .orElse("");
        for (Layer layer : course.layers()) {
            var configuration = layer.conf().getLayer();
            if (layer.numParams() > 0
                    && !MEASURED.contains(configuration.getClass())
                    && !said.contains(configuration.getLayerName())) {
                return Optional.of("does not say that the inputs of " + configuration.getLayerName() + ", a "
                        + configuration.getClass().getSimpleName() + ", have no metric");
            }
        }
        return Optional.empty();
    }

    private static Optional<String> wrongOnFixedBatches(Case subject, List<String> lines) {
        List<Cause> causes = subject.network().causes().stream()
                .filter(cause -> cause.endsLbfgs)
                .toList();
        List<String> said =
                lines.stream().filter(line -> line.contains(NO_LBFGS)).toList();
        if (causes.isEmpty()) {
            return said.isEmpty() ? Optional.empty() : Optional.of("says without a cause: " + said.get(0));
        }
        if (said.size() != 1) {
            return Optional.of("says " + said.size() + " times that there is no L-BFGS because of " + causes);
        }
        boolean named = causes.stream().anyMatch(cause -> said.get(0).contains(cause.words));
        return named ? Optional.empty() : Optional.of("does not name " + causes + ": " + said.get(0));
    }

    private static boolean says(List<String> lines, String part) {
        return lines.stream().anyMatch(line -> line.contains(part));
    }
}
