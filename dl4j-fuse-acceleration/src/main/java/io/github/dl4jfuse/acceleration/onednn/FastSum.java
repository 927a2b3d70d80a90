package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's sum of images, which leaves their channels last; whatever else comes is DL4J's. */
final class FastSum extends ElementWiseVertex implements FastVertex {

    private final transient GraphVertex original;
    private final transient Neighbours[] around;

    FastSum(ElementWiseVertex original) {
        super(
                original.getGraph(),
                original.getVertexName(),
                original.getVertexIndex(),
                original.getInputVertices(),
                original.getOutputVertices(),
                Op.Add,
                DataType.FLOAT);
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
        return inputs.length > 1
                && FastVertex.areImages(inputs)
                && Arrays.stream(inputs).allMatch(each -> each.equalShapes(inputs[0]));
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
        if (!isOurs()) {
            return super.doForward(training, workspaces);
        }
        INDArray y = Layout.images(ArrayType.ACTIVATIONS, inputs[0].shape(), workspaces);
        INDArray sum = y.permute(0, 2, 3, 1);
        ordered(0, workspaces).add(ordered(1, workspaces), sum);
        for (int i = 2; i < inputs.length; i++) {
            sum.addi(ordered(i, workspaces));
        }
        return around[0].forNext(y, workspaces);
    }

    /** Returns an input as [n, h, w, c] in c order: ND4J adds slowly otherwise. */
    private INDArray ordered(int i, LayerWorkspaceMgr workspaces) {
        INDArray x = inputs[i].castTo(DataType.FLOAT);
        if (!Layout.CHANNELS_LAST.isOf(x)) {
            INDArray copy = Layout.images(ArrayType.FF_WORKING_MEM, x.shape(), workspaces);
            around[i].copy(Layout.known(x), copy);
            x = copy;
        }
        return x.permute(0, 2, 3, 1);
    }

    /** Each input has the whole gradient, and an array of its own, as DL4J adds to it in place. */
    @Override
    public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
        if (!isOurs()) {
            return super.doBackward(tbptt, workspaces);
        }
        INDArray eps = Layout.known(epsilon.castTo(DataType.FLOAT));
        INDArray[] gradients = new INDArray[inputs.length];
        for (int i = 0; i < gradients.length; i++) {
            gradients[i] = around[i].gradients(eps.shape(), workspaces);
            around[i].copy(eps, gradients[i]);
        }
        return new Pair<>(null, gradients);
    }
}
