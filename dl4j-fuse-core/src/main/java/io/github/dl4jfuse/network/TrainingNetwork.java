package io.github.dl4jfuse.network;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.github.dl4jfuse.updater.CoordinatedUpdater;
import io.github.dl4jfuse.updater.FuseUpdater;
import io.github.dl4jfuse.updater.LfsoUpdater;
import io.github.dl4jfuse.updater.PreconditionedUpdater;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.solvers.BaseOptimizer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.Regularization.ApplyStep;

/**
 * A {@link MultiLayerNetwork} or {@link ComputationGraph} in the middle of a fit step, seen as a function of those
 * parameters that {@code FusePv}, {@code Fuse} or {@code Lfso} trains: value and gradient on the batch in hand, and the
 * updater blocks.
 *
 * <p>The objective is what DL4J's score is, per example and with l1 and l2, less the penalty of decoupled weight decay,
 * which DL4J adds to the score but which is no part of the gradient. Frozen parameters and BatchNorm's running
 * statistics (both under {@link NoOp}) are left to DL4J.
 *
 * <p>Valid for the updater it was made from: see {@link #isCurrent}.
 *
 * @param <U> the state of a block
 */
public final class TrainingNetwork<U extends CoordinatedUpdater> {

    private final Model model;
    private final Dl4jModel network;
    private final BaseMultiLayerUpdater<?> updater;
    private final List<UpdaterBlock> blocks = new ArrayList<>();
    private final List<U> updaters = new ArrayList<>();
    private final HeldParameters held;
    private final String refusal;
    private final boolean noisy;
    private final boolean decaysWeights;
    private final boolean constrained;
    private final BatchNormStatistics statistics;
    private final KeptBatch batch;
    private INDArray gradient;
    private INDArray[] gradientPieces;

    /**
     * Looks at the updater blocks of a network under FusePv or Fuse.
     *
     * @throws IllegalStateException if no parameter is trained by FusePv or Fuse, or if step acceptance makes no sense for
     *     the network's configuration and the updater does not leave it to us ({@link CoordinatedUpdater#isAutomatic}); the
     *     sentence says what to change
     */
    public static TrainingNetwork<FuseUpdater> ofFuse(Model model) {
        return new TrainingNetwork<>(model, FuseUpdater.class, Conductor.FUSE);
    }

    /** The same of a network under Lfso. */
    public static TrainingNetwork<LfsoUpdater> ofLfso(Model model) {
        return new TrainingNetwork<>(model, LfsoUpdater.class, Conductor.LFSO);
    }

    private TrainingNetwork(Model model, Class<U> type, Conductor conductor) {
        this.model = model;
        updater = conductor.updater(model);
        network = Dl4jModel.of(model);
        batch = new KeptBatch(model);
        UpdaterBlock foreign = null;
        for (UpdaterBlock block : updater.getUpdaterBlocks()) {
            Object state = stateOf(block);
            if (type.isInstance(state)) {
                addBlock(block, type.cast(state));
            } else if (foreign == null
                    && block.getLayersAndVariablesInBlock().stream().anyMatch(HeldParameters::mayMove)) {
                foreign = block;
            }
        }
        if (updaters.isEmpty()) {
            throw conductor.nothingToConduct();
        }
        held = new HeldParameters(blocks);
        refusal = conductor.refusal(model, updaters, foreign);
        if (refusal != null && !updaters.get(0).isAutomatic()) {
            throw new IllegalStateException(refusal);
        }
        constrained = Constraints.anyOf(model);
        statistics = new BatchNormStatistics(NetworkParameter.of(model));
        noisy = network.layers().stream().anyMatch(StochasticLayers::isNoisy);
        decaysWeights = blocks.stream()
                .flatMap(block -> block.getLayersAndVariablesInBlock().stream())
                .anyMatch(p -> !regularizations(p, ApplyStep.POST_UPDATER).isEmpty());
    }

    /**
     * Returns the names of layers under a NoOp that somebody has configured, perhaps to freeze them: DL4J moves their parameters by
     * the raw gradient.
     */
    public List<String> movedByRawGradient() {
        return updater.getUpdaterBlocks().stream()
                .filter(block -> block.getGradientUpdater().getConfig() instanceof NoOp)
                .flatMap(block -> block.getLayersAndVariablesInBlock().stream())
                .filter(p -> p.getLayer().getConfig() instanceof BaseLayer layer
                        && (layer.getIUpdater() instanceof NoOp || layer.getBiasUpdater() instanceof NoOp))
                .filter(p -> !NetworkParameter.isFrozen(p.getLayer()))
                .map(p -> p.getLayer().getConfig().getLayerName())
                .distinct()
                .toList();
    }

    /** Returns the updater of a block, or the one that Preconditioned has wrapped. */
    private static Object stateOf(UpdaterBlock block) {
        return block.getGradientUpdater() instanceof PreconditionedUpdater adapted
                ? adapted.rule(block.getParamOffsetEnd() - block.getParamOffsetStart())
                : block.getGradientUpdater();
    }

    /** Returns whether some parameters of the network are trained by such an updater, inside Preconditioned or not. */
    public static boolean isTrainedBy(Model model, Class<? extends GradientUpdater<?>> kind) {
        return Dl4jModel.of(model).updater().getUpdaterBlocks().stream()
                .anyMatch(block -> kind.isInstance(stateOf(block)));
    }

    private void addBlock(UpdaterBlock block, U blockUpdater) {
        if (!block.isPretrainUpdaterBlock()) {
            blockUpdater.prepare(block.getParamOffsetEnd() - block.getParamOffsetStart());
            blocks.add(block);
            updaters.add(blockUpdater);
        }
    }

    /** Sets those components of a vector as long as the trained parameters to zero that are frozen or have rate zero. */
    public void clearHeld(INDArray[] vector) {
        held.clear(vector);
    }

    /** Returns why there can be no L-BFGS phase that comes by itself, or null. */
    public String refusal() {
        return refusal != null || !noisy
                ? refusal
                : "The network has dropout or weight noise, so the loss of a batch is never the same twice.";
    }

    /** Returns whether the network still has the updater that this object looked at. */
    @SuppressWarnings("ReferenceEquality") // updaters with equal states are equal
    public boolean isCurrent() {
        return network.updater() == updater;
    }

    /**
     * Takes up what others have put into the updaters' state since the last step; returns whether there was anything. Only the
     * first block is asked, as what the blocks save of the network as a whole is the same in all.
     */
    public boolean followState() {
        if (!updaters.get(0).followState()) {
            return false;
        }
        updaters.forEach(CoordinatedUpdater::followState);
        return true;
    }

    /** Returns the state of each block that is trained so, in the order of the parameters. */
    public List<U> updaters() {
        return updaters;
    }

    /** Returns whether two evaluations at one point differ (dropout, weight noise) unless the random state is reset. */
    public boolean isNoisy() {
        return noisy;
    }

    /** Returns the state of the random generator, which {@link #setRandomState} brings back. */
    public long[] randomState() {
        return new long[] {Nd4j.getRandom().rootState(), Nd4j.getRandom().nodeState()};
    }

    /** Makes the next evaluation draw the masks of dropout and weight noise that belong to the state. */
    public void setRandomState(long[] state) {
        Nd4j.getRandom().setStates(state[0], state[1]);
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

    /** Returns whether some parameter has decoupled weight decay. */
    public boolean decaysWeights() {
        return decaysWeights;
    }

    /** Returns the epoch count. */
    public int epoch() {
        return network.epoch();
    }

    /** Returns the iteration count: the number of steps completed. */
    public int iteration() {
        return network.iteration();
    }

    /**
     * Returns the batch in hand, whose listener calls keep, begin and end: what is evaluated here is evaluated on it.
     */
    public KeptBatch batch() {
        return batch;
    }

    /** Returns views of the trained parameters, block by block. */
    public INDArray[] parameters() {
        return pieces(model.params());
    }

    /** Returns views of DL4J's gradient array, block by block: raw sum or update, whichever DL4J left there. */
    @SuppressWarnings("ReferenceEquality") // equal arrays are other memory
    public INDArray[] gradientView() {
        INDArray all = model.getGradientsViewArray();
        if (all != gradient) {
            gradient = all;
            gradientPieces = pieces(all);
        }
        return gradientPieces.clone();
    }

    private INDArray[] pieces(INDArray all) {
        INDArray flat = all.reshape(all.length());
        return blocks.stream()
                .map(b -> flat.get(interval(b.getParamOffsetStart(), b.getParamOffsetEnd())))
                .toArray(INDArray[]::new);
    }

    /** Sets DL4J's whole gradient array to zero, the statistics of BatchNorm included. */
    public void clearGradient() {
        model.getGradientsViewArray().assign(0);
    }

    /** Evaluates loss and raw gradient at the present parameters on the batch in hand. */
    public void evaluate() {
        batch.putDataBack();
        model.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
    }

    /** Returns whether {@link #evaluate} leaves everything else as it was: not with truncated backpropagation, which moves on. */
    public boolean canEvaluateAgain() {
        return !network.usesTruncatedBackprop();
    }

    /**
     * Leaves BatchNorm's running statistics alone in the step that follows, where the batch's are not finite.
     *
     * @return whether there were any
     */
    public boolean holdBrokenStatistics() {
        return statistics.holdBroken(model.getGradientsViewArray()
                .reshape(model.getGradientsViewArray().length()));
    }

    /** Moves BatchNorm's running statistics towards those of the last {@link #evaluate}, as DL4J does once in a step. */
    public void moveStatistics() {
        statistics.step(model.getGradientsViewArray()
                .reshape(model.getGradientsViewArray().length()));
    }

    /**
     * Returns whether {@link #evaluateValue} is a forward pass alone: not in a ComputationGraph, and not with masks, of which a
     * network does not give all back.
     */
    public boolean hasForwardPass() {
        return network.hasForwardPass() && !batch.isMasked();
    }

    /**
     * Evaluates the objective alone at the present parameters on the batch in hand, by a forward pass or, without {@link
     * #hasForwardPass}, by {@link #evaluate}. DL4J's score and gradient array are to be set anew afterwards.
     */
    public double evaluateValue() {
        if (hasForwardPass()) {
            batch.putDataBack();
            return network.forwardScore() - penalty();
        }
        evaluate();
        return value();
    }

    /** Returns DL4J's score of the last evaluation. */
    public double score() {
        return model.score();
    }

    /** Returns the relative rounding error of {@link #value}: a few units of the last place of the parameters' type. */
    public double valueRounding() {
        return switch (model.params().dataType()) {
            case DOUBLE -> 1e-14;
            case FLOAT -> 1e-6;
            default -> 1e-2;
        };
    }

    /** Sets the score that other listeners see. */
    public void setScore(double score) {
        network.setScore(score);
    }

    /** Returns the objective's value at the last evaluation, made at the present parameters. */
    public double value() {
        return score() - penalty();
    }

    /** Returns the penalty of decoupled weight decay, which DL4J's score contains. */
    private double penalty() {
        double penalty = 0;
        if (decaysWeights) {
            for (UpdaterBlock block : blocks) {
                for (UpdaterBlock.ParamState p : block.getLayersAndVariablesInBlock()) {
                    for (Regularization r : regularizations(p, ApplyStep.POST_UPDATER)) {
                        penalty += r.score(p.getParamView(), iteration(), epoch());
                    }
                }
            }
        }
        return penalty;
    }

    /**
     * Computes the gradient of {@link #value} at the present parameters from the raw gradient that the last evaluation
     * left in DL4J's array: divided by the number of examples (unless {@code miniBatch(false)}), plus l1 and l2; zero where a
     * parameter is frozen or has rate zero.
     *
     * @param target receives the gradient, block by block
     */
    public void gradient(INDArray[] target) {
        INDArray[] raw = gradientView();
        for (int b = 0; b < raw.length; b++) {
            UpdaterBlock block = blocks.get(b);
            target[b].assign(raw[b]);
            if (model.conf().isMiniBatch()) {
                target[b].divi(model.batchSize());
            }
            for (UpdaterBlock.ParamState p : block.getLayersAndVariablesInBlock()) {
                for (Regularization r : regularizations(p, ApplyStep.BEFORE_UPDATER)) {
                    INDArray slice = target[b].get(interval(
                            p.getParamOffsetStart() - block.getParamOffsetStart(),
                            p.getParamOffsetEnd() - block.getParamOffsetStart()));
                    double rate = updaters.get(b).getConfig().getLearningRate(iteration(), epoch());
                    r.apply(p.getParamView(), slice, rate, iteration(), epoch());
                }
            }
        }
        clearHeld(target);
    }

    /** Returns whether some block is trained in the metric of its layers' inputs. */
    public boolean isPreconditioned() {
        return blocks.stream().anyMatch(block -> block.getGradientUpdater() instanceof PreconditionedUpdater);
    }

    /** Makes {@code Preconditioned} forget the inputs it has seen, and look at the next ones. */
    public void resetMetric() {
        for (UpdaterBlock block : blocks) {
            if (block.getGradientUpdater() instanceof PreconditionedUpdater adapted) {
                adapted.resetMetric();
            }
        }
    }

    /** Applies T of {@code Preconditioned} to a vector as long as the trained parameters, block by block, in place. */
    public void applyMetric(INDArray[] vector) {
        for (int b = 0; b < vector.length; b++) {
            if (blocks.get(b).getGradientUpdater() instanceof PreconditionedUpdater adapted) {
                adapted.transform(vector[b]);
            }
        }
    }

    private static List<Regularization> regularizations(UpdaterBlock.ParamState p, ApplyStep step) {
        List<Regularization> all = p.getLayer().getConfig().getRegularizationByParam(p.getParamName());
        return all == null
                ? List.of()
                : all.stream().filter(r -> r.applyStep() == step).toList();
    }
}
