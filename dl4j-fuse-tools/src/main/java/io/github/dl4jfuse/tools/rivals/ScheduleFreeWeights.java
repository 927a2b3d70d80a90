package io.github.dl4jfuse.tools.rivals;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Updater;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Schedule-Free's x, from y in the parameters and what {@link ScheduleFree} keeps in the network's updater. */
final class ScheduleFreeWeights extends SwappedWeights {

    @Override
    void toEvaluation(Model net, INDArray parameters) {
        BaseMultiLayerUpdater<?> updater = updater(net);
        if (updater == null) {
            return; // no step yet
        }
        for (UpdaterBlock block : updater.getUpdaterBlocks()) {
            if (block.getGradientUpdater() instanceof StateUpdater.State state
                    && state.getConfig() instanceof ScheduleFree rule) {
                INDArray part =
                        parameters.get(NDArrayIndex.interval(block.getParamOffsetStart(), block.getParamOffsetEnd()));
                rule.moveToAverage(part, state.view());
            }
        }
    }

    private static BaseMultiLayerUpdater<?> updater(Model net) {
        if (net instanceof ComputationGraph graph) {
            return graph.getUpdater(false);
        }
        Updater updater = ((MultiLayerNetwork) net).getUpdater(false);
        return (BaseMultiLayerUpdater<?>) updater;
    }
}
