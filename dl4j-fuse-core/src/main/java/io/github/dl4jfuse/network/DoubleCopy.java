package io.github.dl4jfuse.network;

import java.util.Arrays;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Copies of networks and batches in double precision. */
final class DoubleCopy {

    private DoubleCopy() {}

    /** Returns a copy without updaters; DL4J's convertDataType converts their state too, which may be many times the parameters. */
    static Model of(Model model) {
        INDArray parameters = model.params().castTo(DataType.DOUBLE);
        if (model instanceof MultiLayerNetwork network) {
            MultiLayerConfiguration configuration =
                    network.getLayerWiseConfigurations().clone();
            configuration.setDataType(DataType.DOUBLE);
            MultiLayerNetwork copy = new MultiLayerNetwork(configuration);
            copy.init(parameters, false);
            return copy;
        }
        ComputationGraphConfiguration configuration =
                ((ComputationGraph) model).getConfiguration().clone();
        configuration.setDataType(DataType.DOUBLE);
        ComputationGraph copy = new ComputationGraph(configuration);
        copy.init(parameters, false);
        return copy;
    }

    /** Returns a copy of a batch, masks included. */
    static MultiDataSet of(MultiDataSet batch) {
        return new org.nd4j.linalg.dataset.MultiDataSet(
                of(batch.getFeatures()),
                of(batch.getLabels()),
                of(batch.getFeaturesMaskArrays()),
                of(batch.getLabelsMaskArrays()));
    }

    private static INDArray[] of(INDArray[] arrays) {
        return arrays == null
                ? null
                : Arrays.stream(arrays)
                        .map(array -> array == null ? null : array.castTo(DataType.DOUBLE))
                        .toArray(INDArray[]::new);
    }
}
