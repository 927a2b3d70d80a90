package io.github.dl4jfuse.updater;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.github.dl4jfuse.precondition.InputPreconditioner;
import io.github.dl4jfuse.precondition.InputPreconditionerFactory;
import io.github.dl4jfuse.precondition.Preconditioner;
import io.github.dl4jfuse.precondition.PreconditionerFactory;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of {@link Preconditioned} for one block of parameters: first the rule's own, then the metrics of the layers.
 *
 * <p>Whoever knows the layers tells the updater where their weights lie ({@link #setLayers}) and shows their inputs to the
 * metrics. Not thread-safe, like all of DL4J's updaters.
 */
public final class PreconditionedUpdater extends BlockUpdater<Preconditioned> {

    private static final Logger log = LoggerFactory.getLogger(PreconditionedUpdater.class);
    private static final String STATE_KEY = "ADAPTED"; // its first name, which is written into saved SameDiff models
    private static final OncePerNetwork MISSES_LISTENER = new OncePerNetwork();
    private static final OncePerNetwork SPOILS = new OncePerNetwork();

    /**
     * A layer's weights within the block.
     *
     * @param weights where they begin: nOut times nIn contiguous numbers
     * @param biases where the nOut biases begin, or -1
     * @param inputs nIn
     * @param outputs nOut
     */
    public record Layer(long weights, long biases, int inputs, int outputs) {}

    private record Part(Layer layer, Preconditioner metric) {}

    private final Preconditioned config;
    private GradientUpdater<?> rule;
    private INDArray metricMemory;
    private List<Part> parts = List.of();
    private double warmUpSteps = Preconditioned.WARM_UP_STEPS;
    private INDArray viewed; // DL4J hands in one and the same array, and views of it cost as much as T for small layers
    private List<INDArray[]> views = List.of();

    PreconditionedUpdater(Preconditioned config) {
        super(config, STATE_KEY);
        this.config = config;
    }

    /** Says where the layers' weights lie in a block of n parameters; returns a metric for each, null where none fits. */
    public List<Preconditioner> setLayers(List<Layer> layers, long n) {
        bind(n);
        List<Part> all = new ArrayList<>();
        List<Preconditioner> metrics = new ArrayList<>();
        PreconditionerFactory factory = factory(layers, n);
        long from = 0;
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            for (Layer layer : layers) {
                boolean bias = layer.biases() >= 0;
                long size = factory.size(layer.inputs(), bias);
                if (from + size > n) { // a block of a handful of parameters has no room for even the size of its inputs
                    metrics.add(null);
                    continue;
                }
                Preconditioner metric =
                        factory.create(layer.inputs(), bias, metricMemory.get(interval(from, from + size)));
                from += size;
                all.add(new Part(layer, metric));
                metrics.add(metric);
            }
        }
        parts = all;
        viewed = null;
        return metrics;
    }

    private PreconditionerFactory factory(List<Layer> layers, long n) {
        if (config.preconditioner() != null) {
            return config.preconditioner();
        }
        int[] inputs = layers.stream().mapToInt(Layer::inputs).toArray();
        return InputPreconditionerFactory.thatFits(inputs, n, config.damping());
    }

    @Override
    void unbind() {
        rule = null;
        parts = List.of();
        viewed = null;
    }

    @Override
    void bind(INDArray view, long n) {
        long ofRule = view.length() - n;
        INDArray ruleMemory = ofRule == 0 ? null : view.get(interval(0, ofRule)).reshape(1, ofRule);
        if (ruleMemory != null) {
            FiniteState.require(ruleMemory);
        }
        // A restored state is not all zero; a new one may have to be something else than zero.
        boolean fresh = ruleMemory != null && ruleMemory.amaxNumber().doubleValue() == 0;
        rule = AdamRule.instantiate(config.rule(), ruleMemory, fresh);
        if (rule instanceof FuseUpdater fuse) {
            fuse.setWrapped();
        }
        metricMemory = view.get(interval(ofRule, view.length()));
        if (!FiniteState.isFinite(metricMemory)) {
            metricMemory.assign(0);
            log.warn(
                    "The saved metric of a layer's inputs has numbers that are NaN or infinite, so it starts anew. Was the"
                            + " model saved after bad data, or damaged?");
        }
    }

    /** Forgets gradients and inputs, as at the start; a listener shows the metrics the next batch. */
    public void reset() {
        if (rule instanceof FuseUpdater fuse) {
            fuse.resetMoments();
        } else if (rule != null && state().length() > metricMemory.length()) {
            long ofRule = state().length() - metricMemory.length();
            try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
                rule = AdamRule.instantiate(
                        config.rule(), state().get(interval(0, ofRule)).reshape(1, ofRule), true);
            }
        }
        resetMetric();
    }

    /** Forgets the inputs alone. */
    public void resetMetric() {
        parts.forEach(each -> each.metric().reset());
    }

    /** Says how many examples the batch has, for the warm-up. */
    public void setBatchSize(int examples) {
        warmUpSteps =
                Preconditioned.WARM_UP_STEPS * Math.sqrt(Math.min(1, Preconditioned.WARM_UP_BATCH / (double) examples));
    }

    /** Returns the state of the rule for a block of {@code n} parameters. */
    public GradientUpdater<?> rule(long n) {
        bind(n);
        return rule;
    }

    @Override
    void step(INDArray gradient, int iteration, int epoch, boolean alone) {
        if (alone) {
            sayOnceThatItMissesTheListener(gradient, iteration);
        }
        if (rule instanceof FuseUpdater fuse && fuse.holdsNextStep()) {
            rule.applyUpdater(gradient, iteration, epoch);
            return;
        }
        if (leavesOut(gradient, iteration)) {
            return;
        }
        boolean preconditioned = parts.stream().anyMatch(each -> !each.metric().isIdentity());
        if (preconditioned) {
            transform(gradient);
            if (isSpoilt(gradient, iteration)) {
                return;
            }
        }
        rule.applyUpdater(gradient, iteration, epoch);
        if (preconditioned && config.hasLearningRate() && config.getLearningRate(iteration, epoch) == 0) {
            gradient.assign(0); // DL4J's Adam moves by its epsilon then, which T would stretch
        } else if (preconditioned) {
            if (iteration + 1 < warmUpSteps) {
                gradient.muli((iteration + 1) / warmUpSteps);
            }
            transform(gradient);
            isSpoilt(gradient, iteration);
        }
    }

    /** A preconditioner of somebody else's may make of finite numbers what nobody can use; no step is taken then. */
    private boolean isSpoilt(INDArray transformed, int iteration) {
        if (config.preconditioner() == null || isUsable(transformed)) {
            return false;
        }
        if (SPOILS.isFirst(transformed, config)) {
            log.warn(
                    "The step of iteration {} is left out: {} made numbers that are NaN, infinite or too large to be squared of a"
                            + " finite gradient. Said once.",
                    iteration,
                    config.preconditioner());
        }
        transformed.assign(0);
        return true;
    }

    /** Whether squares of the gradient and, as T stretches by κ at most, those of T times it are finite numbers of its type. */
    @Override
    boolean isUsable(INDArray gradient) {
        double squares = Nd4j.getBlasWrapper().dot(gradient, gradient) * InputPreconditioner.SQUARED_LENGTH;
        return squares <= (gradient.dataType() == DataType.FLOAT ? Float.MAX_VALUE : Double.MAX_VALUE);
    }

    /** Announces that a listener conducts the next step and lets the metrics see what they have to. Holds for one step. */
    @Override
    public void conductNextStep() {
        super.conductNextStep();
        if (rule instanceof FuseUpdater fuse) {
            fuse.conductNextStep();
        }
    }

    private void sayOnceThatItMissesTheListener(INDArray gradient, int iteration) {
        if (MISSES_LISTENER.isFirst(gradient, config)) {
            boolean fuses = rule instanceof FuseUpdater;
            log.warn(
                    "Preconditioned trains by {} {}: it needs a CurvatureListener, which shows it the layers' inputs{}, and none conducts"
                            + " iteration {}. Add net.addListeners(new CurvatureListener()); net.setListeners(..) takes off those"
                            + " that are there. Pretraining, SameDiff and gradients of your own have none. Said once.",
                    fuses ? "plain Adam" : config.rule().getClass().getSimpleName(),
                    parts.isEmpty() ? "alone" : "in the metric as it was last",
                    fuses ? " and takes L-BFGS steps" : "",
                    iteration);
        }
    }

    /** Applies T, layer by layer, to a vector as long as the block's parameters, in place. */
    public void transform(INDArray vector) {
        if (viewed == null || !isSameMemory(vector, viewed)) {
            try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
                INDArray flat = vector.reshape(vector.length());
                views = parts.stream().map(each -> views(flat, each.layer())).toList();
            }
            viewed = vector;
        }
        for (int i = 0; i < parts.size(); i++) {
            parts.get(i).metric().apply(views.get(i)[0], views.get(i)[1]);
        }
    }

    /** DL4J makes a new view of the same gradients in each step. */
    private static boolean isSameMemory(INDArray one, INDArray other) {
        return one.data().pointer().address() == other.data().pointer().address()
                && one.offset() == other.offset()
                && one.length() == other.length();
    }

    /** Returns a layer's weights, [nIn, nOut], and its biases or null. */
    private static INDArray[] views(INDArray flat, Layer layer) {
        long count = (long) layer.inputs() * layer.outputs();
        return new INDArray[] {
            flat.get(interval(layer.weights(), layer.weights() + count)).reshape('f', layer.inputs(), layer.outputs()),
            layer.biases() < 0
                    ? null
                    : flat.get(interval(layer.biases(), layer.biases() + layer.outputs()))
                            .reshape('f', 1, layer.outputs())
        };
    }
}
