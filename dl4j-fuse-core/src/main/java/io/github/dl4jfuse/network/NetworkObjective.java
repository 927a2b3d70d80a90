package io.github.dl4jfuse.network;

import io.github.dl4jfuse.optim.Objective;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.DoubleSupplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * The loss of a {@link MultiLayerNetwork} or {@link ComputationGraph} on a whole data set, as a function of all its
 * parameters in DL4J's order:
 *
 * <pre>
 *   f(x) = (1 / N) Σ loss of an example + penalties
 * </pre>
 *
 * <p>This is what DL4J's score says of all examples in one batch, with l1, l2 and weight decay (½ c |w|², whatever the
 * learning rate), and with masks as DL4J takes them: the loss of a sequence is the sum over its unmasked steps. With
 * {@code miniBatch(false)} the loss is a sum, not a mean. The data may come in several batches, whose losses and gradients
 * are added up in double precision.
 *
 * <p>Dropout and weight noise are off (inside a wrapper such as Bidirectional, the same in each evaluation). BatchNorm
 * is in training mode: each batch is normalised by its own mean and variance, so f depends on how the data are cut into
 * batches; give all of it in one batch where that matters. What is not trained has a gradient of zero: frozen layers,
 * parameters under NoOp or with a learning rate of 0, and BatchNorm's running statistics, which {@link #accept} sets anew.
 *
 * <p>An evaluation leaves the network as it found it: parameters, updater state, score, state of the random generator; no listener
 * hears of it. Only DL4J's gradient array is overwritten. {@link #accept} puts the best point into the network.
 *
 * <p>Refused with an IllegalArgumentException: iterators that cannot be reset. Refused with an IllegalStateException: networks that are not initialised, and truncated backpropagation through time,
 * whose gradient is not that of the loss. Solvers refuse weight constraints, and networks of which nothing may move. Not thread-safe, and neither is the network.
 */
public final class NetworkObjective extends Objective {

    private final Model model;
    private final Dl4jModel network;
    private final Iterable<? extends MultiDataSet> batches;
    private final List<NetworkParameter> parameters;
    private final double pointRoundingUnit;
    private final INDArray found;
    private final INDArray sum;
    private final INDArray part;
    private final long fixedRootState = Nd4j.getRandom().rootState();
    private final long fixedNodeState = Nd4j.getRandom().nodeState();

    /** The loss on one batch. */
    public NetworkObjective(Model model, DataSet data) {
        this(model, List.of(data.toMultiDataSet()));
    }

    /**
     * The loss on a data set that is too large for one pass.
     *
     * @param batchSize examples in one pass; a smaller one needs less memory
     */
    public NetworkObjective(Model model, DataSet data, int batchSize) {
        this(model, parts(data, batchSize));
    }

    /** The loss on one batch of a graph with several inputs or outputs. */
    public NetworkObjective(Model model, MultiDataSet data) {
        this(model, List.of(data));
    }

    /** The loss on all batches of an iterator, which is reset and read through for each evaluation. */
    public NetworkObjective(Model model, DataSetIterator data) {
        this(model, resettable(data.resetSupported(), () -> each(data)));
    }

    /** The loss on all batches of an iterator, which is reset and read through for each evaluation. */
    public NetworkObjective(Model model, MultiDataSetIterator data) {
        this(model, resettable(data.resetSupported(), () -> {
            data.reset();
            return data;
        }));
    }

    private NetworkObjective(Model model, Iterable<? extends MultiDataSet> batches) {
        this(model, batches, Double.NaN);
    }

    private NetworkObjective(Model model, Iterable<? extends MultiDataSet> batches, double pointRoundingUnit) {
        super(requireTrainable(model).params().length(), type(model));
        this.model = model;
        network = Dl4jModel.of(model);
        this.batches = batches;
        this.pointRoundingUnit = Double.isNaN(pointRoundingUnit) ? roundingUnit() : pointRoundingUnit;
        parameters = NetworkParameter.of(model);
        found = Nd4j.zeros(dataType(), dimension());
        sum = Nd4j.zeros(DataType.DOUBLE, dimension());
        part = dataType() == DataType.DOUBLE ? null : Nd4j.zeros(DataType.DOUBLE, dimension());
    }

    /**
     * Returns the same loss in double precision, on a copy of the network that knows nothing of its updaters and of the network it
     * comes from; this objective, if it is in double precision already. Where layers have kinks (ReLU) only double precision allows differences
     * of gradients over distances so short that hardly a unit passes its kink. {@link #pointRoundingUnit} stays what it is here.
     */
    public NetworkObjective inDouble() {
        if (dataType() == DataType.DOUBLE) {
            return this;
        }
        Iterable<MultiDataSet> data = batches instanceof List<? extends MultiDataSet> list
                ? list.stream().map(DoubleCopy::of).toList()
                : () -> {
                    Iterator<? extends MultiDataSet> inFloat = batches.iterator();
                    return new Iterator<>() {
                        @Override
                        public boolean hasNext() {
                            return inFloat.hasNext();
                        }

                        @Override
                        public MultiDataSet next() {
                            return DoubleCopy.of(inFloat.next());
                        }
                    };
                };
        return new NetworkObjective(DoubleCopy.of(model), data, pointRoundingUnit);
    }

    @Override
    public double pointRoundingUnit() {
        return pointRoundingUnit;
    }

    private static Iterable<MultiDataSet> resettable(boolean resetSupported, Iterable<MultiDataSet> batches) {
        if (!resetSupported) {
            throw new IllegalArgumentException(
                    "The iterator cannot be reset, but each evaluation reads it through: take"
                            + " one that can, or a DataSet.");
        }
        return batches;
    }

    private static List<MultiDataSet> parts(DataSet data, int batchSize) {
        if (batchSize < 1) {
            throw new IllegalArgumentException("A batch has at least one example, not " + batchSize + ".");
        }
        List<MultiDataSet> parts = new ArrayList<>();
        for (int from = 0; from < data.numExamples(); from += batchSize) {
            parts.add(((DataSet) data.getRange(from, Math.min(from + batchSize, data.numExamples()))).toMultiDataSet());
        }
        return parts;
    }

    private static Iterator<MultiDataSet> each(DataSetIterator data) {
        data.reset();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return data.hasNext();
            }

            @Override
            public MultiDataSet next() {
                return data.next().toMultiDataSet();
            }
        };
    }

    private static Model requireTrainable(Model model) {
        if (!Dl4jModel.isNetwork(model)) {
            throw new IllegalStateException(
                    "A NetworkObjective is made of a MultiLayerNetwork or a ComputationGraph, not" + " of a "
                            + (model == null ? "null" : model.getClass().getName()) + ".");
        }
        Dl4jModel network = Dl4jModel.of(model);
        if (network.usesTruncatedBackprop()) {
            throw new IllegalStateException("The gradient of truncated backpropagation through time is not that of the"
                    + " loss: use BackpropType.Standard.");
        }
        if (!network.isInitialised()) {
            throw new IllegalStateException("The network has no parameters yet: call init() first.");
        }
        return model;
    }

    private static DataType type(Model model) {
        return model.params().dataType();
    }

    /** Returns a copy of the network's parameters. */
    @Override
    public INDArray start() {
        return flat(model.params()).dup();
    }

    /** Sets the components of frozen parameters and of BatchNorm's statistics to zero. */
    @Override
    public void clearFixed(INDArray direction) {
        requireVector(direction, "The direction");
        for (NetworkParameter parameter : parameters) {
            if (!parameter.isTrained()) {
                parameter.slice(direction).assign(0);
            }
        }
    }

    /** Refuses weight constraints, which no solver would keep, and networks of which no parameter may move. */
    @Override
    public void requireMinimisable() {
        Constraints.requireNone(model);
        if (parameters.stream().noneMatch(NetworkParameter::isTrained)) {
            throw new IllegalStateException(
                    "No parameter of the network may move: all are frozen, under NoOp or have the"
                            + " learning rate 0. Give the layers that are to be trained an updater with a rate.");
        }
    }

    /** Puts the point into the network, and sets BatchNorm's running statistics to those of the data there. */
    @Override
    public void accept(INDArray best) {
        requireVector(best, "The best point");
        flat(model.params()).assign(best);
        undisturbed(() -> {
            new BatchNormStatistics(parameters).update(batches, batch -> {
                pass(batch);
                return flat(model.getGradientsViewArray());
            });
            return 0;
        });
    }

    private static INDArray flat(INDArray array) {
        return array.reshape(array.length());
    }

    @Override
    protected double evaluate(INDArray point, INDArray gradient) {
        found.assign(flat(model.params()));
        double score = model.score();
        flat(model.params()).assign(point);
        try {
            return undisturbed(() -> total(gradient));
        } finally {
            flat(model.params()).assign(found);
            network.setScore(score);
        }
    }

    /** Runs something without listeners and noise, and puts the random generator back. */
    private double undisturbed(DoubleSupplier computation) {
        List<TrainingListener> listeners = List.copyOf(network.listeners());
        Random random = Nd4j.getRandom();
        long rootState = random.rootState();
        long nodeState = random.nodeState();
        List<StochasticLayers> noise = network.layers().stream()
                .flatMap(layer -> StochasticLayers.switchOff(layer).stream())
                .toList();
        Runnable updater = network.keepUpdater();
        network.setListeners(List.of());
        random.setStates(fixedRootState, fixedNodeState);
        try {
            return computation.getAsDouble();
        } finally {
            network.setListeners(listeners);
            noise.forEach(StochasticLayers::restore);
            updater.run();
            random.setStates(rootState, nodeState);
        }
    }

    private double total(INDArray gradient) {
        boolean mean = model.conf().isMiniBatch();
        double penalty = penalty();
        double loss = 0;
        long examples = 0;
        sum.assign(0);
        for (MultiDataSet batch : batches) {
            long count = batch.getFeatures(0).size(0);
            double score = gradient == null ? network.score(batch) : pass(batch);
            loss += (score - penalty) * (mean ? count : 1);
            examples += count;
            if (gradient != null) {
                INDArray raw = flat(model.getGradientsViewArray());
                sum.addi(part == null ? raw : part.assign(raw));
            }
        }
        if (examples == 0) {
            throw new IllegalStateException("The data are empty: there is no loss to compute.");
        }
        double scale = mean ? 1.0 / examples : 1;
        if (gradient != null) {
            gradient.assign(sum.muli(scale));
            addPenalties(gradient);
        }
        return scale * loss + penalty;
    }

    private double penalty() {
        return NetworkParameter.penalty(parameters, 0, 0);
    }

    private void addPenalties(INDArray gradient) {
        for (NetworkParameter parameter : parameters) {
            INDArray slice = parameter.slice(gradient);
            if (!parameter.isTrained()) {
                slice.assign(0);
                continue;
            }
            for (Regularization r : parameter.regularizations()) {
                INDArray values = parameter.values();
                // The rate matters to weight decay only; 1 makes its step the gradient of its penalty.
                r.apply(values, slice.reshape(values.ordering(), values.shape()), 1, 0, 0);
            }
        }
    }

    /** Evaluates loss and raw gradient on one batch; returns DL4J's score. */
    private double pass(MultiDataSet batch) {
        network.evaluate(batch);
        return model.score();
    }
}
