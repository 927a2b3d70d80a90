package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.linalg.HostArrays;
import io.github.dl4jfuse.network.Dl4jModel;
import java.util.Arrays;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A network's outputs on one batch, at any point. */
record OutputEvaluation(Model model, INDArray[] features, LayerGraph graph, int examples, int outputs) {

    DataType dataType() {
        return model.params().dataType();
    }

    /** Returns the network's parameters, [n]; what is written here is in the network. */
    INDArray point() {
        INDArray params = model.params();
        return params.reshape(params.length());
    }

    /** Computes something with the network at a point, and puts it back. */
    <T> T at(INDArray point, Supplier<T> computation) {
        INDArray found = point().dup();
        point().assign(point);
        try {
            return computation.get();
        } finally {
            point().assign(found);
        }
    }

    /** Returns the outputs at a point, row by row. */
    double[] outputs(INDArray point) {
        return at(point, this::forward);
    }

    /** Returns the outputs at the present parameters; layers keep what a backward pass needs. */
    double[] forward() {
        INDArray x = graph.forward(features);
        if (x.rank() != 2 || x.size(0) != examples || x.size(1) != outputs) {
            throw new IllegalStateException("The network gives outputs " + Arrays.toString(x.shape())
                    + " where the labels are [" + examples + ", " + outputs + "].");
        }
        return HostArrays.of(x);
    }

    /** Gives the network a gradient array if it has none yet. */
    void initialiseGradients() {
        Dl4jModel.of(model).initialiseGradients();
    }
}
