package io.github.dl4jfuse.acceleration.updating;

import java.util.List;
import org.deeplearning4j.nn.api.Updater;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.MultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.nn.updater.UpdaterUtils;
import org.deeplearning4j.nn.updater.graph.ComputationGraphUpdater;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.AdamUpdater;
import org.nd4j.linalg.learning.GradientUpdater;

/**
 * Puts an updater of ours in the place of DL4J's in a network, and takes it out again: the same state, rules and bits, without what
 * {@link OwnGradient} describes, and with {@link FastAdam} for Adam. The blocks are those of the layers that the network has now.
 */
public final class FastUpdater {

    private FastUpdater() {}

    /** Makes a network's updater ours, unless it is already, or is not one that can be exchanged. */
    public static void attach(MultiLayerNetwork network) {
        if (!(network.getUpdater(false) instanceof OfNetwork) && canExchange(network.getUpdater(false))) {
            replace(network, true);
        }
    }

    /** Makes a graph's updater ours, unless it is already, or is not one that can be exchanged. */
    public static void attach(ComputationGraph graph) {
        if (!(graph.getUpdater(false) instanceof OfGraph) && canExchange(graph.getUpdater(false))) {
            replace(graph, true);
        }
    }

    /** Makes an updater for the layers that the network has now, if it has one; ours where it was ours and should be. */
    public static void renew(MultiLayerNetwork network, boolean ours) {
        Updater before = network.getUpdater(false);
        if (before != null && canExchange(before)) {
            replace(network, ours && before instanceof OfNetwork);
        }
    }

    /** Makes an updater for the layers that the graph has now, if it has one; ours where it was ours and should be. */
    public static void renew(ComputationGraph graph, boolean ours) {
        Updater before = graph.getUpdater(false);
        if (before != null && canExchange(before)) {
            replace(graph, ours && before instanceof OfGraph);
        }
    }

    /**
     * An updater of a class of the user's own does what nobody else's does, so it stays. So does one whose configurations were changed
     * after it was made: another one would read its state in other blocks.
     */
    private static boolean canExchange(Updater updater) {
        if (updater == null) {
            return true;
        }
        Class<?> type = updater.getClass();
        return (type == MultiLayerUpdater.class
                        || type == ComputationGraphUpdater.class
                        || type == OfNetwork.class
                        || type == OfGraph.class)
                && isAsConfigured((BaseMultiLayerUpdater<?>) updater);
    }

    private static boolean isAsConfigured(BaseMultiLayerUpdater<?> updater) {
        UpdaterBlock.ParamState last = null;
        for (UpdaterBlock block : updater.getUpdaterBlocks()) {
            long size = 0;
            boolean begins = true;
            for (UpdaterBlock.ParamState each : block.getLayersAndVariablesInBlock()) {
                if (last != null
                        && begins
                                == UpdaterUtils.updaterConfigurationsEquals(
                                        last.getLayer(), last.getParamName(), each.getLayer(), each.getParamName())) {
                    return false;
                }
                size += each.getLayer()
                        .getConfig()
                        .getUpdaterByParam(each.getParamName())
                        .stateSize(each.getParamOffsetEnd() - each.getParamOffsetStart());
                begins = false;
                last = each;
            }
            if (size != block.getUpdaterViewOffsetEnd() - block.getUpdaterViewOffsetStart()) {
                return false;
            }
        }
        return true;
    }

    private static void replace(MultiLayerNetwork network, boolean ours) {
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            var before = (BaseMultiLayerUpdater<?>) network.getUpdater(false);
            INDArray state = before == null ? null : before.getUpdaterStateViewArray();
            MultiLayerUpdater after = ours ? new OfNetwork(network, state) : new MultiLayerUpdater(network, state);
            carryOver(before, after, ours);
            network.setUpdater(after);
        }
    }

    private static void replace(ComputationGraph graph, boolean ours) {
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            ComputationGraphUpdater before = graph.getUpdater(false);
            INDArray state = before == null ? null : before.getUpdaterStateViewArray();
            ComputationGraphUpdater after =
                    ours ? new OfGraph(graph, state) : new ComputationGraphUpdater(graph, state);
            carryOver(before, after, ours);
            graph.setUpdater(after);
        }
    }

    /** Rules keep what they have learnt; only Adam's is exchanged, all of whose state is in the array. */
    private static void carryOver(BaseMultiLayerUpdater<?> before, BaseMultiLayerUpdater<?> after, boolean ours) {
        List<UpdaterBlock> blocks = after.getUpdaterBlocks();
        for (int i = 0; i < blocks.size(); i++) {
            UpdaterBlock block = blocks.get(i);
            GradientUpdater<?> rule =
                    (before == null ? block : before.getUpdaterBlocks().get(i)).getGradientUpdater();
            block.setGradientUpdater(rule instanceof AdamUpdater adam ? exchanged(adam, ours) : rule);
        }
    }

    private static GradientUpdater<?> exchanged(AdamUpdater adam, boolean ours) {
        if (ours ? adam.getClass() != AdamUpdater.class : !(adam instanceof FastAdam)) {
            return adam;
        }
        AdamUpdater other = ours ? new FastAdam(adam.getConfig()) : new AdamUpdater(adam.getConfig());
        other.setM(adam.getM());
        other.setV(adam.getV());
        other.setGradientReshapeOrder(adam.getGradientReshapeOrder());
        return other;
    }

    /** Of a MultiLayerNetwork. */
    private static final class OfNetwork extends MultiLayerUpdater {

        private final INDArray parameters;
        private final INDArray gradients;

        OfNetwork(MultiLayerNetwork network, INDArray state) {
            super(network, state);
            parameters = network.params();
            gradients = super.getFlattenedGradientsView();
        }

        /** DL4J asks for identity. */
        @Override
        public INDArray getFlattenedGradientsView() {
            INDArray now = super.getFlattenedGradientsView();
            return gradients != null && OwnGradient.areSame(now, gradients) ? gradients : now;
        }

        @Override
        public synchronized void update(
                Gradient gradient, int iteration, int epoch, int batchSize, LayerWorkspaceMgr workspaces) {
            super.update(
                    OwnGradient.areSame(network.params(), parameters) ? OwnGradient.of(gradient, gradients) : gradient,
                    iteration,
                    epoch,
                    batchSize,
                    workspaces);
        }
    }

    /** Of a ComputationGraph. */
    private static final class OfGraph extends ComputationGraphUpdater {

        private final INDArray parameters;
        private final INDArray gradients;

        OfGraph(ComputationGraph graph, INDArray state) {
            super(graph, state);
            parameters = graph.params();
            gradients = super.getFlattenedGradientsView();
        }

        /** DL4J asks for identity. */
        @Override
        public INDArray getFlattenedGradientsView() {
            INDArray now = super.getFlattenedGradientsView();
            return gradients != null && OwnGradient.areSame(now, gradients) ? gradients : now;
        }

        @Override
        public synchronized void update(
                Gradient gradient, int iteration, int epoch, int batchSize, LayerWorkspaceMgr workspaces) {
            super.update(
                    OwnGradient.areSame(network.params(), parameters) ? OwnGradient.of(gradient, gradients) : gradient,
                    iteration,
                    epoch,
                    batchSize,
                    workspaces);
        }
    }
}
