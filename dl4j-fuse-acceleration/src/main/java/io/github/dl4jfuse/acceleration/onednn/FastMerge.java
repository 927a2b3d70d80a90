package io.github.dl4jfuse.acceleration.onednn;

import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Arrays;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.MergeVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's merging of images along their channels, which leaves these last; whatever else comes is DL4J's. */
final class FastMerge extends MergeVertex implements FastVertex {

    /** The dimension of the channels in NCHW. */
    static final int AXIS = 1;

    private final transient GraphVertex original;
    private final transient Neighbours[] around;

    FastMerge(MergeVertex original) {
        super(
                original.getGraph(),
                original.getVertexName(),
                original.getVertexIndex(),
                original.getInputVertices(),
                original.getOutputVertices(),
                DataType.FLOAT,
                AXIS);
        this.original = original;
        around = FastVertex.around(original);
        setOutputVertex(original.isOutputVertex());
    }

    @Override
    public GraphVertex original() {
        return original;
    }

    @Override
    public Neighbours neighbours(int input) {
        return around[input];
    }

    private boolean isOurs() {
        return inputs.length > 1 && FastVertex.areImages(inputs);
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
        if (!isOurs()) {
            return super.doForward(training, workspaces);
        }
        long[] shape = inputs[0].shape().clone();
        shape[AXIS] = Arrays.stream(inputs).mapToLong(each -> each.size(AXIS)).sum();
        INDArray y = Layout.images(ArrayType.ACTIVATIONS, shape, workspaces);
        long channel = 0;
        for (int i = 0; i < inputs.length; i++) {
            INDArray x = Layout.known(inputs[i].castTo(DataType.FLOAT));
            around[i].copy(x, y.get(all(), interval(channel, channel + x.size(AXIS)), all(), all()));
            channel += x.size(AXIS);
        }
        return around[0].forNext(y, workspaces);
    }

    @Override
    public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
        if (!isOurs()) {
            return super.doBackward(tbptt, workspaces);
        }
        INDArray eps = Layout.known(epsilon.castTo(DataType.FLOAT));
        INDArray[] gradients = new INDArray[inputs.length];
        long channel = 0;
        for (int i = 0; i < gradients.length; i++) {
            long channels = inputs[i].size(AXIS);
            gradients[i] = around[i].gradients(inputs[i].shape(), workspaces);
            around[i].copy(eps.get(all(), interval(channel, channel + channels), all(), all()), gradients[i]);
            channel += channels;
        }
        return new Pair<>(null, gradients);
    }
}
