package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.network.Constraints;
import io.github.dl4jfuse.network.Dl4jModel;
import io.github.dl4jfuse.network.KeptBatch;
import io.github.dl4jfuse.network.NetworkParameter;
import io.github.dl4jfuse.network.StochasticLayers;
import io.github.dl4jfuse.network.Surroundings;
import io.github.dl4jfuse.optim.gaussnewton.LastLayerStep;
import io.github.dl4jfuse.updater.GaussNewton;
import io.github.dl4jfuse.updater.GaussNewtonUpdater;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.optimize.solvers.BaseOptimizer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The batch that a network is being trained on, in the middle of a fit step, and the gradient that DL4J will use. */
public final class CurrentBatch {

    private final Model model;
    private final List<NetworkParameter> trained;
    private final KeptBatch kept;
    private final boolean constrained;
    private NetworkOutputs template;

    /** Looks at the network. */
    public CurrentBatch(Model model) {
        this.model = model;
        kept = new KeptBatch(model);
        constrained = Constraints.anyOf(model);
        trained = NetworkParameter.of(model).stream()
                .filter(NetworkParameter::isTrained)
                .toList();
    }

    /**
     * Checks whether another gradient may take the place of DL4J's.
     *
     * @param name of the listener, for its sentences
     * @param allLayers whether the gradients of all layers are to be replaced, not only that of the last
     * @throws IllegalStateException if that makes no sense for the network; the sentence says what to change
     */
    public void requireReplaceable(String name, boolean allLayers) {
        for (Layer layer : Dl4jModel.of(model).layers()) {
            var conf = layer.getConfig();
            boolean weights = layer.numParams() > 0 && conf != null;
            if (weights
                    && conf.getGradientNormalization() != null
                    && conf.getGradientNormalization() != GradientNormalization.None) {
                throw new IllegalStateException("Layer \"" + conf.getLayerName() + "\" uses gradient normalization "
                        + conf.getGradientNormalization() + ", which would undo what " + name
                        + " makes of the gradient: remove .gradientNormalization(..).");
            }
            boolean frozen = NetworkParameter.isFrozen(layer); // runs in evaluation mode
            if (allLayers && !frozen && StochasticLayers.isNoisy(layer)) {
                throw new IllegalStateException(name + " in all layers computes the gradient without dropout and weight"
                        + " noise, so they would have no effect: remove them, or use OUTPUT_LAYER.");
            }
            if (allLayers && !frozen && layer.conf().getLayer() instanceof BatchNormalization) {
                throw new IllegalStateException(name + " in all layers needs examples that do not see each other, which"
                        + " BatchNorm in training makes them do: remove it, freeze it, or use OUTPUT_LAYER.");
            }
        }
        if (Constraints.anyPartial(model)) {
            throw new IllegalStateException(
                    "A MinMaxNormConstraint with a rate below 1 moves the weights once more after each step, so none stays what "
                            + name + " judged: give it the rate 1.");
        }
        if (model.conf().getOptimizationAlgo() != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
            throw new IllegalStateException(
                    name + " needs optimizationAlgo(STOCHASTIC_GRADIENT_DESCENT), DL4J's default," + " not "
                            + model.conf().getOptimizationAlgo() + ".");
        }
        if (Dl4jModel.of(model).usesTruncatedBackprop()) {
            throw new IllegalStateException(
                    name + " does not know truncated backpropagation through time: use BackpropType.Standard.");
        }
    }

    /** Returns what is kept of the batch, whose listener calls keep, begin and end. */
    public KeptBatch batch() {
        return kept;
    }

    /** Returns the outputs on a copy of the batch in hand. */
    public NetworkOutputs outputs() {
        if (kept.isMasked()) {
            throw NetworkOutputs.masksAreUnknown();
        }
        INDArray[] features =
                Arrays.stream(kept.inputs()).map(CurrentBatch::copy).toArray(INDArray[]::new);
        INDArray labels = copy(kept.labels()[0]);
        template = template == null ? new NetworkOutputs(model, features, labels) : template.on(features, labels);
        return template;
    }

    private static INDArray copy(INDArray array) {
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            return array == null ? null : array.dup('c');
        }
    }

    /** Returns a view of all parameters, [K]; a graph does not count those of its vertices in numParams(). */
    public INDArray parameters() {
        INDArray all = model.params();
        return all.reshape(all.length());
    }

    /** Returns whether weights are constrained. */
    public boolean isConstrained() {
        return constrained;
    }

    /** Applies the weight constraints, as DL4J does at the end of a step. */
    public void project() {
        if (constrained) {
            BaseOptimizer.applyConstraints(model);
        }
    }

    /** Returns views of the trained parameters, one by one. */
    public INDArray[] trained() {
        INDArray now = parameters();
        return trained.stream().map(parameter -> parameter.slice(now)).toArray(INDArray[]::new);
    }

    /** Puts all trained parameters back to an earlier point; running statistics stay. */
    public void restore(INDArray point) {
        INDArray now = parameters();
        for (NetworkParameter parameter : trained) {
            parameter.slice(now).assign(parameter.slice(point));
        }
    }

    /**
     * Returns the settings of a network that is trained by {@link GaussNewton}, or null.
     *
     * @throws IllegalStateException if parts of it have different ones
     */
    public GaussNewton gaussNewton() {
        List<GaussNewton> found = gaussNewtonUpdaters()
                .map(GaussNewtonUpdater::getConfig)
                .distinct()
                .toList();
        if (found.size() > 1) {
            throw new IllegalStateException("The layers have different settings of GaussNewton, but its step is one for"
                    + " the whole network: give all layers the same, not " + found + ".");
        }
        return found.isEmpty() ? null : found.get(0);
    }

    private Stream<GaussNewtonUpdater> gaussNewtonUpdaters() {
        return Surroundings.updaters(model, GaussNewtonUpdater.class);
    }

    /** Makes DL4J's raw gradient one that it turns into this direction after dividing by the batch size. */
    public void replaceGradient(INDArray direction) {
        gaussNewtonUpdaters().forEach(GaussNewtonUpdater::conductNextStep);
        INDArray gradient = gradient();
        for (NetworkParameter parameter : trained) {
            parameter.slice(gradient).assign(parameter.slice(direction).mul(divisor()));
        }
    }

    /**
     * The same for the last layer alone.
     *
     * @param lambda relative damping of {@link LastLayerStep}
     * @return false, and no change, if the layer's inputs give no direction
     */
    public boolean replaceLastLayer(NetworkOutputs outputs, double lambda) {
        OutputNode last = outputs.lastLayer();
        NetworkParameter weights = last.trained(DefaultParamInitializer.WEIGHT_KEY);
        NetworkParameter bias = last.trained(DefaultParamInitializer.BIAS_KEY);
        if (weights == null || !last.isLinear()) {
            throw new IllegalStateException(
                    "The last layer alone has a closed form if it is an OutputLayer with weights that are trained and"
                            + " activation IDENTITY or SOFTMAX.");
        }
        INDArray residual = outputs.euclideanResidual();
        INDArray inputs = outputs.lastLayerInputs();
        INDArray direction = LastLayerStep.direction(inputs, residual, bias != null, lambda);
        if (direction == null) {
            return false;
        }
        INDArray gradient = gradient();
        long n = inputs.size(1);
        INDArray scaled = direction.muli(divisor()).castTo(gradient.dataType());
        var rows = NDArrayIndex.interval(0, n);
        INDArray values = weights.values();
        weights.slice(gradient).reshape(values.ordering(), values.shape()).assign(scaled.get(rows, NDArrayIndex.all()));
        if (bias != null) {
            bias.slice(gradient).assign(scaled.getRow(n));
        }
        return true;
    }

    /** No step for the trained parameters. */
    public void clearGradient() {
        gaussNewtonUpdaters().forEach(GaussNewtonUpdater::conductNextStep);
        INDArray gradient = gradient();
        trained.forEach(parameter -> parameter.slice(gradient).assign(0));
    }

    private INDArray gradient() {
        INDArray gradient = model.getGradientsViewArray();
        return gradient.reshape(gradient.length());
    }

    private double divisor() {
        return model.conf().isMiniBatch() ? model.batchSize() : 1;
    }

    /** Returns DL4J's score of the batch. */
    public double score() {
        return model.score();
    }

    /**
     * Returns DL4J's loss of the batch, a mean over the examples and without penalties, or NaN where it is none that {@link
     * #outputs} knows: with dropout, weight noise or BatchNorm, which are in training mode there.
     */
    public double comparableLoss() {
        for (Layer layer : Dl4jModel.of(model).layers()) {
            boolean differs = StochasticLayers.isNoisy(layer) || layer.conf().getLayer() instanceof BatchNormalization;
            if (differs && !NetworkParameter.isFrozen(layer)) {
                return Double.NaN;
            }
        }
        double penalty = NetworkParameter.penalty(NetworkParameter.of(model), iteration(), epoch());
        return (score() - penalty) / (model.conf().isMiniBatch() ? 1 : model.batchSize());
    }

    /** Returns the type of the parameters. */
    public DataType dataType() {
        return model.params().dataType();
    }

    private int epoch() {
        return Dl4jModel.of(model).epoch();
    }

    /** Returns the number of steps completed. */
    public int iteration() {
        return Dl4jModel.of(model).iteration();
    }
}
