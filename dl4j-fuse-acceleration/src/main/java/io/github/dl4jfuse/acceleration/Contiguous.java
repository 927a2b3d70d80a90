package io.github.dl4jfuse.acceleration;

import java.util.Arrays;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What oneDNN needs of an array in NHWC: it reads the memory from the first element on as if the array lay there in c
 * order, whatever its strides, so that a view becomes garbage or a crash.
 */
final class Contiguous {

    private Contiguous() {}

    /** Returns the array itself if it lies in c order, else a copy that does, in the workspace given. */
    static INDArray of(INDArray array, ArrayType workspace, LayerWorkspaceMgr workspaces) {
        // Not Shape.hasDefaultStridesForShape, to which f order is as good.
        boolean inOrder = Arrays.equals(array.stride(), Nd4j.getStrides(array.shape(), 'c'));
        return inOrder ? array : workspaces.dup(workspace, array, 'c');
    }
}
