package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.linalg.HostArrays;
import io.github.dl4jfuse.network.Constraints;
import io.github.dl4jfuse.network.Dl4jModel;
import io.github.dl4jfuse.network.NetworkParameter;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonLoss;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonStep;
import io.github.dl4jfuse.optim.gaussnewton.OutputJacobian;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.optim.gaussnewton.ResidualModel;
import io.github.dl4jfuse.optim.gaussnewton.SoftmaxLoss;
import io.github.dl4jfuse.optim.gaussnewton.SquaredLoss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;

/**
 * The outputs of a {@link MultiLayerNetwork} or {@link ComputationGraph} on a batch, as a function of all its parameters in
 * DL4J's order, and their Jacobian. The network is in evaluation mode: no dropout, BatchNorm with its running statistics.
 * The outputs x are the logits of a softmax, otherwise the activations of the output layer. What is not trained (frozen,
 * under NoOp, running statistics) has columns of zeros.
 *
 * <p>Dense, embedding, convolution and BatchNorm layers and the output layer have a formula; if all trained layers are such,
 * D v, D' u and D D' come from each layer's inputs and cotangents, for which Q backward passes are made at once. With any other
 * trained layer (recurrent, custom), D' u is one backward pass, and D v a central difference of outputs along v with
 * h = ε^(1/3) (1 + |θ| / √K) / |v|: relative error about 1e-9 in double and 1e-4 in float.
 *
 * <p>A network is left as it was found, but for the arrays its layers keep between forward and backward pass, and DL4J's
 * gradient array.
 *
 * <p>Refused with an IllegalStateException: a last layer other than OutputLayer or LossLayer, losses other than MSE, L2, the
 * cross-entropy of a softmax and those that implement {@link GaussNewtonLoss}, weighted losses, several outputs, masks.
 */
public final class NetworkOutputs implements ResidualModel {

    /** Copies of the widest layer's cotangents that a backward pass makes. */
    private static final int COTANGENTS = 4;

    /** Relative difference of two computations of one loss, at most. */
    private static final double SAME_LOSS = 1e-2;

    /** A loss that small may be rounding. */
    private static final double NO_LOSS = 1e-6;

    /** Differences of logits from which on probabilities vanish beside others in float, and DL4J bounds their logarithms. */
    private static final double LARGEST_SPREAD = 10;

    private final Model model;
    private final INDArray[] features;
    private final INDArray labels;
    private final LayerGraph pass;
    private final int examples;
    private final int outputs;
    private final OutputEvaluation evaluation;

    /** The outputs on one batch. */
    public NetworkOutputs(Model model, DataSet data) {
        this(model, new INDArray[] {data.getFeatures()}, data.getLabels());
        if (data.hasMaskArrays()) {
            throw masksAreUnknown();
        }
    }

    /** Returns what to throw where there are masks. */
    public static IllegalStateException masksAreUnknown() {
        return new IllegalStateException("The geometry of the outputs does not know masks: pad without them, or cut the"
                + " sequences to one length.");
    }

    /**
     * The outputs on one batch.
     *
     * @param features one array for each network input
     */
    public NetworkOutputs(Model model, INDArray[] features, INDArray labels) {
        this(requireNetwork(model), features, labels, new LayerGraph(model));
    }

    private NetworkOutputs(Model model, INDArray[] features, INDArray labels, LayerGraph pass) {
        if (labels == null || labels.rank() != 2) {
            throw new IllegalStateException(
                    "The geometry of the outputs needs labels [examples, outputs]; for sequences, put LastTimeStep or"
                            + " GlobalPoolingLayer before an OutputLayer.");
        }
        this.model = model;
        this.features = features;
        this.labels = labels;
        this.pass = pass;
        examples = (int) labels.size(0);
        outputs = (int) labels.size(1);
        evaluation = new OutputEvaluation(model, features, pass, examples, outputs);
    }

    /** Returns the outputs of the same network on another batch. */
    public NetworkOutputs on(INDArray[] others, INDArray otherLabels) {
        return new NetworkOutputs(model, others, otherLabels, pass);
    }

    /**
     * Returns those of the first examples that make at most so many rows, at least one example; all of them where the loss brings
     * a geometry of its own, which may be one of the whole batch.
     */
    public NetworkOutputs first(int rows) {
        int count = Math.max(1, Math.min(examples, rows / outputs));
        if (count == examples || hasOwnGeometry()) {
            return this;
        }
        INDArray[] some = new INDArray[features.length];
        for (int i = 0; i < some.length; i++) {
            some[i] = LayerNode.part(features[i], 0, count);
        }
        return on(some, LayerNode.part(labels, 0, count));
    }

    /** Returns those of some examples, in this order. */
    public NetworkOutputs some(int[] which) {
        INDArray[] rows = new INDArray[features.length];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = pulled(features[i], which);
        }
        return on(rows, pulled(labels, which));
    }

    private static INDArray pulled(INDArray all, int[] which) {
        long[] shape = all.shape().clone();
        INDArray flat = all.reshape('c', shape[0], all.length() / shape[0]);
        shape[0] = which.length;
        return Nd4j.pullRows(flat, 1, which).reshape('c', shape);
    }

    private static Model requireNetwork(Model model) {
        if (!Dl4jModel.isNetwork(model)) {
            throw new IllegalStateException(
                    "The geometry of the outputs is known for a MultiLayerNetwork or a ComputationGraph, not for a "
                            + (model == null ? "null" : model.getClass().getName()) + ".");
        }
        if (model.params() == null) {
            throw new IllegalStateException("The network has no parameters yet: call init() first.");
        }
        if (model.params().dataType() != DataType.FLOAT && model.params().dataType() != DataType.DOUBLE) {
            throw new IllegalStateException("The geometry of the outputs is computed in FLOAT or DOUBLE, not in "
                    + model.params().dataType() + ": give the network dataType(DataType.FLOAT).");
        }
        return model;
    }

    /**
     * Compares the loss, as it is understood here, with DL4J's.
     *
     * @param dl4js a mean over the examples without penalties; NaN is not compared
     * @return whether there was anything to compare: not with a geometry of the loss's own, and not with logits so far apart that
     *     DL4J cuts their logarithms off
     * @throws IllegalStateException if they differ
     */
    public boolean requireLoss(double dl4js) {
        if (hasOwnGeometry() || Double.isNaN(dl4js)) {
            return false;
        }
        OutputLoss loss = loss();
        double[] x = outputs(evaluation.point());
        if (pass.output().isSoftmax() && spread(x) > LARGEST_SPREAD) {
            return false;
        }
        double ours = loss.at(x).value();
        double scale = Math.max(Math.abs(ours), Math.abs(dl4js));
        if (Math.abs(ours - dl4js) > SAME_LOSS * scale + NO_LOSS) {
            throw new IllegalStateException("The geometry of the outputs takes the loss of this batch for " + ours
                    + ", DL4J for " + dl4js
                    + " (penalties left out): some layer, mask or activation of this network is not"
                    + " understood, and steps would lower the wrong loss. Train it with an updater alone.");
        }
        return scale > NO_LOSS;
    }

    private double spread(double[] x) {
        double widest = 0;
        for (int i = 0; i < x.length; i += outputs) {
            var row = Arrays.stream(x, i, i + outputs).summaryStatistics();
            widest = Math.max(widest, row.getMax() - row.getMin());
        }
        return widest;
    }

    @Override
    public void requireMinimisable() {
        Constraints.requireNone(model);
        if (model instanceof MultiLayerNetwork network) {
            double score = network.score();
            double penalty = NetworkParameter.penalty(NetworkParameter.of(model), 0, 0);
            double loss = network.score(new DataSet(features[0], labels), false) - penalty;
            network.setScore(score);
            requireLoss(network.conf().isMiniBatch() ? loss : loss / examples);
        }
    }

    /** Returns the network's own loss on the batch. */
    public OutputLoss loss() {
        return loss(0, SoftmaxLoss.Metric.SOFTMAX);
    }

    /**
     * Returns the network's loss on the batch.
     *
     * @param smoothing of the labels, for a cross-entropy; 0 is none
     * @param metric for a cross-entropy
     */
    public OutputLoss loss(double smoothing, SoftmaxLoss.Metric metric) {
        ILossFunction function = pass.output().loss;
        if (function instanceof GaussNewtonLoss own && smoothing == 0) {
            return own.outputLoss(labels);
        }
        double[] y = HostArrays.of(labels);
        if (function instanceof LossSparseMCXENT) {
            throw new IllegalStateException(
                    "The geometry of the outputs does not understand classes as integers: use MCXENT"
                            + " and labels with a column for each class.");
        }
        if (function instanceof LossMCXENT crossEntropy && pass.output().isSoftmax()) {
            requireUnweighted(crossEntropy.getWeights());
            return new SoftmaxLoss(y, examples, outputs, smoothing, metric);
        }
        if (function instanceof LossL2 squared && !pass.output().isSoftmax()) {
            requireUnweighted(squared.getWeights());
            if (smoothing != 0) {
                throw new IllegalArgumentException("Label smoothing is for cross-entropies, not for a squared loss.");
            }
            return new SquaredLoss(y, examples, outputs, function instanceof LossMSE ? 2.0 / outputs : 2);
        }
        throw new IllegalStateException(
                "The geometry of the outputs is understood for the losses MSE and L2, for MCXENT and"
                        + " NEGATIVELOGLIKELIHOOD with a softmax, and for those that implement GaussNewtonLoss, not for "
                        + function + " with "
                        + pass.output().conf().getActivationFn() + ".");
    }

    private static void requireUnweighted(INDArray weights) {
        if (weights != null) {
            throw new IllegalStateException(
                    "The geometry of the outputs does not know weighted losses: repeat the examples"
                            + " that count more.");
        }
    }

    @Override
    public long parameters() {
        return model.params().length();
    }

    @Override
    public int examples() {
        return examples;
    }

    @Override
    public int outputsPerExample() {
        return outputs;
    }

    @Override
    public DataType dataType() {
        return model.params().dataType();
    }

    @Override
    public INDArray start() {
        return evaluation.point().dup();
    }

    /** Puts the point into the network. */
    @Override
    public void accept(INDArray best) {
        evaluation.point().assign(best);
    }

    @Override
    public double[] outputs(INDArray point) {
        return evaluation.outputs(point);
    }

    @Override
    public OutputJacobian linearise(INDArray point) {
        return expand(point).jacobian();
    }

    @Override
    public Expansion expand(INDArray point) {
        return evaluation.at(
                point,
                () -> new Expansion(
                        evaluation.forward(),
                        isFactored() ? factored() : new MatrixFreeJacobian(evaluation, point.dup())));
    }

    private FactoredJacobian factored() {
        evaluation.initialiseGradients();
        INDArray stack = Nd4j.zeros(dataType(), rows(), outputs);
        for (int c = 0; c < outputs; c++) {
            for (int i = 0; i < examples; i++) {
                stack.putScalar((long) c * examples + i, c, 1);
            }
        }
        List<JacobianBlock> blocks = new ArrayList<>();
        pass.backward(stack, (stage, cotangents) -> blocks.add(stage.block(cotangents, examples)), (s, g) -> {});
        return new FactoredJacobian(blocks, rows(), parameters(), dataType());
    }

    private boolean isFactored() {
        return pass.stages().stream().allMatch(stage -> stage.isKnown(examples));
    }

    /** Returns the kinds of trained layers that have no formula, so that products are made without a matrix. */
    public Set<String> withoutFormula() {
        evaluation.at(evaluation.point().dup(), evaluation::forward);
        return pass.stages().stream()
                .filter(stage -> !stage.isKnown(examples))
                .map(stage -> stage.layer() == null
                        ? "a vertex"
                        : stage.layer().conf().getLayer().getClass().getSimpleName())
                .collect(Collectors.toSet());
    }

    @Override
    public long requireMemory() {
        return need().require();
    }

    /** Returns what {@link #linearise} and the solution of its system take. */
    MemoryNeed need() {
        evaluation.at(evaluation.point().dup(), evaluation::forward);
        long n = rows();
        long width = dataType().width();
        long matrix = n <= GaussNewtonStep.SOLVED_AT_MOST ? n * n * Double.BYTES : 0;
        long blocks = 0;
        for (LayerNode stage : pass.stages()) {
            blocks += stage.blockBytes(n);
        }
        long cotangents = (isFactored() ? n : examples) * pass.widest() * width;
        return new MemoryNeed(
                examples,
                outputs,
                3 * matrix + 4 * n * Double.BYTES,
                matrix + matrix * width / Double.BYTES + 2 * blocks + COTANGENTS * cotangents);
    }

    /** Returns the output layer. */
    public OutputNode lastLayer() {
        return pass.output();
    }

    /** Returns what the last layer saw in the last forward pass, [examples, inputs]. */
    public INDArray lastLayerInputs() {
        return pass.output().rows();
    }

    /** Returns whether the loss function brings its geometry along, which may be one of the whole batch. */
    public boolean hasOwnGeometry() {
        return pass.output().loss instanceof GaussNewtonLoss;
    }

    /** Returns x - y, or p - y for a softmax, at the present parameters, [examples, outputs]. */
    public INDArray euclideanResidual() {
        if (hasOwnGeometry()) {
            throw new IllegalStateException("The last layer alone has a closed form for squared losses and"
                    + " cross-entropies only, not for " + pass.output().loss + ": use ALL_LAYERS.");
        }
        OutputLoss.Local local = loss(0, SoftmaxLoss.Metric.EUCLIDEAN).at(evaluation.forward());
        return Nd4j.createFromArray(local.whitened()).reshape('c', examples, outputs);
    }
}
